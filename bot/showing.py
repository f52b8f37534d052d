"""Notes where films are shown, and takes back what was said of what is gone. Must not know any platform."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from core import replies
from core.errors import AppError
from core.errors.disk import StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.model import Scope
    from core.showcase import Showcase, Stale
    from core.shown import Reply

logger = logging.getLogger(__name__)

TAKEN_BACK = replies.taken_back()


class Place(Protocol):
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


class Noted:
    """A place that notes which films it shows."""

    def __init__(self, place: Place, showcase: Showcase, scope: Scope) -> None:
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
        if not reply.films or not message or reply.private:
            return ""
        await self._showcase.show(self._scope, message, reply.films, files, is_noted=message == noted)
        return message


async def take_back(
    showcase: Showcase,
    platform: str,
    space: str,
    change: Callable[[Stale], Awaitable[bool]],
    every_s: float,
    hint: asyncio.Event,
) -> None:
    """Change messages that show what was forgotten, and remove those that answer what was deleted, for ever.

    `change` tells whether that is done with; else it is tried again, also by the next run. One database serves all
    processes, so what the command line forgets is seen here too; `hint` says that there is something to do at once.
    """
    while True:
        try:
            for stale in await showcase.stale(platform, space):
                if await _changed(stale, change):
                    await showcase.settle(stale)
        except AppError:
            logger.exception("what was forgotten could not be looked up; it is tried again")
        with suppress(TimeoutError):
            await asyncio.wait_for(hint.wait(), every_s)
        hint.clear()


async def _changed(stale: Stale, change: Callable[[Stale], Awaitable[bool]]) -> bool:
    """Change a message; what goes wrong with one keeps no other from being changed."""
    try:
        return await change(stale)
    except Exception:
        logger.exception("a message could not be taken back; it is tried again")
        return False
