"""The highest similarity of each video with a query, of all embeddings that are in memory.

One float16 product of all rows, then exact scores in float32 for the rows that its error leaves in doubt. A million
rows of 512 numbers take 45 ms of one core with AVX-512. Bytes with bounds (Cauchy-Schwarz) took less than half of that,
half as much memory again and 500 lines; numkong's product of float16 takes 68 ms (`bench.searching`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.model.video import Floats
    from core.ports.index import Halves

_HALF = np.float32(2.0**-11)
"""What rounding to float16 changes a number by, at most, as a share of it."""
_LONGEST_ROW = np.float32(1.01)
"""See `FrameIndex`."""
ROUNDING = np.float32(1e-5)
"""More than sums in float32 are off by, for rows and vectors of about length 1, whatever the order of summation."""
_EXACT_AT_ONCE = 1 << 13
"""Rows whose exact scores are computed in one go: 16 MB as float32 for 512 numbers."""


OTHER = -1
"""The place of a video that the search is not about."""

Places: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Rows side by side, to be compared in one product."""

    rows: Halves
    """(n, D)."""
    starts: Places
    """(s,) where each span begins, from 0; the last reaches to the end."""
    places: Places
    """(s,) the place of each span's video among those that are searched, or OTHER."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchedRows:
    """All rows that a search is about, and whose they are."""

    runs: Sequence[Run]
    videos: int
    """How many videos there are: places go from 0 to that."""


def highest(rows: SearchedRows, vectors: Floats, most: int) -> Floats:
    """Return (Q, F) float32 upper bounds: no row of video f has a higher dot product with the (Q, D) vector q.

    For each vector the bounds of its `most` best videos are exact but for rounding. A video with a damaged row may have
    the bound infinity, so that the search reads it, and finds the damage.
    """
    return np.array([_highest(rows, vector, most) for vector in vectors], np.float32).reshape(len(vectors), rows.videos)


def _highest(rows: SearchedRows, vector: Floats, most: int) -> Floats:
    found = np.full(rows.videos + 1, -np.inf, np.float32)  # the last place takes what is OTHER
    half = vector.astype(np.float16)
    with np.errstate(all="ignore"):  # damaged rows may be anything
        scores = [dots(run.rows, half) for run in rows.runs]
        for run, some in zip(rows.runs, scores, strict=True):
            np.maximum.at(found, run.places, np.maximum.reduceat(some, run.starts))
        found[np.isnan(found)] = np.inf
        error = _error(vector, half)
        return _exact(rows, vector, scores, found, error, most)[: rows.videos]


def _error(vector: Floats, half: Halves) -> np.float32:
    """Return how far a product of float16 may be off: the vector and the result are rounded, sums are float32."""
    rest, length = np.linalg.norm(vector - half.astype(np.float32)), np.linalg.norm(vector)
    return np.float32(_LONGEST_ROW * (rest + _HALF * length) + ROUNDING)


def _exact(
    rows: SearchedRows, vector: Floats, scores: Sequence[Floats], found: Floats, error: np.float32, most: int
) -> Floats:
    """Return the bounds of all videos: exact for those that may be among the best, by the approximate peaks found."""
    peaks = found[: rows.videos][np.isfinite(found[: rows.videos])]
    if not len(peaks):
        return found
    least = np.partition(peaks, -most)[-most] if len(peaks) > most else peaks.min()
    found[rows.videos] = np.inf  # no row of the others comes near this
    exact = np.full_like(found, -np.inf)
    for run, some in zip(rows.runs, scores, strict=True):
        for near, places in _in_doubt(run, some, found, least - 2 * error, error):
            np.maximum.at(exact, places, widened(run.rows[near]) @ vector)
    return np.where(np.isfinite(exact), exact + ROUNDING, found + error)


def _in_doubt(
    run: Run, scores: Floats, peaks: Floats, least: np.float32, error: np.float32
) -> Iterator[tuple[Places, Places]]:
    """Yield rows that may be the highest of a video that may be among the best, each with its video's place."""
    near = np.flatnonzero(scores >= least)
    places = run.places[np.searchsorted(run.starts, near, side="right") - 1]
    keep = scores[near] >= peaks[places] - 2 * error
    near, places = near[keep], places[keep]
    for start in range(0, len(near), _EXACT_AT_ONCE):
        part = slice(start, start + _EXACT_AT_ONCE)
        yield near[part], places[part]


def dots(rows: Halves, vector: Halves) -> Floats:
    """Return the (n,) dot products of (n, D) rows with a (D,) vector as float32, rounded to float16 on their way."""
    import torch  # noqa: PLC0415 - takes a second, and is there once a model is

    found: Floats = torch.mv(torch.from_numpy(rows), torch.from_numpy(vector)).float().numpy()
    return found


def widened(rows: Halves) -> Floats:
    """Return float16 rows as float32, without loss; numpy takes ten times as long."""
    import torch  # noqa: PLC0415 - likewise

    wide: Floats = torch.from_numpy(rows).float().numpy()
    return wide
