"""How fast messages may be posted or edited, and when something that failed is tried again.

A door has a `Pace` for each budget of its platform (Discord: edits of a channel; Slack: `chat.update` of a workspace).
Answers and presses have a part of the budget to themselves; status messages share the rest in their order. `Backoff`
tries again soon at first, and after hours in the end.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

_MOST_KEYS = 1000
K = TypeVar("K", bound="Hashable")
REMOVAL_STEPS_S = (2.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0)
"""For messages that are to be changed or removed: a hiccup passes, an archived thread may stay so for months."""


class PaceTurns(Protocol):
    """Lets one of several go on after the other."""

    async def wait(self, *, urgent: bool) -> None:
        """Wait until one more change may be sent; urgent are those that a person waits for."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """What a platform allows for one key."""

    burst: int
    """So many changes at once."""
    every_s: float
    """And one more after so many seconds."""
    kept: int = 1
    """So many of the burst are for urgent ones alone."""


@dataclass(slots=True)
class _Bucket:
    left: float
    counted_s: float
    urgent: int = 0
    """How many urgent ones wait."""
    urgent_line: asyncio.Lock = field(default_factory=asyncio.Lock)
    status_line: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pace:
    """The budgets of one method of a platform."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def of(self, key: str) -> PaceTurns:
        """Return the turns of one channel, or whatever the platform counts by."""
        return _Turns(self, key)

    async def wait(self, key: str, *, urgent: bool) -> None:
        """Wait until one more change may be sent for a key."""
        bucket = self._bucket(key)
        if not urgent:
            async with bucket.status_line:
                await self._take(bucket, self._budget.kept, lambda: bucket.urgent == 0)
            return
        bucket.urgent += 1
        try:
            async with bucket.urgent_line:
                await self._take(bucket, 0, lambda: True)
        finally:
            bucket.urgent -= 1

    async def _take(self, bucket: _Bucket, kept: int, may: Callable[[], bool]) -> None:
        while True:
            lacking = 1 + kept - self._count(bucket)
            if lacking <= 0 and may():
                break
            await asyncio.sleep(max(lacking, 0.1) * self._budget.every_s)
        bucket.left -= 1

    def _count(self, bucket: _Bucket) -> float:
        """Return how many changes may be sent now."""
        now_s = self._clock()
        gained = (now_s - bucket.counted_s) / self._budget.every_s if self._budget.every_s else self._budget.burst
        bucket.left, bucket.counted_s = min(float(self._budget.burst), bucket.left + gained), now_s
        return bucket.left

    def _bucket(self, key: str) -> _Bucket:
        if key not in self._buckets:
            if len(self._buckets) >= _MOST_KEYS:
                self._drop_full()
            self._buckets[key] = _Bucket(float(self._budget.burst), self._clock())
        return self._buckets[key]

    def _drop_full(self) -> None:
        """Forget keys where nothing happened of late: a new bucket is as full."""
        full = [key for key, one in self._buckets.items() if self._count(one) >= self._budget.burst and not one.urgent]
        for key in full:
            del self._buckets[key]


@dataclass(frozen=True, slots=True)
class _Turns:
    pace: Pace
    key: str

    async def wait(self, *, urgent: bool) -> None:
        """Wait until one more change may be sent."""
        await self.pace.wait(self.key, urgent=urgent)


@dataclass(slots=True)
class _Wait:
    failures: int
    due_s: float


class Backoff(Generic[K]):
    """Remembers what failed how often; the last step is repeated for ever."""

    def __init__(self, steps_s: Sequence[float], clock: Callable[[], float] = time.monotonic) -> None:
        self._steps_s = steps_s
        self._clock = clock
        self._waits: dict[K, _Wait] = {}

    def is_due(self, key: K) -> bool:
        """Tell whether something may be tried now; what never failed may be."""
        wait = self._waits.get(key)
        return wait is None or wait.due_s <= self._clock()

    def failed(self, key: K) -> bool:
        """Note a failure; tell whether it is the first one, which is worth a word to the operator."""
        failures = self._waits[key].failures + 1 if key in self._waits else 1
        step_s = self._steps_s[min(failures, len(self._steps_s)) - 1]
        self._waits[key] = _Wait(failures, self._clock() + step_s)
        return failures == 1

    def done(self, key: K) -> None:
        """Forget about something that was done."""
        self._waits.pop(key, None)

    def keep_only(self, keys: Collection[K]) -> None:
        """Forget about all but these."""
        self._waits = {key: wait for key, wait in self._waits.items() if key in keys}

    def wake(self, belongs: Callable[[K], bool]) -> bool:
        """Let be tried at once what belongs to something that has changed; tell whether there was any."""
        woken = [wait for key, wait in self._waits.items() if belongs(key)]
        for wait in woken:
            wait.due_s = self._clock()
        return bool(woken)

    def wait_s(self, most_s: float) -> float:
        """Return the seconds until something that failed is due, `most_s` at most."""
        now_s = self._clock()
        return min([most_s, *(max(0.0, wait.due_s - now_s) for wait in self._waits.values())])
