"""Which job may work on which video when, and which videos are left alone because they broke their decoder.

A link is downloaded by one job of a space at a time, a video is sampled by one job at a time; spaces and Keaton as a
whole have a limit of jobs at once. Short turns go first.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakValueDictionary

from core.errors import DecoderDied, GivenUp, OverLimit
from core.model.reply import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from core.model.video import Scope

    Moved = Callable[[int], None]
    Report = Callable[[Progress], None]

_USUAL_S = 600.0
"""How long a turn counts as that says nothing of its length."""
_MOST_PASSED = 5


@dataclass(eq=False, slots=True)
class _Place:
    """One that waits."""

    moved: Moved
    length_s: float
    admitted: asyncio.Future[None]
    passed: int = field(default=0)
    """How many were let in before, though they came later."""

    @property
    def rank(self) -> tuple[bool, float]:
        """Sort short turns before long ones, and before all those that were passed often."""
        return (False, 0.0) if self.passed >= _MOST_PASSED else (True, self.length_s)


class TurnQueue:
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


Breakdown: TypeAlias = DecoderDied | OverLimit
_CHANCES = 2
_REMEMBERED = 1000


class VideoTurns:
    """Lets jobs begin when it is their turn."""

    def __init__(self, at_once: int, at_once_a_space: int) -> None:
        self._line = TurnQueue(at_once)
        self._at_once_a_space = at_once_a_space
        self._spaces: WeakValueDictionary[tuple[str, str], TurnQueue] = WeakValueDictionary()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._videos: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._breakdowns = Breakdowns()
        self._entered = self._running = 0

    @property
    def waiting(self) -> int:
        """Count the jobs whose turn has not come."""
        return self._entered - self._running

    @property
    def running(self) -> int:
        """Count the jobs under way."""
        return self._running

    @asynccontextmanager
    async def turn(
        self, key: str, scope: Scope, report: Report, length_s: float | None = None, public: str = ""
    ) -> AsyncIterator[None]:
        """Wait until nobody else of the space works on this, and until there is room for it: short videos go first.

        `public` is a name that the video has for all spaces: they wait for each other, but never in another's line.
        Raises GivenUp or OverLimit for a video that has had its chances.
        """
        key = f"{scope.platform}:{scope.space}:{key}"  # no space waits for another's, or learns of it by that
        lock = self._locks.setdefault(key, asyncio.Lock())
        space = self._spaces.setdefault((scope.platform, scope.space), TurnQueue(self._at_once_a_space))
        if lock.locked():
            report(Progress("waiting", None))

        def moved(ahead: int) -> None:
            report(Progress("waiting", None, ahead=ahead))

        with self._entering():
            async with lock:
                self._breakdowns.check(key)
                async with space.turn(moved, length_s), self._same(public), self._line.turn(moved, length_s):
                    with self._at_work(), self._breakdowns.noting(key):
                        yield

    def _same(self, public: str) -> AbstractAsyncContextManager[object]:
        return self._locks.setdefault(f"public {public}", asyncio.Lock()) if public else nullcontext()

    @contextmanager
    def _entering(self) -> Iterator[None]:
        self._entered += 1
        try:
            yield
        finally:
            self._entered -= 1

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    @asynccontextmanager
    async def video(self, video_id: str) -> AsyncIterator[None]:
        """Wait until no other task indexes this video, whichever link led there; meanwhile others have one's turn."""
        lock = self._videos.setdefault(video_id, asyncio.Lock())
        with self._line.lent() if lock.locked() else nullcontext():
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()


class Breakdowns:
    """Remembers videos that broke down, the newest thousand of them."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, Breakdown]] = OrderedDict()

    @contextmanager
    def noting(self, key: str) -> Iterator[None]:
        """Remember it when the video breaks down meanwhile."""
        try:
            yield
        except (DecoderDied, OverLimit) as error:
            self.note(key, error)
            raise

    def note(self, key: str, error: Breakdown) -> None:
        """Remember that a video broke down once more."""
        times, _ = self._known.pop(key, (0, error))
        self._known[key] = times + 1, error
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def check(self, key: str) -> None:
        """Raise GivenUp or OverLimit where a video has had its chances."""
        times, error = self._known.get(key, (0, None))
        if times < _CHANCES or error is None:
            return
        # It may have another name where it was posted elsewhere; that name stays there.
        raise replace(error, name="") if isinstance(error, OverLimit) else GivenUp("")
