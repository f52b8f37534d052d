"""Targets that record which videos a message shows, and end a request once it is answered."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from core.errors import StorageUnusable
from core.model.events import Action, Find

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.doors.delivery import ReplyTarget
    from bot.doors.requests import AcceptedRequest
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.retention import ShownMessages


class Ends(Protocol):
    """Ends requests."""

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered."""
        ...


class SettlingTarget:
    """A place for the replies to something that was written down, which is answered as soon as one is no progress.

    What may come after that (a finer peak) is not worth an answer that people have begun to browse by the next start.
    """

    def __init__(self, place: ReplyTarget, requests: Ends, taken: AcceptedRequest) -> None:
        self._place = place
        self._requests = requests
        self._taken = taken

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._place.post(reply)
        await self._end(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._place.edit(reply)
        await self._end(reply)

    async def _end(self, reply: Reply) -> None:
        if reply.progress is None and not reply.provisional and isinstance(self._taken.event, Find | Action):
            await self._requests.end(self._taken)


class TidyingEnds:
    """Ends requests once something else is seen to, which else would be left behind by a crash between the two."""

    def __init__(self, tidy: Callable[[], Awaitable[None]], ends: Ends) -> None:
        self._tidy = tidy
        self._ends = ends

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered."""
        await self._tidy()
        await self._ends.end(taken)


logger = logging.getLogger(__name__)


class VisibleTarget(Protocol):
    """A place where replies are shown, that can tell which message it is."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the message and those of its files, or "" where it is for one person's eyes or not there."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        ...


class RecordingTarget:
    """A place that notes which videos it shows."""

    def __init__(self, place: VisibleTarget, showcase: ShownMessages, scope: Scope) -> None:
        self._place = place
        self._showcase = showcase
        self._scope = scope

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply, self._place.post)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply, self._place.edit)

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        """Note what is shown before it is, where the message is known, and after: whoever forgets it meets the note."""
        noted = ""
        with suppress(StorageUnusable):  # what only shows something goes on where nothing can be written
            noted = await self._note(reply)
        await draw(reply)
        await self._note(reply, noted)

    async def _note(self, reply: Reply, noted: str = "") -> str:
        message, files = self._place.seen_by_all
        if not reply.videos or not message or reply.private:
            return ""
        await self._showcase.show(self._scope, message, reply.videos, files, is_noted=message == noted)
        return message
