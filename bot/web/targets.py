"""Where replies appear on the page: a new message, or the message whose button was pressed.

A `SavedPageTarget` is stored with the request, for a later run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.doors.targets import SavedTarget
from bot.web.render import face, picture_key

if TYPE_CHECKING:
    from bot.doors.requests import DrawTurn
    from bot.web.log import Channel
    from bot.web.render import PictureCache
    from core.model.reply import Reply


PAGE = "page"
"""Begins the names of messages whose ids are the same over restarts."""


@dataclass(slots=True)
class PageTarget:
    """Shows replies as one message of Keaton's, or in place of the message whose button was pressed."""

    channel: Channel
    shelf: PictureCache
    say: DrawTurn
    """Whether no later press decides what stands there."""
    tab: str | None
    """Who asked: private replies go there alone. None is nobody in particular: all see them."""
    pressed: int | None = None
    """The message whose button was pressed."""
    puts_back: bool = False
    """It may have left the log since."""
    suggestions: tuple[str, ...] = ()
    """What the page offers to type below the reply once it is no progress any more."""
    question: int | None = None
    """The message that is answered, where this is its only answer: it is as private as the answer."""
    about: int | None = None
    """The message that is answered, perhaps among others: what the answer shows, it tells of."""
    name: str = ""
    """Of the video that is asked for, until the reply itself names it."""
    keeps: bool = True
    """The replies go into the history."""
    own: int | None = None
    """The id that is reserved for its own message, if one is."""
    _stands: bool = False
    _keys: tuple[str, ...] = ()
    _under_way: Reply | None = None
    """What stands under the pressed button while more of it is to come."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the message that shows it, and the keys of its pictures."""
        shown = self.own if self._stands else self.pressed
        return ("" if shown is None else f"{PAGE}:{shown}"), self._keys

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        for picture in reply.pictures:
            self.shelf.keep(picture)
        self._keys = tuple(picture_key(picture) for picture in reply.pictures)
        if reply.updates and self.pressed is not None:
            await self._replace(self.pressed, reply)
            self._under_way = reply if reply.progress else None
        else:
            if self._under_way is not None and self.pressed is not None:  # something went wrong
                await self._replace(self.pressed, replace(self._under_way, progress=None))
                self._under_way = None
            async with self.say.at(str(self.own or "")) as may:
                if may:
                    self._speak(reply)

    async def _replace(self, message: int, reply: Reply) -> None:
        async with self.say.at(str(message)) as may:
            if may and self.puts_back and message not in self.channel:
                self.channel.add(message, "keaton", self._body(reply, message), videos=reply.videos, keeps=True)
            elif may:
                self.channel.change(message, self._body(reply, message), reply.videos)

    def _speak(self, reply: Reply) -> None:
        audience = self.tab if reply.private else None
        own = self.own = self.channel.reserve() if self.own is None else self.own
        if not self._stands:
            body = self._body(reply, own)
            self.channel.add(own, "keaton", body, audience, videos=reply.videos, keeps=self.keeps)
            self._stands = True
        else:
            self.channel.change(own, self._body(reply, own), reply.videos)
            self.channel.show_to(own, audience)
        if self.about is not None and reply.videos:
            self.channel.tie(self.about, reply.videos)
        if self.question is not None:
            self.channel.show_to(self.question, audience)

    def _body(self, reply: Reply, message: int) -> dict[str, object]:
        offers = [] if reply.progress or reply.tone == "error" else list(self.suggestions)
        private = reply.private and self.tab is not None
        if reply.progress and not reply.title and self.name:
            reply = replace(reply, title=self.name)
        return {**face(reply, message), "private": private, "suggestions": offers}


@dataclass(frozen=True, slots=True)
class SavedPageTarget(SavedTarget):
    """What the next run needs, so that a message goes on where it stood; fields may be added, with defaults."""

    answer: int = 0
    """The id of Keaton's message, or 0 where it was not said beforehand."""
    question: int = 0
    """That of the message which is answered; 0 for the press of a button."""
    text: str = ""
    """What was written there."""
    file: str = ""
    """The name of the file that was posted there."""
    size_bytes: int = 0
    at_s: float = 0.0
    """When, in Unix seconds."""
    part: int = 0
    """Which of the things that the text asks for."""
    alone: bool = True
    """It asks for nothing else."""
    refines: str = ""
    """The answer whose question the text refines."""
    pressed: int = 0
    """The message whose button was pressed."""
    tab: str = ""
    """Who asked."""

    @property
    def at(self) -> datetime:
        """Give when it was asked."""
        return datetime.fromtimestamp(self.at_s, UTC)

    @property
    def body(self) -> dict[str, object]:
        """Give the message that asked, as the page shows it."""
        said: dict[str, object] = {"text": self.text}
        return {**said, "file": {"name": self.file, "size_bytes": self.size_bytes}} if self.file else said
