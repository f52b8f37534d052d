"""Work that makes way for people who wait. Owns who waits; must not know for what."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lull:
    """Tells when nobody waits for an answer."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._asking = self._asked = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def making_way(self) -> Iterator[None]:
        """Let other work wait while somebody waits for an answer."""
        self._asking += 1
        self._asked += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until nobody waits."""
        await self._idle.wait()

    async def come(self) -> None:
        """Wait until nobody has asked for anything for a while: who asks again at once is not to be slower for this."""
        while True:
            await self._idle.wait()
            asked = self._asked
            await asyncio.sleep(self._pause_s)
            if asked == self._asked and not self._asking:
                return
