"""When something that failed is tried again: soon at first, after hours in the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

K = TypeVar("K", bound="Hashable")

REMOVAL_STEPS_S = (2.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0)
"""For messages that are to be changed or removed: a hiccup passes, an archived thread may stay so for months."""


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
