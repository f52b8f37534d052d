"""How far a hit reaches on either side of its peak, and which hits are one and the same. Pure arithmetic on looks.

`python -m bench.levers` measures it against scenes of known length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from core.model import Floats

Scores: TypeAlias = npt.NDArray[np.float64]
"""(N,) float64; a look that is taken already has minus infinity."""

ALIKE = 0.7
"""Two looks at one shot are that much alike at least, on the film's own scale."""
_SAMPLED = 256
_LEAST_SPREAD = 0.02
"""Where neighbours are hardly more alike than looks far apart, the scale says nothing."""
_ROUNDS = 4
_LEAST_FLANK = 3


class Likeness:
    """How alike the looks at one film are, on a scale of its own: looks far apart are 0, neighbours are 1."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors
        self._beside = np.einsum("ij,ij->i", vectors[:-1], vectors[1:])
        some = np.linspace(0, len(vectors) - 1, min(len(vectors), _SAMPLED)).astype(int)
        far = np.einsum("ij,ij->i", vectors[some], np.roll(vectors[some], len(some) // 2, axis=0))
        self._far, self._near = float(np.median(far)), float(np.median(self._beside)) if len(self._beside) else 1.0

    def same_shot(self, one: int, other: int) -> bool:
        """Tell whether two looks show the same shot."""
        return bool(self._alike(self._vectors[one] @ self._vectors[other]))

    def steady(self) -> npt.NDArray[np.bool_]:
        """Tell of each look whether both its neighbours show the same shot, (N,) bool."""
        alike = self._alike(self._beside)
        both: npt.NDArray[np.bool_] = np.concatenate([[True], alike]) & np.concatenate([alike, [True]])
        return both

    def _alike(self, cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        if self._near - self._far < _LEAST_SPREAD:
            return np.ones(np.shape(cosines), np.bool_)
        return np.asarray((cosines - self._far) / (self._near - self._far) >= ALIKE)


def smoothed(scores: Floats, steady: npt.NDArray[np.bool_] | None = None) -> Scores:
    """Give the median of each look and its two neighbours: a look that is off by itself counts no more, edges stay.

    Only where it is steady, if that is known: a single look at another shot is no slip.
    """
    raw = scores.astype(np.float64)
    padded = np.pad(raw, 1, mode="edge")
    middle: Scores = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return middle if steady is None else np.where(steady, middle, raw)


def reach(smooth: Scores, free: npt.NDArray[np.bool_], peak: int, height: float, floor: float) -> tuple[int, int]:
    """Give the first and last look of the hit around a peak: those nearer to its inside than to what is beside it.

    It begins as the run above the middle between the peak's height and the floor. The mean inside less the mean of the
    flanks, each as wide as the run, then gives a better middle, and so on until the run stays.
    """
    inside, outside = height, floor
    first = last = peak
    for _ in range(_ROUNDS):
        found = _run(free & (smooth >= (inside + outside) / 2), peak)
        if found == (first, last):
            break
        first, last = found
        inside = float(smooth[first : last + 1].mean())
        outside = min(_beside(smooth, first, last, floor), inside)
    return first, last


def _run(above: npt.NDArray[np.bool_], peak: int) -> tuple[int, int]:
    outside = np.flatnonzero(~above)
    before, after = outside[outside < peak], outside[outside > peak]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(above) - 1
    return first, last


def _beside(smooth: Scores, first: int, last: int, floor: float) -> float:
    wide = max(_LEAST_FLANK, last - first + 1)
    flanks = np.concatenate([smooth[max(0, first - wide) : first], smooth[last + 1 : last + 1 + wide]])
    return float(flanks.mean()) if len(flanks) else floor
