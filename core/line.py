"""A queue whose people know their place. Owns who is next; knows no noun."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Moved = Callable[[int], None]

_USUAL_S = 600.0
"""How long a turn counts as that says nothing of its length."""
_MOST_PASSED = 5


@dataclass(eq=False, slots=True)
class _Place:
    """Somebody who waits."""

    moved: Moved
    length_s: float
    admitted: asyncio.Future[None]
    passed: int = field(default=0)
    """How many were let in before, though they came later."""

    @property
    def rank(self) -> tuple[bool, float]:
        """Sort short turns before long ones, and before all those that were passed often."""
        return (False, 0.0) if self.passed >= _MOST_PASSED else (True, self.length_s)


class Line:
    """Lets that many through at once, short turns first, and tells the others how many are before them.

    Among equals it is first come, first served, and nobody is passed more than five times.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._inside = 0
        self._waiting: list[_Place] = []

    @asynccontextmanager
    async def turn(self, moved: Moved, length_s: float | None = None) -> AsyncIterator[None]:
        """Wait for a slot and hold it. `moved` gets the number of those before, whenever it may have changed."""
        await self._enter(moved, _USUAL_S if length_s is None else length_s)
        try:
            yield
        finally:
            self._inside -= 1
            self._admit()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let another have the slot that one holds; afterwards hold one again at once, for a while one too many."""
        self._inside -= 1
        self._admit()
        try:
            yield
        finally:
            self._inside += 1

    async def _enter(self, moved: Moved, length_s: float) -> None:
        place = _Place(moved, length_s, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        self._admit()
        try:
            await place.admitted
        except asyncio.CancelledError:
            self._give_up(place)
            raise

    def _give_up(self, place: _Place) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
        else:
            self._inside -= 1  # it was let in just before it was cancelled
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self._slots:
            self._let_in(min(self._waiting, key=lambda place: place.rank))
        for before, place in enumerate(sorted(self._waiting, key=lambda place: place.rank), start=self._inside):
            place.moved(before)

    def _let_in(self, place: _Place) -> None:
        for other in self._waiting[: self._waiting.index(place)]:
            other.passed += 1
        self._waiting.remove(place)
        self._inside += 1
        if not place.admitted.done():
            place.admitted.set_result(None)
