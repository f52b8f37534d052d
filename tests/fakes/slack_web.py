"""Slack's Web API, small: the methods that Keaton uses, with their refusals. Knows no story."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes import slack_blocks
from tests.fakes.slack_uploads import FileApi, RefusedError, channel_of, parsed
from tests.fakes.slack_world import Message, new_ts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.slack import FakeSlack
    from tests.fakes.slack_world import Json, Workspace


TRIGGER_S = 3.0


class WebApi:
    """Answers `/api/METHOD`, and takes uploads."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self._files = FileApi(fake)
        self._methods: dict[str, Callable[[Workspace, Json], Json]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open,
            "users.info": self._user,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.history": self._history,
            "conversations.info": self._channel,
            "conversations.members": self._members,
            "conversations.open": self._open_talk,
            "conversations.replies": self._replies,
            "users.conversations": self._joined,
            "users.list": self._people,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
            "files.info": self._files.info,
            "files.delete": self._files.delete,
            "files.getUploadURLExternal": self._files.address,
            "files.completeUploadExternal": self._files.complete,
            "views.open": self._open_view,
            "views.publish": self._publish,
        }

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/api/{method}", self._call)
        app.router.add_get("/api/{method}", self._call)
        app.router.add_post("/upload/{team}/{file}", self._files.take)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        sent = await _arguments(request)
        if (wait_s := self._fake.limited(method, str(sent.get("channel", "")))) is not None:
            headers = {"Retry-After": str(wait_s)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if method in self._fake.gates:
            await self._fake.gates[method].wait()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self._fake.calls.append((method, sent))
        headers = {}
        try:
            team = self._team(token, method)
            self._refuse(method, sent)
            headers = {"x-oauth-scopes": team.scopes}
            answer = {"ok": True, **self._methods[method](team, sent)}
        except RefusedError as refused:
            answer = refused.answer
            self._fake.refused.append(f"{method}: {refused.answer}")
        await self._fake.tell()
        if self._fake.forgets_to_answer(method):
            return web.Response(status=500, text="<html>", content_type="text/html")
        return web.json_response(answer, headers=headers)

    def _refuse(self, method: str, sent: Json) -> None:
        refusal = self._fake.refusals.get(method, "")
        if error := refusal if isinstance(refusal, str) else refusal(sent):
            raise RefusedError(error)

    def _team(self, token: str, method: str) -> Workspace:
        for team in self._fake.teams:
            if token == (team.app_token if method == "apps.connections.open" else team.bot_token):
                return team
        raise RefusedError("invalid_auth")

    def _auth_test(self, team: Workspace, _sent: Json) -> Json:
        return {
            "url": "https://keystone.slack.example/",
            "team": team.name,
            "user": team.keaton.name,
            "team_id": team.id,
            "user_id": team.keaton.id,
            "bot_id": "B0KEATON",
        }

    def _open(self, team: Workspace, _sent: Json) -> Json:
        return {"url": self._fake.sockets.ticket(team)}

    def _user(self, team: Workspace, sent: Json) -> Json:
        if "users:read" not in team.scopes:
            raise RefusedError("missing_scope", needed="users:read")
        user = team.users.get(sent["user"])
        if user is None:
            raise RefusedError("user_not_found")
        profile = {"display_name": user.name, "real_name": user.name}
        rights = {"is_admin": user.is_admin, "is_owner": False, "is_restricted": user.is_guest}
        return {"user": {"id": user.id, "name": user.name.lower(), "profile": profile, **rights}}

    def _channel(self, team: Workspace, sent: Json) -> Json:
        channel = team.channels.get(sent["channel"])
        if channel is None or (channel.is_private and not channel.keaton_inside):
            raise RefusedError("channel_not_found")
        kind = "groups:read" if channel.is_private else "channels:read"
        if kind not in team.scopes:
            raise RefusedError("missing_scope", needed=kind)
        told = {"id": channel.id, "name": channel.name, "creator": channel.creator, "is_private": channel.is_private}
        return {"channel": told}

    def _members(self, team: Workspace, sent: Json) -> Json:
        told = self._channel(team, sent)["channel"]
        return {"members": team.channels[told["id"]].members(team)}

    def _open_talk(self, team: Workspace, sent: Json) -> Json:
        if "im:write" not in team.scopes:
            raise RefusedError("missing_scope", needed="im:write")
        return {"channel": {"id": team.talk(sent["users"]).id}}

    def _joined(self, team: Workspace, sent: Json) -> Json:
        user = sent.get("user") or team.keaton.id
        found = [one for one in team.channels.values() if user in one.members(team) and not one.id.startswith("D")]
        shared = [one for one in found if one.keaton_inside or not one.is_private]
        return {"channels": [self._channel(team, {"channel": one.id})["channel"] for one in shared]}

    def _people(self, team: Workspace, _sent: Json) -> Json:
        people = [{"id": one.id, "team_id": team.id, "is_restricted": one.is_guest} for one in team.users.values()]
        return {"members": people}

    def _check(self, team: Workspace, sent: Json) -> None:
        self._fake.wrongs += slack_blocks.pings(sent)
        found = slack_blocks.complaints(sent.get("blocks") or [], team.files)
        if not self._fake.shows_pictures and any(one["type"] == "image" for one in sent.get("blocks") or []):
            found = ["downloading image failed"]
        elif [one for one in found if not one.startswith("invalid slack file")]:
            self._fake.wrongs += found
        if found:
            raise RefusedError("invalid_blocks", response_metadata={"messages": found})
        if not sent.get("text"):
            self._fake.wrongs.append("a message without text for notifications")

    def _fill(self, message: Message, sent: Json) -> None:
        message.text, message.blocks = sent.get("text") or "", sent.get("blocks") or []
        message.changed_s.append(time.monotonic())
        message.history.append(message.words)

    def _post(self, team: Workspace, sent: Json) -> Json:
        channel = channel_of(team, sent)
        self._check(team, sent)
        if sent.get("thread_ts") and sent["thread_ts"] not in channel.messages:
            raise RefusedError("thread_not_found")
        message = Message(channel, team.keaton.id, thread_ts=sent.get("thread_ts") or "", bot=True)
        message.metadata = parsed(sent.get("metadata") or {})
        self._fill(message, sent)
        channel.messages[message.ts] = message
        self._fake.happened(team, channel, message.json())
        return {"channel": channel.id, "ts": message.ts, "message": message.json()}

    def _whisper(self, team: Workspace, sent: Json) -> Json:
        channel = channel_of(team, sent)
        self._check(team, sent)
        if sent["user"] not in channel.members(team):
            raise RefusedError("user_not_in_channel")
        message = Message(channel, team.keaton.id, thread_ts=sent.get("thread_ts") or "", bot=True)
        message.only_for = sent["user"]
        self._fill(message, sent)
        channel.whisper(message)
        return {"message_ts": message.ts}

    def _standing(self, team: Workspace, sent: Json, refusal: str) -> Message:
        message = channel_of(team, sent).messages.get(sent["ts"])
        if message is None:
            raise RefusedError("message_not_found")
        if not message.bot:
            raise RefusedError(refusal)
        return message

    def _update(self, team: Workspace, sent: Json) -> Json:
        message = self._standing(team, sent, "cant_update_message")
        self._check(team, sent)
        self._fill(message, sent)
        changed = {"subtype": "message_changed", "message": message.json(), "ts": new_ts()}
        self._fake.happened(team, message.channel, changed)
        return {"channel": message.channel.id, "ts": message.ts, "text": message.text}

    def _delete(self, team: Workspace, sent: Json) -> Json:
        message = self._standing(team, sent, "cant_delete_message")
        del message.channel.messages[message.ts]
        for file in [team.files[one["id"]] for one in message.files if one["id"] in team.files]:
            file.shares.pop(message.channel.id, None)
        return {"channel": message.channel.id, "ts": message.ts}

    def _history(self, team: Workspace, sent: Json) -> Json:
        channel = channel_of(team, sent)
        whole = sent.get("include_all_metadata") in {True, "1", "true"}
        shown = [one for one in reversed(channel.messages.values()) if not one.thread_ts]
        newest = [{**one.json(), **({"metadata": one.metadata} if whole else {})} for one in shown]
        oldest, latest = float(sent.get("oldest") or 0), float(sent.get("latest") or "inf")
        newest = [one for one in newest if oldest <= float(one["ts"]) <= latest]
        most = int(sent.get("limit") or 100)
        return {"messages": newest[:most], "has_more": len(newest) > most}

    def _replies(self, team: Workspace, sent: Json) -> Json:
        message = channel_of(team, sent).messages.get(sent["ts"])
        if message is None:
            raise RefusedError("thread_not_found")
        self._fake.reread.append(message.ts)
        thread = [one for one in message.channel.messages.values() if one.thread_ts == message.ts]
        shown = [one for one in (message, *thread) if one.ts <= (sent.get("latest") or one.ts)]
        shown = [one for one in shown if one.ts >= (sent.get("oldest") or one.ts)]
        start, limit = int(sent.get("cursor") or 0), int(sent.get("limit") or 1000)
        whole = sent.get("include_all_metadata") in {True, "1", "true"}
        page = [{**one.json(), **({"metadata": one.metadata} if whole else {})} for one in shown[start : start + limit]]
        more = str(start + limit) if start + limit < len(shown) else ""
        return {"messages": page, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _react(self, team: Workspace, sent: Json) -> Json:
        message = self._asked(team, sent)
        if sent["name"] in message.reactions:
            raise RefusedError("already_reacted")
        message.reactions.append(sent["name"])
        self._fake.reacted.append((message.ts, sent["name"]))
        return {}

    def _unreact(self, team: Workspace, sent: Json) -> Json:
        message = self._asked(team, sent)
        if sent["name"] not in message.reactions:
            raise RefusedError("no_reaction")
        message.reactions.remove(sent["name"])
        return {}

    def _asked(self, team: Workspace, sent: Json) -> Message:
        message = channel_of(team, sent).messages.get(sent["timestamp"])
        if message is None:
            raise RefusedError("message_not_found")
        return message

    def _publish(self, team: Workspace, sent: Json) -> Json:
        view = parsed(sent["view"])
        beside = [one["accessory"] for one in view["blocks"] if "accessory" in one]
        ids = [one["action_id"] for one in beside if one["type"] == "button"]
        pictured = [one for one in view["blocks"] if one.get("accessory", {}).get("type") == "image"]
        if found := slack_blocks.complaints(pictured, team.files):
            raise RefusedError("invalid_blocks", response_metadata={"messages": found})
        if view["type"] != "home" or len(view["blocks"]) > 100 or len(ids) != len(set(ids)):
            raise RefusedError("invalid_arguments")
        self._fake.wrongs += slack_blocks.pings({"blocks": [one for one in view["blocks"] if one["type"] == "section"]})
        team.homes[sent["user_id"]] = view
        return {"view": {"id": "V0HOME", **view}}

    def _open_view(self, team: Workspace, sent: Json) -> Json:
        del team
        if time.monotonic() - self._fake.triggers.pop(sent["trigger_id"], 0.0) > TRIGGER_S:
            raise RefusedError("expired_trigger_id")
        view = parsed(sent["view"])
        self._fake.opened.append((sent["trigger_id"], view))
        return {"view": {"id": f"V{len(self._fake.opened)}", **view}}


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        body = await request.json()
    else:
        body = dict(parse_qsl((await request.read()).decode()))
    found: Json = {**request.query, **body}
    if isinstance(found.get("blocks"), str):
        found["blocks"] = json.loads(found["blocks"])
    return found
