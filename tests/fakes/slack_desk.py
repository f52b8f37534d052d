"""What people do on a small Slack other than writing: commands, presses, menus and forms. Knows no story."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes import slack_blocks
from tests.fakes.slack_world import Message, new_id, new_ts, typed

if TYPE_CHECKING:
    from tests.fakes.slack_socket import Envelope, Sockets
    from tests.fakes.slack_world import Channel, Json, User, Workspace


MANIFEST = (Path(__file__).parents[2] / "bot" / "slack" / "manifest.yaml").read_text()


class ResponseUrl:
    """Where a command may be answered: five times."""

    def __init__(self, channel: Channel, user: User, pressed: Message | None = None) -> None:
        self.channel = channel
        self.user = user
        self.pressed = pressed
        """The message whose button it was, which alone can be replaced."""
        self.left = 5
        self.said: list[Message] = []


class InteractionDesk:
    """Sends interactions, and takes what is answered to their response_url."""

    teams: list[Workspace]
    sockets: Sockets
    url: str
    wrongs: list[str]
    response_urls: dict[str, ResponseUrl]
    shows_pictures: bool
    hooks_closed: bool
    triggers: dict[str, float]

    def moved(self) -> None:
        raise NotImplementedError

    def forgets_to_answer(self, method: str) -> bool:
        raise NotImplementedError

    async def slash(self, team: Workspace, channel: Channel, user: User, command: str, text: str = "") -> ResponseUrl:
        """Use a command."""
        answer, url = self._response_url(channel, user)
        body = {
            "token": "x",
            "team_id": team.id,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user.id,
            "user_name": user.name.lower(),
            "command": command,
            "text": _typed(team, user, command, text),
            "response_url": url,
            "trigger_id": self._trigger(),
        }
        await self.sockets.deliver(team, "slash_commands", body)
        return answer

    async def press(self, team: Workspace, message: Message, label: str, user: User) -> ResponseUrl:
        """Press a button."""
        button = message.buttons[label]
        answer, url = self._response_url(message.channel, user, message)
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        if message.only_for and message.only_for != user.id:
            raise AssertionError(f"{user.name} does not see that message")
        where = {"message_ts": message.ts, "channel_id": message.channel.id, "is_ephemeral": bool(message.only_for)}
        interaction = self._interaction(team, message, user, "block_actions", url)
        if message.only_for:
            del interaction["message"]
        body = {
            **interaction,
            "container": {"type": "message", **where, **thread},
            "actions": [{**button, "block_id": "b", "action_ts": new_ts()}],
        }
        await self.sockets.deliver(team, "interactive", body)
        return answer

    async def menu(self, team: Workspace, message: Message, callback: str, user: User) -> ResponseUrl:
        """Use a message's menu."""
        answer, url = self._response_url(message.channel, user)
        body = self._interaction(team, message, user, "message_action", url)
        await self.sockets.deliver(team, "interactive", {**body, "callback_id": callback, "action_ts": new_ts()})
        return answer

    async def submit(self, team: Workspace, view: Json, user: User, words: str) -> Envelope:
        """Fill in a form and send it."""
        (box,) = [one for one in view["blocks"] if one["type"] == "input"]
        values = {box["block_id"]: {box["element"]["action_id"]: {"type": "plain_text_input", "value": words}}}
        state = {"id": new_id("V"), "type": "modal", "state": {"values": values}}
        body = {"type": "view_submission", "team": {"id": team.id}, "user": {"id": user.id, "team_id": team.id}}
        return await self.sockets.deliver(team, "interactive", {**body, "view": {**view, **state}})

    async def shortcut(self, team: Workspace, callback: str, user: User) -> None:
        """Use a global shortcut, which no channel comes along with."""
        body = {"type": "shortcut", "team": {"id": team.id}, "user": {"id": user.id, "team_id": team.id}}
        more = {"callback_id": callback, "trigger_id": self._trigger(), "action_ts": new_ts()}
        await self.sockets.deliver(team, "interactive", {**body, **more})

    async def at_home(self, team: Workspace, user: User, action_id: str, value: str) -> None:
        """Press a button of the App Home, or write into its box."""
        view = {"id": "V0HOME", "app_installed_team_id": team.id, **team.homes[user.id]}
        body = {"type": "block_actions", "team": {"id": team.id}, "user": {"id": user.id, "team_id": team.id}}
        action = {"action_id": action_id, "block_id": "b", "value": value, "action_ts": new_ts()}
        about = {"trigger_id": self._trigger(), "container": {"type": "view", "view_id": "V0HOME"}, "view": view}
        await self.sockets.deliver(team, "interactive", {**body, **about, "actions": [action]})

    def _trigger(self) -> str:
        """Give an id that opens one form, within three seconds."""
        made = secrets.token_hex(6)
        self.triggers[made] = time.monotonic()
        return made

    def _interaction(self, team: Workspace, message: Message, user: User, kind: str, url: str) -> Json:
        return {
            "type": kind,
            "team": {"id": team.id, "domain": "keystone"},
            "user": {"id": user.id, "name": user.name.lower(), "team_id": team.id},
            "channel": {"id": message.channel.id, "name": message.channel.name},
            "message": message.json(),
            "trigger_id": self._trigger(),
            "response_url": url,
        }

    def _response_url(self, channel: Channel, user: User, pressed: Message | None = None) -> tuple[ResponseUrl, str]:
        key = secrets.token_hex(6)
        self.response_urls[key] = ResponseUrl(channel, user, pressed)
        return self.response_urls[key], f"{self.url}/respond/{key}"

    async def _respond(self, request: web.Request) -> web.Response:
        answer, sent = self.response_urls[request.match_info["key"]], await request.json()
        if answer.left <= 0 or self.hooks_closed:
            return web.Response(status=404, text="used_url")
        answer.left -= 1
        team = next(one for one in self.teams if answer.channel.id in one.channels)
        found = slack_blocks.complaints(sent.get("blocks") or [], team.files)
        if not self.shows_pictures and any(one["type"] == "image" for one in sent.get("blocks") or []):
            return web.Response(status=400, text="invalid_blocks")
        self.wrongs += slack_blocks.pings(sent) + found
        if sent.get("response_type") != "ephemeral":
            self.wrongs.append("a response_url used for all to see")
        self._say(answer, team, sent)
        self.moved()
        if self.forgets_to_answer("response_url"):
            return web.Response(status=500, text="<html>")
        return web.Response(text="ok")

    def _say(self, answer: ResponseUrl, team: Workspace, sent: Json) -> None:
        message = answer.pressed if sent.get("replace_original") else None
        if message is not None and not message.only_for:
            self.wrongs.append("a message of all replaced by one person's")
        if message is None:
            message = Message(answer.channel, team.keaton.id, bot=True, thread_ts=sent.get("thread_ts") or "")
            if answer.channel.whisper(message):
                answer.said.append(message)
        message.text, message.blocks, message.only_for = (
            sent.get("text") or "",
            sent.get("blocks") or [],
            answer.user.id,
        )
        message.changed_s.append(time.monotonic())
        message.history.append(message.words)


def _typed(team: Workspace, user: User, command: str, text: str) -> str:
    """Give what is typed behind a command as Slack hands it on: marked, where the manifest says so."""
    entry = MANIFEST[MANIFEST.index(f"command: {command}\n") :]
    if entry[entry.index("should_escape: ") :].startswith("should_escape: false"):
        return text
    people = {f"@{one.name}": f"<@{one.id}|{one.name.lower().replace(' ', '.')}>" for one in team.users.values()}
    rooms = [one for one in team.channels.values() if not one.is_private or user.id in one.members(team)]
    names = people | {f"#{one.name}": f"<#{one.id}|{one.name}>" for one in rooms}
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w<|]){re.escape(name)}(?!\w)", names[name], text)
    return typed(text)
