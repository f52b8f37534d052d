"""Where replies appear on Slack: a message in a channel or thread, a pressed message, or one for the asker alone.

An ephemeral message can be edited only by the URL that a press of its own buttons brings, five times within half an
hour. A `SavedSlackTarget` is stored with the request, for a later run.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from bot.doors.delivery import sent_whole
from bot.doors.fallback import NotNow
from bot.doors.targets import RecordingTarget
from bot.slack.permissions import OUTSIDE
from bot.slack.refusals import (
    OUT_OF_REACH,
    PAYLOAD,
    TRANSIENT,
    PicturesRefusedError,
    RefusedError,
    why_no_pictures,
    why_not_posted,
)
from bot.slack.render import ALONE, UNSHOWN_ALONE, card
from bot.slack.sender import Where
from core.errors import StorageUnusable
from core.model import actions
from core.model.events import Action
from core.model.reply import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.doors.draw_order import DrawTurn
    from bot.doors.requests import AcceptedRequest, RequestLog
    from bot.slack.render import SlackCard
    from bot.slack.sender import Pictures, Slack
    from bot.slack.whispers import Whisper
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.retention import ShownMessages

    Draw = Callable[[SlackCard], Awaitable[None]]

logger = logging.getLogger(__name__)


_MOST_PROGRESS: Final = 2
"""Of the five times that Slack takes something, so many may say how far a thing is."""


@dataclass(slots=True)
class EphemeralTarget:
    """Shows the replies of one turn to the asker."""

    slack: Slack
    whisper: Whisper
    """Shows a new message to the asker."""
    redraw: Draw | None = None
    """Replaces the message whose button was pressed, where one was; raises RefusedError where that is refused."""
    note: str = ALONE
    """Why nobody else sees it."""
    beside: tuple[str, ...] = ()
    """The ids of the pictures that the last reply brought; nobody but Keaton can delete them."""
    _told: int = 0
    _is_answered: bool = False

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give nothing: there is no such message."""
        return "", ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply, as far as Slack lets: in a message's place, or as the one message of a find."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        self.beside = ()
        draw = self._in_place if reply.updates and self.redraw else self.whisper
        if reply.progress is not None:
            self._told += 1
            if self._told <= (_MOST_PROGRESS if draw == self._in_place else 1):
                await self._send(reply, draw)
        elif draw == self._in_place or not self._is_answered or reply.tone == "error":
            self._is_answered = True
            await self._send(reply, draw)

    async def _in_place(self, shown: SlackCard) -> None:
        """Replace the message, or show a new one where its address is used up."""
        try:
            await (self.redraw or self.whisper)(shown)
        except PicturesRefusedError:
            raise
        except RefusedError as error:
            logger.info("a private answer cannot be replaced any more: %s", error.reason)
            await self.whisper(shown)

    async def _send(self, reply: Reply, draw: Draw) -> None:
        if reply.tone == "error":
            await draw(card(reply))
            return
        reply = for_one(reply)
        note = "" if reply.entries else self.note  # a list is for one person by its nature
        if not reply.pictures:
            await draw(card(reply, note=note))
            return
        try:
            where = await self.whisper.sharing() if self.slack.pictures.shares else None
            shown = card(reply, await self.slack.pictures.shots(reply.pictures, where), note)
            await draw(shown)
        except PicturesRefusedError as error:
            logger.warning("Slack shows no pictures to one person: %s", error.reason)
            why = UNSHOWN_ALONE if error.reason in PAYLOAD | {"undigested"} else why_no_pictures(error.reason)
            await draw(card(reply, note=f"{note} {why}".strip()))
        else:
            self.beside = shown.files


def for_one(reply: Reply) -> Reply:
    """Give a reply without what only a whole channel can be given: files, and the buttons that send them."""
    pictures = tuple(one for one in reply.pictures if not one.is_video)
    return replace(reply, pictures=pictures, buttons=tuple(one for one in reply.buttons if not _sends(one.id)))


def _sends(action_id: str) -> bool:
    wish = actions.read(action_id)
    return isinstance(wish, actions.Show) and wish.mode == "file"


_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}


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
    say: DrawTurn
    """Whether the answer still may be drawn there."""
    standing: str = ""
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
        return bool(self.standing)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of Keaton's message and its files, unless it is for one person's eyes or not there."""
        return ("", ()) if self.is_private else (self.standing, self._files)

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
                where = Where(self.channel, self.thread_ts, self.standing)
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
        async with self.say.at(self.standing) as may:
            if may and self.standing:
                await self.slack.remove(self.channel, self.standing)
                self.standing = ""
                await self.on_posted("")
        return may

    async def _send(self, shown: SlackCard) -> str:
        if self._is_outside:
            return ""
        if self.standing:
            try:
                return await self._redraw(self.standing, shown)
            except PicturesRefusedError:
                raise
            except RefusedError as error:
                if error.reason not in _GONE:
                    raise
                self.standing = ""  # somebody deleted it: the outcome is still worth saying
        return await sent_whole(self._send_new(shown))

    async def _redraw(self, ts: str, shown: SlackCard) -> str:
        async with self.say.at(ts) as may:
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
        self.standing = sent
        await _stand(self.slack, sent, shown)
        await self.on_posted(self.standing)
        return self.standing


@dataclass(slots=True)
class SlackPressTarget:
    """The message whose button was pressed."""

    slack: Slack
    channel: str
    ts: str
    thread_ts: str
    whisper: Whisper
    say: DrawTurn
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
    _under_way: Reply | None = None
    _is_answered: bool = False
    """What this press has to say stands in the message of its own."""

    @property
    def is_posted(self) -> bool:
        """Tell that the message stands whose button was pressed."""
        return True

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of the message that shows it, and its files."""
        return self.own or self.ts, self._files

    async def post(self, reply: Reply) -> None:
        """Show the first reply: where the button is, to whoever pressed it, or to all in a message of its own."""
        if self._alone is not None:
            if reply.progress is None:
                await self._alone.edit(reply)
                self.beside = self._alone.beside
            return
        try:
            await self._post(reply)
        except RefusedError as error:
            if _may_pass(reply, error.reason):
                raise NotNow(error.reason) from error
            logger.info("what a press asked for cannot be shown: %s", error.reason)
            if reply.progress is None:
                self._alone = EphemeralTarget(self.slack, self.whisper, note=why_not_posted(error.reason))
                await self._alone.post(reply)
                self.beside = self._alone.beside

    async def _post(self, reply: Reply) -> None:
        if reply.updates:
            self.beside = await self.slack.lay_out(reply, self._redraw, Where(self.channel, self.thread_ts, self.ts))
        elif reply.private:
            with suppress(StorageUnusable, RefusedError):  # who pressed is told all the same
                await self._break_off()
            await self.whisper(card(reply))
        else:
            where = Where(self.channel, self.thread_ts or self.ts, self.own)
            self.beside = await self.slack.lay_out(reply, self._speak, where)
            self._is_answered = reply.progress is None
        self._under_way = reply if reply.updates and reply.progress else None

    async def _break_off(self) -> None:
        """Let nothing stand there as under way: what came of it is told to whoever pressed."""
        if self.own and not self._is_answered:
            await self.slack.remove(self.channel, self.own)
            self.own = ""
            await self.on_posted("")
        elif self._under_way is not None:
            await self._post(replace(self._under_way, progress=None))

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
        """Change a message where no later press decides what stands there; give its ts, or "" where one does."""
        self._files = shown.files
        async with self.say.at(ts) as may:
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
class SavedSlackTarget:
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
    """Whoever pressed is the only one who sees the message."""

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


def mark(taken: AcceptedRequest) -> str:
    """Give what marks the answer unseen, to be found again after a crash; "" for what is done in a moment."""
    return f"job:{taken.job.id}" if taken.job else ""


def keeper(
    requests: RequestLog, taken: AcceptedRequest, standing: SavedSlackTarget
) -> Callable[[str], Awaitable[None]]:
    """Give what notes where the answer stands."""

    async def keep(ts: str) -> None:
        now = replace(standing, own=ts) if isinstance(taken.event, Action) else replace(standing, ts=ts)
        await requests.stand(taken, now.text(), "")
        turn = taken.event.turn
        await requests.answered(turn.scope, turn.message, ts)

    return keep


_FILE = "file:"


class FileTarget(Protocol):
    """A place that tells which files it brought into a thread."""

    beside: tuple[str, ...]

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of the message and the ids of its files, or "" where it is for one person's eyes."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        ...


class Whispering(FileTarget, Protocol):
    """A place that can show something to the asker alone, too."""

    @property
    def whisper(self) -> Whisper:
        """Give the way to do so."""
        ...


class RecordingFileTarget(RecordingTarget):
    """A place that notes which videos it shows, in its message and below it."""

    def __init__(self, place: FileTarget, showcase: ShownMessages, scope: Scope, pictures: Pictures) -> None:
        super().__init__(place, showcase, scope)
        self._files_of, self._shown_in = place, (showcase, scope)
        self._pictures = pictures

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        await super()._show(reply, draw)
        await self._pictures.settled((*self._files_of.seen_by_all[1], *self._files_of.beside))

    async def _note(self, reply: Reply, noted: str = "") -> str:
        message = await super()._note(reply, noted)
        showcase, scope = self._shown_in
        for file_id in self._files_of.beside if reply.videos else ():
            await showcase.show(scope, file_message(file_id), reply.videos, (file_id,))
        return message


def file_message(file_id: str) -> str:
    """Return the name under which a file of its own is noted, in the place of a message's ts."""
    return _FILE + file_id


def is_file(message: str) -> bool:
    """Tell whether what was noted is a file of its own, and no message that could be changed."""
    return message.startswith(_FILE)
