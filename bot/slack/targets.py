"""Where replies appear on Slack: a message in a channel or thread, a pressed message, or one for the asker alone.

An ephemeral message can be edited only by the URL that a press of its own buttons brings, five times within half an
hour. A `SavedSlackTarget` is stored with the request, for a later run.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bot.doors.delivery import NotNow, sent_whole
from bot.doors.targets import PressTarget, RecordingTarget, SavedTarget
from bot.slack.permissions import OUTSIDE
from bot.slack.refusals import (
    OUT_OF_REACH,
    TRANSIENT,
    PicturesRefusedError,
    RefusedError,
    why_not_posted,
)
from bot.slack.render import card
from bot.slack.sender import Where
from bot.slack.whispers import EphemeralTarget
from core.model.events import Action
from core.model.reply import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.doors.requests import AcceptedRequest, DrawTurn, RequestLog
    from bot.slack.pictures import Pictures
    from bot.slack.render import SlackCard
    from bot.slack.sender import Slack
    from bot.slack.whispers import Whisper
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.retention import ShownMessages

    Draw = Callable[[SlackCard], Awaitable[None]]

logger = logging.getLogger(__name__)

_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_FILE = "file:"


@dataclass(slots=True)
class ThreadTarget:
    """One message of Keaton's in a channel or thread, edited in place; what is private is whispered."""

    slack: Slack
    channel: str
    thread_ts: str
    """Of the thread that it stands in, or "" for the channel itself."""
    whisper: Whisper
    """Shows a card to the asker alone."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of Keaton's message once it is there, and "" once it is gone."""
    draw_turn: DrawTurn
    """Whether the answer still may be drawn there."""
    posted: str = ""
    """The ts of Keaton's message, where there is one."""
    is_private: bool = False
    """All of it is for the asker alone."""
    outside: Callable[[], Awaitable[None]] | None = None
    """Says that Keaton is not in the channel, where nobody can know before."""
    about: str = ""
    """What it answers, as its mark."""
    asked_at: str = ""
    """Where people can see the message that it answers: a private word may stand elsewhere."""
    asked_aloud: bool = False
    """It answers a message, whose writer need not be told the same again and again."""
    beside: tuple[str, ...] = ()
    """The ids of files that the last reply brought into the thread."""
    _is_outside: bool = False
    _alone: EphemeralTarget | None = None
    """Shows what Slack does not let be said in the channel."""
    _files: tuple[str, ...] = ()

    @property
    def is_posted(self) -> bool:
        """Tell whether Keaton's message stands."""
        return bool(self.posted)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the ts of Keaton's message and its files, unless it is for one person's eyes or not there."""
        return ("", ()) if self.is_private else (self.posted, self._files)

    async def post(self, reply: Reply) -> None:
        """Show the first reply, or go on in what an earlier run has posted."""
        if not (reply.repeats and self.asked_aloud):
            await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        if self._alone is not None:
            if reply.progress is None:
                await self._alone.edit(reply)
                self.beside = self._alone.beside
        elif self.is_private or reply.private:
            if await self._clear():
                await self.whisper(card(self._with_place(reply)))
        else:
            try:
                where = Where(self.channel, self.thread_ts, self.posted)
                self.beside = await self.slack.lay_out(reply, self._send, where)
            except RefusedError as error:
                await self._refused(reply, error.reason)

    def _with_place(self, reply: Reply) -> Reply:
        """Name the message that it answers, where that may be anywhere in the channel."""
        return replace(reply, links=(*reply.links, Link(self.asked_at, "Your message"))) if self.asked_at else reply

    async def _refused(self, reply: Reply, reason: str) -> None:
        """Tell the asker alone what cannot be said in the channel, and why; how far a thing is can wait."""
        if _may_pass(reply, reason):
            raise NotNow(reason)
        logger.info("an answer cannot be shown in its channel: %s", reason)
        if self._alone is None:
            self._alone = EphemeralTarget(self.slack, self.whisper, note=why_not_posted(reason))
            if reply.progress is None:
                await self._alone.post(reply)
                self.beside = self._alone.beside

    async def _clear(self) -> bool:
        """Take the message back, where there is one; tell whether that was for this answer to do."""
        async with self.draw_turn.at(self.posted) as may:
            if may and self.posted:
                await self.slack.remove(self.channel, self.posted)
                self.posted = ""
                await self.on_posted("")
        return may

    async def _send(self, shown: SlackCard) -> str:
        if self._is_outside:
            return ""
        if self.posted:
            try:
                return await self._redraw(self.posted, shown)
            except PicturesRefusedError:
                raise
            except RefusedError as error:
                if error.reason not in _GONE:
                    raise
                self.posted = ""  # a person deleted it: the outcome is still worth saying
        return await sent_whole(self._send_new(shown))

    async def _redraw(self, ts: str, shown: SlackCard) -> str:
        async with self.draw_turn.at(ts) as may:
            if not may:
                return ts
            await self.slack.update(self.channel, ts, shown)
            self._files = shown.files
        await _stand(self.slack, ts, shown)
        return ts

    async def _send_new(self, shown: SlackCard) -> str:
        try:
            sent = await self.slack.post(self.channel, self.thread_ts, shown, self.about)
        except PicturesRefusedError:
            raise
        except RefusedError as error:
            if error.reason not in OUTSIDE:
                raise
            self._is_outside = True
            if self.outside is not None:
                await self.outside()
            return ""
        self._files = shown.files
        self.posted = sent
        await _stand(self.slack, sent, shown)
        await self.on_posted(self.posted)
        return self.posted


@dataclass(slots=True)
class SlackPressTarget(PressTarget):
    """The message whose button was pressed."""

    failures = (RefusedError,)

    slack: Slack
    channel: str
    ts: str
    thread_ts: str
    whisper: Whisper
    draw_turn: DrawTurn
    """Whether no later press decides what stands there."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of a message of this press's own once it is there, and "" once it is gone."""
    own: str = ""
    """The ts of that message, which all see."""
    about: str = ""
    """What it answers, as its mark."""
    beside: tuple[str, ...] = ()
    """The ids of files that the last reply brought into the thread."""
    _alone: EphemeralTarget | None = None
    """Shows what Slack does not let be said there."""
    _files: tuple[str, ...] = ()

    @property
    def is_posted(self) -> bool:
        """Tell that the message stands whose button was pressed."""
        return True

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the ts of the message that shows it, and its files."""
        return self.own or self.ts, self._files

    async def post(self, reply: Reply) -> None:
        """Show the first reply: where the button is, to the presser, or to all in a message of its own."""
        if self._alone is not None:
            if reply.progress is None:
                await self._alone.edit(reply)
                self.beside = self._alone.beside
            return
        try:
            await self.route(reply)
        except RefusedError as error:
            if _may_pass(reply, error.reason):
                raise NotNow(error.reason) from error
            logger.info("what a press asked for cannot be shown: %s", error.reason)
            if reply.progress is None:
                self._alone = EphemeralTarget(self.slack, self.whisper, note=why_not_posted(error.reason))
                await self._alone.post(reply)
                self.beside = self._alone.beside

    async def redraw(self, reply: Reply) -> None:
        """Show a reply in the message that holds the button."""
        self.beside = await self.slack.lay_out(reply, self._redraw, Where(self.channel, self.thread_ts, self.ts))

    async def tell(self, reply: Reply) -> None:
        """Show a reply to the presser alone."""
        await self.whisper(card(reply))

    async def speak(self, reply: Reply) -> None:
        """Show a reply to all, in a message of its own."""
        where = Where(self.channel, self.thread_ts or self.ts, self.own)
        self.beside = await self.slack.lay_out(reply, self._speak, where)

    async def withdraw(self) -> None:
        """Take the message of its own back, where there is one."""
        if self.own:
            await self.slack.remove(self.channel, self.own)
            self.own = ""
            await self.on_posted("")

    async def edit(self, reply: Reply) -> None:
        """Show the next reply."""
        await self.post(reply)

    async def _redraw(self, shown: SlackCard) -> str:
        return await self._draw(self.ts, shown) or ""

    async def _speak(self, shown: SlackCard) -> str:
        if self.own:
            await self._draw(self.own, shown)
            return self.own
        self._files = shown.files
        self.own = await self.slack.post(self.channel, self.thread_ts or self.ts, shown, self.about)
        await _stand(self.slack, self.own, shown)
        await self.on_posted(self.own)
        return self.own

    async def _draw(self, ts: str, shown: SlackCard) -> str:
        """Change a message where no later press decides what stands there; return its ts, or "" where one does."""
        self._files = shown.files
        async with self.draw_turn.at(ts) as may:
            if not may:
                return ""
            await self.slack.update(self.channel, ts, shown)
        await _stand(self.slack, ts, shown)
        return ts


async def _stand(slack: Slack, ts: str, shown: SlackCard) -> None:
    """Have the pictures go that a message showed before; what only says how far a thing is shows none for a while."""
    if not shown.is_status:
        await slack.pictures.stand(ts, shown.files)


def _may_pass(reply: Reply, reason: str) -> bool:
    """Tell whether a reply is worth another try a moment later, rather than being shown elsewhere."""
    return reason in OUT_OF_REACH or (reply.progress is not None and reason in TRANSIENT)


@dataclass(frozen=True, slots=True)
class SavedSlackTarget(SavedTarget):
    """Where the answer to a command stands, or the message whose button was pressed; fields may be added."""

    thread_ts: str = ""
    """The thread, or "" for the channel itself."""
    ts: str = ""
    """Keaton's message, or "" until Slack said so."""
    words: str = ""
    """What was written behind the command."""
    picture: str = ""
    """The id of the picture that is asked about."""
    own: str = ""
    """A message of a press's own, or "" until Slack said so."""
    alone: bool = False
    """The person who pressed is the only one who sees the message."""


def mark(taken: AcceptedRequest) -> str:
    """Return what marks the answer unseen, to be found again after a crash; "" for what is done in a moment."""
    return f"job:{taken.job.id}" if taken.job else ""


def keeper(requests: RequestLog, taken: AcceptedRequest, saved: SavedSlackTarget) -> Callable[[str], Awaitable[None]]:
    """Return what notes where the answer stands."""

    async def keep(ts: str) -> None:
        now = replace(saved, own=ts) if isinstance(taken.event, Action) else replace(saved, ts=ts)
        await requests.stand(taken, now.json(), "")
        turn = taken.event.turn
        await requests.answered(turn.scope, turn.message, ts)

    return keep


class FileTarget(Protocol):
    """A target that tells which files it brought into a thread."""

    beside: tuple[str, ...]

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the ts of the message and the ids of its files, or "" where it is for one person's eyes."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        ...


class Whispering(FileTarget, Protocol):
    """A target that can show something to the asker alone, too."""

    @property
    def whisper(self) -> Whisper:
        """Return the way to do so."""
        ...


class RecordingFileTarget(RecordingTarget):
    """A target that notes which videos it shows, in its message and below it."""

    def __init__(self, place: FileTarget, shown_messages: ShownMessages, scope: Scope, pictures: Pictures) -> None:
        super().__init__(place, shown_messages, scope)
        self._files_of, self._shown_in = place, (shown_messages, scope)
        self._pictures = pictures

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        await super()._show(reply, draw)
        await self._pictures.settled((*self._files_of.seen_by_all[1], *self._files_of.beside))

    async def _note(self, reply: Reply, noted: str = "") -> str:
        message = await super()._note(reply, noted)
        shown_messages, scope = self._shown_in
        for file_id in self._files_of.beside if reply.videos else ():
            await shown_messages.show(scope, file_message(file_id), reply.videos, (file_id,))
        return message


def file_message(file_id: str) -> str:
    """Return the name under which a file of its own is noted, in the place of a message's ts."""
    return _FILE + file_id


def is_file(message: str) -> bool:
    """Tell whether what was noted is a file of its own, and no message that could be changed."""
    return message.startswith(_FILE)
