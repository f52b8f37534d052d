"""Where the replies of one turn appear on Slack.

Owns which message is posted, edited or whispered; must not know what it says. What Slack lets nobody say in the channel
is said to the asker alone.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.delivery import sent_whole
from bot.fallback import NotNow
from bot.slack.alone import Alone
from bot.slack.people import OUTSIDE
from bot.slack.refusals import OUT_OF_REACH, TRANSIENT, PicturesRefusedError, RefusedError, why_not_posted
from bot.slack.render import card
from bot.slack.speaking import Where
from core.errors.disk import StorageUnusable
from core.shown import Link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.lastword import Say
    from bot.slack.render import Card
    from bot.slack.speaking import Slack
    from bot.slack.whispers import Whisper
    from core.shown import Reply

logger = logging.getLogger(__name__)

_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}


@dataclass(slots=True)
class Place:
    """One message of Keaton's in a channel or thread, edited in place; what is private is whispered."""

    slack: Slack
    channel: str
    thread_ts: str
    """Of the thread that it stands in, or "" for the channel itself."""
    whisper: Whisper
    """Shows a card to the asker alone."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of Keaton's message once it is there, and "" once it is gone."""
    say: Say
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
    _alone: Alone | None = None
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
            self._alone = Alone(self.slack, self.whisper, note=why_not_posted(reason))
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

    async def _send(self, shown: Card) -> str:
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

    async def _redraw(self, ts: str, shown: Card) -> str:
        async with self.say.at(ts) as may:
            if not may:
                return ts
            outdated = [one for one in self._files if one not in shown.files]
            await self.slack.update(self.channel, ts, shown)
            self._files = shown.files
        if outdated and self.slack.pictures.shares:
            await self.slack.pictures.delete(outdated)  # a better one stands there: few messages in the thread
        return ts

    async def _send_new(self, shown: Card) -> str:
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
        await self.on_posted(self.standing)
        return self.standing


@dataclass(slots=True)
class PressPlace:
    """The message whose button was pressed."""

    slack: Slack
    channel: str
    ts: str
    thread_ts: str
    whisper: Whisper
    say: Say
    """Whether no later press decides what stands there."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of a message of this press's own once it is there, and "" once it is gone."""
    own: str = ""
    """The ts of that message, which all see."""
    about: str = ""
    """What it answers, as its mark."""
    beside: tuple[str, ...] = ()
    """The ids of files that the last reply brought into the thread."""
    _alone: Alone | None = None
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
                self._alone = Alone(self.slack, self.whisper, note=why_not_posted(error.reason))
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

    async def _redraw(self, shown: Card) -> str:
        self._files = shown.files
        async with self.say.at(self.ts) as may:
            return await self.slack.update(self.channel, self.ts, shown) if may else ""

    async def _speak(self, shown: Card) -> str:
        self._files = shown.files
        if self.own:
            async with self.say.at(self.own) as may:
                return await self.slack.update(self.channel, self.own, shown) if may else self.own
        self.own = await self.slack.post(self.channel, self.thread_ts or self.ts, shown, self.about)
        await self.on_posted(self.own)
        return self.own


def _may_pass(reply: Reply, reason: str) -> bool:
    """Tell whether a reply is worth another try a moment later, rather than being shown elsewhere."""
    return reason in OUT_OF_REACH or (reply.progress is not None and reason in TRANSIENT)
