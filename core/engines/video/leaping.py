"""Seek to the next sampled frame, or read on to it? Decided by what each has cost in this video. Runs in the child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S = 4.0
"""Nearer looks are read on to: what lies between is a keyframe or two."""
_INDEXED = frozenset({"mov", "mp4", "matroska", "webm"})
"""Containers that say where their keyframes are, and whose timeline does not start anew on the way."""
_WEIGHT = 0.3


@dataclass(slots=True)
class Leaps:
    """Measures the way from look to look. The first is read, the second leapt; then whatever takes less time."""

    clock_s: Callable[[], float]
    possible: bool
    """False once a seek has not led where it should."""
    count: int = 0
    _began_s: float = 0.0
    _from_s: float = 0.0
    _leapt: bool = False
    _reading: float | None = None
    """Seconds that it takes to read on, for each second of video."""
    _leaping: float | None = None
    """Seconds that a leap takes."""

    @classmethod
    def within(cls, container: str, clock_s: Callable[[], float]) -> Leaps:
        """Judge by the names of a container's format."""
        return cls(clock_s, bool(_INDEXED & set(container.split(","))))

    def start(self, from_s: float) -> None:
        """Begin the way from the look at this time."""
        self._began_s, self._from_s, self._leapt = self.clock_s(), from_s, False

    def arrive(self, at_s: float) -> None:
        """End it at the next look."""
        taken_s, way_s = self.clock_s() - self._began_s, at_s - self._from_s
        if self._leapt:
            self._leaping = _mean(self._leaping, taken_s)
        elif way_s > 0:
            self._reading = _mean(self._reading, taken_s / way_s)

    def worth(self, way_s: float) -> bool:
        """Tell whether to leap so far."""
        if not self.possible or way_s < LEAST_S or self._reading is None:
            return False
        return self._leaping is None or self._leaping < self._reading * way_s

    def leap(self) -> None:
        """Note that this way is leapt."""
        self._leapt = True
        self.count += 1


def _mean(before: float | None, value: float) -> float:
    return value if before is None else (1 - _WEIGHT) * before + _WEIGHT * value
