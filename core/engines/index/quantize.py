"""Sketches of embeddings: one byte a number, with a sure upper bound of each similarity (Cauchy-Schwarz).

The mean is taken off and one random rotation applied, so that the numbers are alike and a byte tells much of each (Gao
and Long, "RaBitQ", SIGMOD 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.engines.index.products import dots, widened

if TYPE_CHECKING:
    from core.model.video import Floats
    from core.ports.index import Halves

Levels = npt.NDArray[np.int8]
_MOST_LEVEL = 127
_REACH = 4.5
"""Levels reach to so many standard deviations: what is beyond is cut off, which is rare, and counts as distance."""
_SEED = 2024
_ROUNDING = 1e-5
"""More than sums in float32 are off by, for rows and vectors of about length 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """Some rows as bytes."""

    levels: Levels
    """(n, D)."""
    off: Floats
    """(n,) how far each row is from what its levels stand for."""
    far: float
    """How far the farthest row's levels are from the mean."""

    def part(self, start: int, stop: int) -> Sketch:
        """Give the rows [start, stop)."""
        return Sketch(self.levels[start:stop], self.off[start:stop], self.far)


@dataclass(frozen=True, slots=True, eq=False)
class SketchedQuery:
    """A vector as sketches are compared with it."""

    levels: Levels
    """(D,)."""
    factor: float
    """What a product of levels is worth."""
    base: float
    """Its dot product with the mean."""
    length: float
    rest: float
    """How far it is from what its levels stand for."""

    def highest(self, sketch: Sketch) -> Floats:
        """Give for each row what its dot product with the vector is at most, (n,) float32."""
        found = dots(sketch.levels, self.levels)
        found *= np.float32(self.factor)
        found += self.base + self.rest * sketch.far
        found += np.float32(self.length) * sketch.off
        return found


class QuantizationGrid:
    """What the sketches of a recipe's looks are relative to."""

    def __init__(self, rows: Halves) -> None:
        """Take some rows that are like those to come; with others all holds, but less closely."""
        looks = widened(rows)
        looks = looks[np.isfinite(looks).all(axis=1)]
        self._mean = looks.mean(axis=0)
        self._turn = _rotation(looks.shape[1])
        spread = float(np.sqrt(np.square(looks - self._mean).mean()))
        self._step = max(_REACH * spread / _MOST_LEVEL, float(np.finfo(np.float32).tiny))

    def sketch(self, rows: Halves) -> Sketch:
        """Give a sketch of (n, D) rows; damaged ones may be as near to anything as can be."""
        with np.errstate(all="ignore"):
            turned = (widened(rows) - self._mean) @ self._turn
            levels = _levels(turned, self._step)
            known = levels.astype(np.float32) * np.float32(self._step)
            off = np.linalg.norm(turned - known, axis=1) + np.float32(_ROUNDING)
            far = float(np.linalg.norm(known, axis=1).max(initial=0))
        return Sketch(levels, np.nan_to_num(off, nan=np.inf, posinf=np.inf), far)

    def ask(self, vector: Floats) -> SketchedQuery:
        """Give a (D,) vector as sketches are compared with it."""
        turned = vector @ self._turn
        step = max(float(np.abs(turned).max()) / _MOST_LEVEL, float(np.finfo(np.float32).tiny))
        levels = _levels(turned, step)
        rest = float(np.linalg.norm(turned - levels * np.float32(step)))
        return SketchedQuery(levels, self._step * step, float(vector @ self._mean), float(np.linalg.norm(vector)), rest)


def _levels(numbers: Floats, step: float) -> Levels:
    scaled = numbers * np.float32(1 / step)
    np.rint(scaled, out=scaled)
    levels: Levels = np.clip(scaled, -_MOST_LEVEL, _MOST_LEVEL, out=scaled).astype(np.int8)
    return levels


def _rotation(dim: int) -> Floats:
    turn: Floats = np.linalg.qr(np.random.default_rng(_SEED).standard_normal((dim, dim)))[0].astype(np.float32)
    return turn
