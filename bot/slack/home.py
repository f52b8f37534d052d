"""The App Home and the forms: what is asked for beside commands and messages.

The App Home has a search, a switch for each channel, status, videos and help. It shows what its reader may see: the
channels that both they and Keaton are in. Answers come as direct messages.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.doors.messages import is_picture
from bot.slack.refusals import FAILURES, PAYLOAD, reason_of
from bot.slack.render import NO_FORM, UNTOLD, card, escaped, plain
from bot.slack.targets import SavedSlackTarget
from core.conversation.commands import find
from core.model.actions import Page, read
from core.model.events import Action, Help, ListVideos, Status, Switch
from core.model.reply import Reply
from core.model.requests import MessageKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.slack.commands import SlackCommands
    from bot.slack.config import Workspace
    from bot.slack.desk import SlackDesk
    from bot.slack.permissions import Rooms
    from bot.slack.render import Shot
    from bot.slack.thumbnails import Thumbnails
    from bot.slack.whispers import Whisper
    from core.model.events import Find, Incoming, Turn

Json: TypeAlias = dict[str, Any]
FIND: Final = "home_find"
SWITCH: Final = "home_switch"
LIST: Final = "home_list"
WORDS: Final = "words"
_MOST_CHANNELS: Final = 40
_MOST_TEXT: Final = 2900

logger = logging.getLogger(__name__)

FIND_ANYWHERE, FIND_FROM_MESSAGE = "find_anywhere", "find_from_message"
_WORDS = "words"
_WITHOUT = "What do you want to see?"
_WITH_PICTURE = "What do you want to see, beside this picture?"


@dataclass(frozen=True, slots=True)
class HomeChannel:
    """A channel that a person and Keaton are both in."""

    id: str
    name: str
    on: bool
    """Keaton looks at what is posted there."""


class Home:
    """Draws the page."""

    def __init__(
        self, parts: DoorContext, client: AsyncWebClient, rooms: Rooms, workspace: Workspace, thumbnails: Thumbnails
    ) -> None:
        self._parts = parts
        self._client = client
        self._rooms = rooms
        self._workspace = workspace
        self._thumbnails = thumbnails
        self._drawn: dict[str, object] = {}
        """By the person, which drawing of their page is the newest one under way."""

    async def publish(self, turn: Turn, number: int = 1) -> None:
        """Show a person their page, and of the list that page; `turn` is theirs, in their talk with Keaton."""
        try:
            joined = await self._rooms.shared_with(turn.user_id)
        except FAILURES as error:
            logger.info("Slack does not tell who is in which channel: %s", reason_of(error))
            joined = ()
        rooms = [HomeChannel(one, name, await self._is_on(one)) for one, name in joined[:_MOST_CHANNELS]]
        asked = ListVideos(turn) if number == 1 else Action(turn, Page(number).id())
        listed = await self._reply(asked)
        parts = HomeParts(rooms, listed, await self._said(Status(turn)), await self._said(Help(turn)))
        await self._draw(turn, parts)

    async def _draw(self, turn: Turn, parts: HomeParts) -> None:
        """Show a page at once, and again once pictures are uploaded that are new to its reader."""
        drawing = self._drawn[turn.user_id] = object()
        shots = await self._thumbnails.kept(turn.user_id, parts.videos)
        if not await self._show(turn, parts, shots):
            await self._thumbnails.drop(turn, shots)
            shots = ()
            await self._show(turn, parts, shots)
        if len(shots) < len(parts.videos.pictures):
            now = await self._thumbnails.upload(turn, parts.videos)
            if len(now) > len(shots) and self._drawn.get(turn.user_id) is drawing:
                await self._show(turn, parts, now)
        if self._drawn.get(turn.user_id) is drawing:
            del self._drawn[turn.user_id]

    async def _show(self, turn: Turn, parts: HomeParts, shots: Sequence[Shot]) -> bool:
        """Publish a page; return False where Slack may take it without its pictures."""
        view = page(turn.scope.channel, parts, self._workspace.missing, shots)
        try:
            await self._client.views_publish(user_id=turn.user_id, view=view)
        except FAILURES as error:
            reason = reason_of(error)
            logger.info("Slack does not take the App Home: %s", reason)
            return not (shots and reason in PAYLOAD)
        return True

    async def _is_on(self, channel: str) -> bool:
        return await self._parts.channels.is_on(self._workspace.scope(channel))

    async def _said(self, event: Incoming) -> str:
        """Return the words of the last reply to an event."""
        last = await self._reply(event)
        return "\n".join(part for part in (last.title, last.text) if part)

    async def _reply(self, event: Incoming) -> Reply:
        """Return the last reply to an event."""
        last = Reply("")
        opened = await self._rooms.opened(event)
        async for reply in self._parts.conversation.handle(opened.event):
            last = reply
        return last


@dataclass(frozen=True, slots=True)
class HomeParts:
    """What the page says."""

    rooms: list[HomeChannel]
    videos: Reply
    """A page of the list."""
    status: str
    help: str


def page(talk: str, parts: HomeParts, missing: tuple[str, ...], shots: Sequence[Shot] = ()) -> Json:
    """Lay the page out; `talk` is the channel of the direct messages with the person who sees it."""
    blocks: list[Json] = [_search(), _heading("Channels")]
    blocks += [_switch(room) for room in parts.rooms] or [_text("You and I share no channel yet. Invite me to one.")]
    blocks += [_heading("Videos"), *_videos(parts.videos, shots), _heading("Status"), _text(parts.status)]
    if missing:
        blocks += [_heading("Permissions"), _text(f"I lack {', '.join(missing)}. Install me anew from my manifest.")]
    blocks += [_heading("Help"), _text(parts.help)]
    return {"type": "home", "private_metadata": json.dumps({"channel": talk}), "blocks": blocks}


def _videos(listed: Reply, shots: Sequence[Shot]) -> list[Json]:
    """Lay a page of the list out, each video with its picture and the link to its message; buttons turn the pages."""
    buttons = []
    for one in listed.buttons:
        wish = read(one.id)
        if isinstance(wish, Page):
            buttons.append(replace(one, id=f"{LIST}:{wish.number}"))
    return list(card(replace(listed, buttons=tuple(buttons), pictures=()), shots).blocks)


def _search() -> Json:
    box = {
        "type": "plain_text_input",
        "action_id": FIND,
        "max_length": 300,
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        "placeholder": {"type": "plain_text", "text": "a woman in water"},
    }
    label = {"type": "plain_text", "text": "Find a moment; the answer comes in our direct messages"}
    return {"type": "input", "block_id": WORDS, "dispatch_action": True, "label": label, "element": box}


def _switch(room: HomeChannel) -> Json:
    """Show how a channel stands, beside a button that switches it."""
    stands = "I look at every video that is posted there." if room.on else "I leave it alone."
    label = {"type": "plain_text", "text": "Switch off" if room.on else "Switch on"}
    button = {"type": "button", "action_id": f"{SWITCH}:{room.id}", "value": "off" if room.on else "on", "text": label}
    return {**_text(f"#{room.name}: {stands}"), "accessory": button}


def _heading(words: str) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": words}}


def _text(words: str) -> Json:
    whole = escaped(words)
    shown = whole if len(whole) <= _MOST_TEXT else whole[: whole.rindex("\n", 0, _MOST_TEXT)] + "\n…"
    return {"type": "section", "text": {"type": "plain_text", "text": shown, "emoji": False}}


class Forms:
    """Opens them, and takes what people write there."""

    def __init__(self, desk: SlackDesk, client: AsyncWebClient, commands: SlackCommands, page: Home) -> None:
        self._desk = desk
        self._client = client
        self._commands = commands
        self._page = page

    async def ask_about_message(self, body: Json) -> None:
        """Ask what to look for: the way to search from within a thread, where Slack refuses commands."""
        about = {
            "channel": body["channel"]["id"],
            "thread_ts": body["message"].get("thread_ts") or body["message"]["ts"],
            "in_thread": body["message"].get("thread_ts") or "",
            "response_url": body["response_url"],
        }
        files = body["message"].get("files") or ()
        pictures = [one for one in files if is_picture(str(one.get("name") or ""), str(one.get("mimetype") or ""))]
        if pictures:
            about["picture"] = str(pictures[0]["id"])
        whisper = self._desk.answers.whisper(
            about["channel"], body["user"]["id"], about["in_thread"], about["response_url"]
        )
        await self._open(body["trigger_id"], about, whisper)

    async def ask_after_command(self, body: Json) -> None:
        """Ask what to look for where /find came without words."""
        about = {"channel": body["channel_id"], "thread_ts": "", "response_url": body["response_url"]}
        whisper = self._desk.answers.whisper(about["channel"], body["user_id"], url=about["response_url"])
        await self._open(body["trigger_id"], about, whisper)

    async def ask_anywhere(self, body: Json) -> None:
        """Ask what to look for in all channels that a person shares with Keaton; they are answered directly."""
        user_id = body["user"]["id"]
        talk = await self._talk(user_id)
        about = {"channel": talk, "thread_ts": "", "response_url": ""}
        await self._open(body["trigger_id"], about, self._desk.answers.whisper(talk, user_id))

    async def _talk(self, user_id: str) -> str:
        """Return the direct messages with a person; where Slack does not open them now, the id that posting opens."""
        try:
            return await self._desk.talk(user_id)
        except FAILURES as error:
            logger.info("Slack does not open direct messages: %s", reason_of(error))
            return user_id

    async def _open(self, trigger_id: str, about: Json, whisper: Whisper) -> None:
        """Open the form; where Slack does not let, say how else one searches there."""
        try:
            await self._client.views_open(trigger_id=trigger_id, view=form(about))
        except FAILURES as error:
            logger.info("Slack does not open a form: %s", reason_of(error))
            text = NO_FORM.format(name=self._desk.workspace.name)
            await whisper(card(Reply(text, tone="error", private=True)))

    async def note_words(self, body: Json) -> AcceptedRequest | None:
        """Write the search that such a form asks for down, before it is acknowledged."""
        about = json.loads(body["view"]["private_metadata"])
        saved = _asked(body["view"], about)
        picture = self._desk.picture_later(saved.picture) if saved.picture else None
        turn = self._commands.turn(about["channel"], body["user"])
        event = replace(find(turn, saved.words), picture=picture)
        key = MessageKey(turn.scope, "", f"view:{body['view']['id']}")
        return await self._desk.requests.take(key, event, saved.json())

    async def find_words(self, body: Json, taken: AcceptedRequest) -> None:
        """Search for the words of that form, and answer where it was opened."""
        about, user_id = json.loads(body["view"]["private_metadata"]), body["user"]["id"]
        channel = about["channel"]
        if channel == user_id:  # it was opened while Slack opened no direct messages
            channel = await self._talk(user_id)
            taken = replace(taken, event=replace(taken.event, turn=self._commands.turn(channel, body["user"])))
        whisper = self._desk.answers.whisper(channel, user_id, about.get("in_thread", ""), about["response_url"])
        await self._commands.answer_at(taken, body["user"]["id"], _asked(body["view"], about), whisper)

    async def note_home(self, body: Json) -> AcceptedRequest | None:
        """Write what a person wants on their page down: a search, or a channel to be switched."""
        pressed, talk = body["actions"][0], json.loads(body["view"]["private_metadata"])["channel"]
        item = f"trigger:{body['trigger_id']}:{pressed.get('action_ts', '')}"
        words, saved = plain(str(pressed.get("value") or "")), SavedSlackTarget()
        if pressed["action_id"] == FIND:
            turn, saved = self._commands.turn(talk, body["user"]), SavedSlackTarget(words=words)
            event: Find | Switch = find(turn, words)
        else:
            turn = self._commands.turn(pressed["action_id"].partition(":")[2], body["user"])
            event = Switch(turn, words == "on")
        return await self._desk.requests.take(MessageKey(turn.scope, "", item), event, saved.json())

    async def home(self, body: Json, taken: AcceptedRequest) -> None:
        """Answer that: a search directly, a switch for all to see in its channel; then the page is drawn anew."""
        user_id, talk = body["user"]["id"], json.loads(body["view"]["private_metadata"])["channel"]
        channel = taken.event.turn.scope.channel
        if channel != talk and not await self._may_switch(user_id, channel, talk):
            await self._desk.requests.drop(taken.job)
            return
        saved = (
            SavedSlackTarget(words=plain(str(body["actions"][0].get("value") or "")))
            if channel == talk
            else SavedSlackTarget()
        )
        whisper = self._desk.answers.whisper(channel, user_id)
        await self._commands.answer_at(taken, user_id, saved, whisper)
        await self.show_home(user_id, talk)

    async def _may_switch(self, user_id: str, channel: str, talk: str) -> bool:
        """Tell whether a person is in a channel; where Slack does not tell, say so to them."""
        try:
            return await self._desk.shares(user_id, channel)
        except FAILURES as error:
            logger.info("Slack does not tell who is in a channel: %s", reason_of(error))
            await self._desk.answers.whisper(talk, user_id)(card(Reply(UNTOLD, tone="error", private=True)))
            return False

    async def turn_page(self, body: Json) -> None:
        """Show another page of the list of videos."""
        talk = json.loads(body["view"]["private_metadata"])["channel"]
        number = int(body["actions"][0]["action_id"].partition(":")[2])
        await self._page.publish(await self._desk.turn(talk, body["user"]["id"]), number)

    async def show_home(self, user_id: str, talk: str) -> None:
        """Draw a person's page."""
        await self._page.publish(await self._desk.turn(talk, user_id))


def _asked(view: Json, about: Json) -> SavedSlackTarget:
    words = plain(view["state"]["values"][_WORDS][_WORDS]["value"] or "")
    return SavedSlackTarget(about["thread_ts"], words=words, picture=about.get("picture", ""))


def form(about: Json) -> Json:
    """Return the form that asks for words."""
    box = {"type": "plain_text_input", "action_id": _WORDS, "max_length": 300, "focus_on_load": True}
    return {
        "type": "modal",
        "callback_id": FIND_FROM_MESSAGE,
        "private_metadata": json.dumps(about),
        "title": {"type": "plain_text", "text": "Find a moment"},
        "submit": {"type": "plain_text", "text": "Find"},
        "blocks": [
            {
                "type": "input",
                "block_id": _WORDS,
                "optional": "picture" in about,
                "label": {"type": "plain_text", "text": _WITH_PICTURE if "picture" in about else _WITHOUT},
                "element": box,
            }
        ],
    }
