"""Who waits for an answer goes first. Owns who waits, and how long other work lets them; knows no noun.

Used on the event loop, but for `Leave`, which threads ask.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGINNING_S = 5.0
"""A film begins so much later at most, where somebody always asks."""
BATCH_S = 2.0
"""Likewise each batch of its looks, and of further looks; so long a decoder stands still at a stretch."""
PATIENCE_S = 10.0
"""Where people ask so much that no lull comes for so long, an answer gets no further looks."""


class Courtesy:
    """Lets other work begin, and go on, between questions."""

    def __init__(self, lull_s: float, clock_s: Callable[[], float], patience_s: float = PATIENCE_S) -> None:
        """Take how long nobody must have asked for anything before further looks begin; and how long to wait for it."""
        self._lull_s = lull_s
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._asking = self._asked = 0
        self._nobody, self._somebody = asyncio.Event(), asyncio.Event()
        self._nobody.set()
        self._free = threading.Event()
        self._free.set()
        self._since_s, self._busy_s = 0.0, 0.0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Wait for an answer."""
        self._asked += 1
        self._asking += 1
        if self._asking == 1:
            self._begin()
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._end()

    def _begin(self) -> None:
        self._since_s = self._clock_s()
        self._free.clear()
        self._nobody.clear()
        self._somebody.set()

    def _end(self) -> None:
        self._busy_s += self._clock_s() - self._since_s
        self._somebody.clear()
        self._nobody.set()
        self._free.set()

    def quiet_s(self) -> float:
        """Give a clock that stands still while somebody waits: by it, other work loses no time to them."""
        return (self._since_s if self._asking else self._clock_s()) - self._busy_s

    async def idle(self) -> None:
        """Wait until nobody waits for an answer."""
        while self._asking:
            await self._nobody.wait()

    async def asked(self) -> None:
        """Wait until somebody does."""
        while not self._asking:
            await self._somebody.wait()

    async def lull(self) -> None:
        """Wait until nobody has asked for anything for a while: who asks again at once is not to be slower for this."""
        while True:
            await self.idle()
            asked = self._asked
            await asyncio.sleep(self._lull_s)
            if asked == self._asked and not self._asking:
                return

    async def calm(self) -> bool:
        """Wait for a lull, for as long as patience lasts; tell whether one came."""
        try:
            await asyncio.wait_for(self.lull(), self._patience_s)
        except TimeoutError:
            return False
        return True

    async def after_you(self, patience_s: float) -> None:
        """Wait until nobody waits for an answer, or until patience ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self.idle()

    def leave(self, patience_s: float) -> Leave:
        """Give leave to compute on a thread, with so much patience in all."""
        return Leave(self._free, self._clock_s, patience_s)


class Leave:
    """What a thread asks at each place where it may stop: it goes on when nobody waits, or when its patience ends."""

    def __init__(self, free: threading.Event, clock_s: Callable[[], float], patience_s: float) -> None:
        self._free = free
        self._clock_s = clock_s
        self._patience_s = patience_s

    def __call__(self) -> None:
        """Wait, on this thread."""
        if self._patience_s > 0 and not self._free.is_set():
            began_s = self._clock_s()
            self._free.wait(self._patience_s)
            self._patience_s -= self._clock_s() - began_s
