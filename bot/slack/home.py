"""The App Home: a search, a switch for each channel, status, videos, help.

It shows what its reader may see: the channels that both they and Keaton are in. Answers come as direct messages.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.slack.refusals import FAILURES, PAYLOAD, reason_of
from bot.slack.render import card, escaped
from core.model.actions import Page, read
from core.model.events import Action, Help, ListVideos, Status
from core.model.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import DoorContext
    from bot.slack.config import Workspace
    from bot.slack.permissions import Rooms
    from bot.slack.render import Shot
    from bot.slack.thumbnails import Thumbnails
    from core.model.events import Incoming, Turn

Json: TypeAlias = dict[str, Any]

FIND: Final = "home_find"
SWITCH: Final = "home_switch"
LIST: Final = "home_list"
WORDS: Final = "words"
_MOST_CHANNELS: Final = 40
_MOST_TEXT: Final = 2900

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HomeChannel:
    """A channel that somebody and Keaton are both in."""

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
        """Show somebody their page, and of the list that page; `turn` is theirs, in their talk with Keaton."""
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
