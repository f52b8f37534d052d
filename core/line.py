"""A queue whose people know their place. Owns who is next; knows no noun."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Moved = Callable[[int], None]


class Line:
    """Lets that many through at once, first come first served, and tells the others how many are before them."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._inside = 0
        self._waiting: OrderedDict[asyncio.Future[None], Moved] = OrderedDict()

    @asynccontextmanager
    async def turn(self, moved: Moved) -> AsyncIterator[None]:
        """Wait for a slot and hold it. `moved` gets the number of those before, whenever it may have changed."""
        await self._enter(moved)
        try:
            yield
        finally:
            self._inside -= 1
            self._admit()

    async def _enter(self, moved: Moved) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting[place] = moved
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            self._give_up(place)
            raise

    def _give_up(self, place: asyncio.Future[None]) -> None:
        if self._waiting.pop(place, None) is None:
            self._inside -= 1  # it was let in just before it was cancelled
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self._slots:
            place, _ = self._waiting.popitem(last=False)
            self._inside += 1
            if not place.done():
                place.set_result(None)
        for before, moved in enumerate(self._waiting.values(), start=self._inside):
            moved(before)
