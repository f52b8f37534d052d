"""Takes what was forgotten off the disk as soon as that can be done, without anybody waiting for it. Knows no SQL."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.errors.disk import StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
"""SQLite tells nobody when the last reader of the log has gone: it has to be asked again."""


class Sweeper:
    """Tries at once, and then in the background until it went well; nobody waits for that."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]]) -> None:
        """Take what is to be done: it tells whether all of it is, and must be quick where it cannot be."""
        self._sweep = sweep
        self._later: asyncio.Task[None] | None = None

    async def now(self) -> None:
        """Try it now; where that is too early, have it tried until it went well. Raises nothing of the disk."""
        if not await self._try() and (self._later is None or self._later.done()):
            log.info("what was forgotten cannot be taken off the disk yet; that is tried until it can")
            self._later = asyncio.create_task(self._until_done())

    async def done(self) -> None:
        """Wait until nothing is left to be done."""
        if self._later is not None:
            await asyncio.shield(self._later)

    async def close(self) -> None:
        """Try no more."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)

    async def _until_done(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not await self._try():
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _try(self) -> bool:
        try:
            return await self._sweep()
        except StorageUnusable as error:  # what was forgotten is, and this goes on
            log.debug("what was forgotten still stands on the disk: %s", error.reason)
            return False
