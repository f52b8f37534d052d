"""Slash commands, shortcuts and button presses."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.doors.requests import Unnumbered
from bot.slack import messages
from bot.slack.config import DOOR
from bot.slack.messages import asked
from bot.slack.render import INVITE, NO_TALK, card, plain, pressed_id
from bot.slack.targets import SavedSlackTarget, ThreadTarget, keeper, mark
from bot.slack.whispers import EphemeralTarget
from core.conversation.commands import find
from core.errors import VideoUnavailable
from core.model.actions import refines
from core.model.events import Action, Find, LinkPosted, ListVideos, Switch, Turn, Unclear
from core.model.reply import Reply
from core.model.requests import MessageKey
from core.model.video import View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.doors.requests import AcceptedRequest
    from bot.slack.config import Workspace
    from bot.slack.desk import SlackDesk
    from bot.slack.whispers import ToOne, Whisper
    from core.errors import AppError
    from core.model.events import Incoming

Json: TypeAlias = dict[str, Any]
FIND, KEATON = "/find", "/keaton"
INDEX_MESSAGE = "index_message"

logger = logging.getLogger(__name__)


class Wordless:
    """A /find that says nothing to look for: it is asked for by a form."""


WORDLESS: Final = Wordless()


class SlackCommands:
    """Answers what people do other than writing messages."""

    def __init__(self, desk: SlackDesk) -> None:
        self._desk = desk

    async def note_find(self, body: Json) -> AcceptedRequest | Wordless | None:
        """Write /find down, before it is acknowledged; None when Slack sends it once more."""
        words = self._desk.people.quoted(plain(body.get("text") or ""))
        if not words.strip():
            is_new = await self._desk.is_new(body["channel_id"], body["trigger_id"])
            return WORDLESS if is_new else None
        return await self._note(body, lambda turn: find(turn, words))

    async def note_keaton(self, body: Json) -> AcceptedRequest | None:
        """Write /keaton down, before it is acknowledged; None when Slack sends it once more."""
        words = plain(body.get("text") or "")
        return await self._note(body, lambda turn: commanded(turn, words, self._desk.workspace))

    async def _note(self, body: Json, event_of: Callable[[Turn], Incoming]) -> AcceptedRequest | None:
        turn = self.turn(body["channel_id"], {"id": body["user_id"], "name": body.get("user_name")})
        return await self._take(body, event_of(turn), _saved(body))

    async def _take(
        self, body: Json, event: Incoming, saved: SavedSlackTarget, item: str = ""
    ) -> AcceptedRequest | None:
        key = MessageKey(event.turn.scope, "", f"trigger:{body['trigger_id']}{item}")
        return await self._desk.requests.take(key, event, saved.json())

    async def command(self, body: Json, taken: AcceptedRequest) -> None:
        """Answer /find or /keaton."""
        channel = body["channel_id"]
        whisper = self._desk.answers.whisper(channel, body["user_id"], url=body["response_url"])
        if await self.is_elsewhere(body):
            await whisper(card(Reply(NO_TALK.format(name=self._desk.workspace.name), tone="error", private=True)))
        else:
            event = replace(taken.event, turn=await self._desk.turn(channel, body["user_id"]))
            if isinstance(event, ListVideos):
                await self._desk.answers.answer_taken(
                    replace(taken, event=event), EphemeralTarget(self._desk.slack, whisper)
                )
                return
            place = self._place(channel, "", whisper, is_private=not is_public(event))
            await self._answer(replace(taken, event=event), self._kept(place, taken, _saved(body)))
            return
        await self._desk.requests.end(taken)

    async def is_elsewhere(self, body: Json) -> bool:
        """Tell whether a command came in a talk between others, where nobody can invite Keaton."""
        channel, name = body["channel_id"], str(body.get("channel_name") or "")
        is_talk = channel.startswith("D") or name.startswith("mpdm-")
        return is_talk and not await self._desk.membership.is_inside(channel)

    def _kept(self, place: ThreadTarget, taken: AcceptedRequest, saved: SavedSlackTarget) -> ThreadTarget:
        """Let a later run find the answer again."""
        draw_turn, keep = self._desk.answers.draw_order.of(taken), keeper(self._desk.requests, taken, saved)
        return replace(place, on_posted=keep, draw_turn=draw_turn, about=mark(taken))

    async def _answer(self, taken: AcceptedRequest, place: ThreadTarget) -> None:
        """Answer in a channel, or say that Keaton is not in it."""
        if place.is_private or place.outside is None or await self._desk.membership.is_inside(place.channel):
            await self._desk.answers.answer_taken(taken, place)
        else:
            await place.outside()
            await self._desk.requests.end(taken)

    def _place(self, channel: str, thread_ts: str, whisper: Whisper, *, is_private: bool = False) -> ThreadTarget:
        async def outside() -> None:
            self._desk.membership.left(channel)
            text = INVITE.format(name=self._desk.workspace.name)
            await whisper(card(Reply(text, tone="error", private=True)))

        where = self._desk.slack, channel, thread_ts, whisper, _ignore, Unnumbered()
        return ThreadTarget(*where, is_private=is_private, outside=outside)

    async def note_press(self, body: Json) -> AcceptedRequest | None:
        """Write the press of a button down, before it is acknowledged; None when Slack sends it once more."""
        pressed = body["actions"][0]
        turn = self.turn(body["container"]["channel_id"], body["user"])
        box = body["container"]
        # What refines an answer is written in the thread that it stands in.
        chosen = pressed_id(pressed)
        where = (refines(chosen) and box.get("thread_ts")) or box["message_ts"]
        event = Action(turn, chosen, under=str(where))
        return await self._take(body, event, _pressed(body), f":{pressed.get('action_ts', '')}")

    def turn(self, channel: str, user: Json) -> Turn:
        """Return the turn of a person whom Slack names by the way: who it is exactly takes it too long to say."""
        scope = self._desk.workspace.scope(channel)
        name = str(user.get("username") or user.get("name") or "")
        return Turn(DOOR, scope, View.of(scope), user["id"], name, "")

    async def press(self, body: Json, taken: AcceptedRequest) -> None:
        """Answer the press of a button."""
        draw_turn = self._desk.answers.draw_order.of(taken)
        turn = await self._desk.turn(body["container"]["channel_id"], body["user"]["id"])
        pressed = taken.event
        if isinstance(pressed, Action):
            taken = replace(taken, event=await self._desk.answers.vouched(replace(pressed, turn=turn), taken.job))
        saved, box = _pressed(body), body["container"]
        whisper = self._desk.answers.whisper(
            box["channel_id"], body["user"]["id"], saved.thread_ts, body["response_url"]
        )
        await self._desk.answers.press(taken, draw_turn, saved, whisper, whisper.redraw)

    async def note_index(self, body: Json) -> list[AcceptedRequest] | None:
        """Write the videos of a message whose menu was used down, before that is acknowledged; None for a repetition.

        Slack is asked for nothing before: names, and what files are that it has not described, are asked for later.
        """
        message = messages.read_any(body["message"], body["channel"]["id"], body["user"]["id"])
        items = self._desk.videos_unasked(message)
        saved = SavedSlackTarget(message.root_ts)
        found = [await self._take(body, item.event, saved, f":{item.name}") for item in items]
        taken = [one for one in found if one is not None]
        is_new = bool(taken) or (not items and await self._desk.is_new(body["channel"]["id"], body["trigger_id"]))
        return taken if is_new else None

    async def index_message(self, body: Json, taken: list[AcceptedRequest]) -> None:
        """Look at the videos of a message whose menu was used, whether the channel is on or not."""
        channel, whisper = body["channel"]["id"], self._menu_whisper(body)
        if not taken:
            await whisper(card(replies.problem(VideoUnavailable("", "no_video"))))
        thread_ts = body["message"].get("thread_ts") or body["message"]["ts"]
        for one in taken:
            place = self._kept(self._place(channel, thread_ts, whisper), one, SavedSlackTarget(thread_ts))
            self._desk.tasks.start(self._index(one, place))

    async def refuse(self, body: Json, error: AppError) -> None:
        """Say to the person who asked for something, and nobody else, why it could not even be written down."""
        await self._whisper_to(body)(card(replies.problem(error)))

    def _whisper_to(self, body: Json) -> ToOne:
        """Return a way to the person who used a command, a button, a menu or a form."""
        if "view" in body:
            about = json.loads(body["view"]["private_metadata"])
            where = about["channel"], body["user"]["id"], about.get("in_thread", ""), about.get("response_url", "")
            return self._desk.answers.whisper(*where)
        if "container" in body:
            where = body["container"]["channel_id"], body["user"]["id"], _pressed(body).thread_ts, body["response_url"]
            return self._desk.answers.whisper(*where)
        if "channel_id" in body:
            return self._desk.answers.whisper(body["channel_id"], body["user_id"], url=body["response_url"])
        return self._menu_whisper(body)

    def _menu_whisper(self, body: Json) -> ToOne:
        thread_ts = body["message"].get("thread_ts") or ""
        return self._desk.answers.whisper(body["channel"]["id"], body["user"]["id"], thread_ts, body["response_url"])

    async def _index(self, taken: AcceptedRequest, place: ThreadTarget) -> None:
        event = await self._desk.asked_about(taken.event)
        if event is None:
            await place.whisper(card(replies.problem(VideoUnavailable("", "no_video"))))
            await self._desk.requests.drop(taken.job)
            return
        await self._answer(replace(taken, event=event), place)

    async def answer_at(self, taken: AcceptedRequest, user_id: str, saved: SavedSlackTarget, whisper: Whisper) -> None:
        """Answer what was asked for in a form or on the App Home, as a message in the thread or channel."""
        channel = taken.event.turn.scope.channel
        event = replace(taken.event, turn=await self._desk.turn(channel, user_id))
        place = self._place(channel, saved.thread_ts, whisper)
        await self._answer(replace(taken, event=event), self._kept(place, taken, saved))


def _saved(body: Json) -> SavedSlackTarget:
    """Keep the words of a search, which may be written as "/keaton find ..." too."""
    words = plain(body.get("text") or "").strip()
    name, _, rest = words.partition(" ")
    is_named = body.get("command") == KEATON and name.lower().removeprefix("/") == "find"
    return SavedSlackTarget(words=rest if is_named else words)


def _pressed(body: Json) -> SavedSlackTarget:
    box = body["container"]
    return SavedSlackTarget(
        str(box.get("thread_ts") or ""), str(box["message_ts"]), alone=bool(box.get("is_ephemeral"))
    )


async def _ignore(_ts: str) -> None:
    return


def commanded(turn: Turn, words: str, workspace: Workspace) -> Incoming:
    """Return the event that words behind /keaton ask for: a command, or links; no other words are a search."""
    event = asked(turn, words, workspace)
    name = words.strip().removeprefix("/").partition(" ")[0].lower()
    return Unclear(turn, words) if isinstance(event, Find) and name != "find" else event


def is_public(event: Incoming) -> bool:
    """Tell whether the answer to a command is for the whole channel."""
    return isinstance(event, Find | LinkPosted | Switch)
