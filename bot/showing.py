"""Notes where films are shown, and takes back what was said of what is gone. Must not know any platform."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core import replies
from core.errors import AppError
from core.errors.disk import StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.backoff import Backoff
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


class Stuck(Exception):
    """A message cannot be changed for now, for the reason that this says; it is tried again, more and more rarely."""


@dataclass(slots=True)
class Removals:
    """What of a platform's messages is to be taken back, and when it is tried again.

    A door makes one with `Backoff(REMOVAL_STEPS_S)`, and calls `wake` when a channel can be written in again.
    """

    every_s: float
    """How often it is looked whether there is something new."""
    backoff: Backoff[Stale]
    hint: asyncio.Event
    """Set when there is something to do at once."""

    def wake(self, channel: str) -> None:
        """Try again at once what waits in a channel (an unarchived thread, a permission that was granted)."""
        if self.backoff.wake(lambda stale: stale.scope.channel == channel):
            self.hint.set()


async def take_back(
    showcase: Showcase, platform: str, space: str, change: Callable[[Stale], Awaitable[bool]], removals: Removals
) -> None:
    """Change messages that show what was forgotten, and remove those that answer what was deleted, for ever.

    `change` tells whether that is done with, or raises Stuck; else it is tried again, also by the next run. One
    database serves all processes, so what the command line forgets is seen here too.
    """
    while True:
        try:
            found = await showcase.stale(platform, space)
            removals.backoff.keep_only(found)
            for stale in found:
                if removals.backoff.is_due(stale) and await _changed(stale, change, removals.backoff):
                    await showcase.settle(stale)
        except AppError:
            logger.exception("what was forgotten could not be looked up; it is tried again")
        with suppress(TimeoutError):
            await asyncio.wait_for(removals.hint.wait(), removals.every_s)
        removals.hint.clear()


async def _changed(stale: Stale, change: Callable[[Stale], Awaitable[bool]], backoff: Backoff[Stale]) -> bool:
    """Change a message; what goes wrong with one keeps no other from being changed, and is told once."""
    try:
        if await change(stale):
            backoff.done(stale)
            return True
        why, error = "it is tried again", None
    except Stuck as stuck:
        why, error = str(stuck), None
    except Exception as unforeseen:  # noqa: BLE001 - whatever it is, it is logged and tried again
        why, error = "it is tried again", unforeseen
    if backoff.failed(stale):
        where = stale.message, stale.scope.channel
        logger.warning("message %s in channel %s could not be taken back: %s", *where, why, exc_info=error)
    return False
