"""Takes what was forgotten off the disk in the background, as soon as that is possible."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.errors import StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 1.0
"""SQLite tells nobody when the last reader of the log has gone: it has to be asked again."""


class Sweeper:
    """Tries something in the background until it went well; nobody waits for that."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]], pause_s: float) -> None:
        """Take what is to be done: it tells whether all of it is. It is tried again after a pause that grows."""
        self._sweep = sweep
        self._pause_s = pause_s
        self._is_due = False
        self._later: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Tell whether it was asked for and has not gone well since."""
        return self._is_due

    async def now(self) -> None:
        """Try it now; where that is too early, have it tried until it went well. Raises nothing of the disk."""
        self._is_due = True
        if not await self._try():
            log.info("what was forgotten cannot be taken off the disk yet; that is tried until it can")
            self.soon()

    def soon(self) -> None:
        """Have it done after a pause, and once for all that ask for it until then."""
        self._is_due = True
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._until_done())

    async def done(self) -> None:
        """Wait until nothing is left to be done."""
        while self._later is not None and not self._later.done():
            await asyncio.shield(self._later)

    async def close(self) -> None:
        """Try no more."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)

    async def _until_done(self) -> None:
        pause_s = self._pause_s
        while self._is_due:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await self._try()

    async def _try(self) -> bool:
        self._is_due = False
        try:
            is_done = await self._sweep()
        except StorageUnusable as error:  # what was forgotten is, and this goes on
            log.debug("what was forgotten still stands on the disk: %s", error.reason)
            is_done = False
        except asyncio.CancelledError:
            self._is_due = True
            raise
        self._is_due = self._is_due or not is_done
        return is_done
