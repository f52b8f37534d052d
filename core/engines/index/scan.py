"""Bounds the similarity of each video with a query: bounds from all rows, exact values for the best.

It has its own threads, none of which waits for another before the end: those of torch meet after every few thousand
rows and spin. 200,000 rows took 440 ms so beside indexing, and take 45; on an idle machine it is no difference.
"""

from __future__ import annotations

from bisect import insort
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from core.engines.index.products import dots, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from core.engines.index.quantize import QuantizationGrid
    from core.engines.index.rows import Places, Run
    from core.model.video import Floats
    from core.ports.index import Halves

Item = TypeVar("Item")


Given = TypeVar("Given")


MOST_TRIED = 512
"""So many videos are compared exactly at most; where more might be best, the search compares them video by video."""


_ROUNDING = np.float32(1e-5)
"""More than sums in float32 are off by, for rows and vectors of about length 1."""


_CLOSE = np.float32(0.02)
"""Rows this close below a video's most promising one are compared with it in one go."""


class Share(Protocol):
    """Does work on several items at once, as `map` does one after the other."""

    def __call__(self, work: Callable[[Item], Given], items: Iterable[Item], /) -> Iterable[Given]:
        """Give what the work gives for each item, in order."""
        ...


@dataclass(frozen=True)
class Field:
    """All rows that a question is about, and where each video's are."""

    runs: Sequence[Run]
    videos: int
    grid: QuantizationGrid | None

    @cached_property
    def _spans(self) -> tuple[Places, Places, Places, Places]:
        """Give the place of each span's video in rising order, and its run, its start and its stop."""
        places = np.concatenate([run.places for run in self.runs])
        numbers = np.repeat(np.arange(len(self.runs)), [len(run.places) for run in self.runs])
        starts = np.concatenate([run.starts for run in self.runs])
        stops = np.concatenate([np.append(run.starts[1:], len(run.rows)) for run in self.runs])
        order = np.argsort(places, kind="stable")
        return places[order], numbers[order], starts[order], stops[order]

    def spans(self, place: int) -> Iterable[tuple[int, int, int]]:
        """Give run, start and stop of each piece of a video."""
        places, *rest = self._spans
        part = slice(*np.searchsorted(places, [place, place + 1]))
        return zip(*(one[part].tolist() for one in rest), strict=True)


def highest(field: Field, vectors: Floats, most: int, share: Share) -> Floats:
    """Give (Q, F) float32 numbers that no row of the video has a higher dot product with the (Q, D) vector than.

    For each vector those of the best videos are exact, of so many as `most` says.
    """
    return np.array([_highest(field, vector, most, share) for vector in vectors], np.float32).reshape(len(vectors), -1)


def _highest(field: Field, vector: Floats, most: int, share: Share) -> Floats:
    found = np.full(field.videos + 1, -np.inf, np.float32)  # the last place takes what is OTHER
    bounded = list(share(_bounds(field, vector), field.runs))
    for run, (_, of_spans) in zip(field.runs, bounded, strict=True):
        np.maximum.at(found, run.places, of_spans)
    if field.videos > 1:
        _tighten(field, vector, [uppers for uppers, _ in bounded], found[: field.videos], most)
    return found[: field.videos]


def _bounds(field: Field, vector: Floats) -> Callable[[Run], tuple[Floats, Floats]]:
    """Give what bounds a run's rows, and the highest bound of each of its spans."""
    asked = field.grid.ask(vector) if field.grid else None
    half = vector.astype(np.float16)
    rest = _ROUNDING + np.float32(np.linalg.norm(vector - widened(half[None])[0]))

    def bounded(run: Run) -> tuple[Floats, Floats]:
        if asked is not None and run.sketch is not None:
            uppers = asked.highest(run.sketch)
        else:
            uppers = dots(run.rows, half) + rest
        return uppers, np.maximum.reduceat(uppers, run.starts)

    return bounded


def _tighten(field: Field, vector: Floats, uppers: Sequence[Floats], found: Floats, most: int) -> None:
    """Make the bounds of the best videos exact."""
    best: list[float] = []
    for place in np.argsort(-found, kind="stable")[:MOST_TRIED].tolist():
        if found[place] == -np.inf or (len(best) >= most and found[place] <= -best[most - 1]):
            break  # of a video that is held as codes no row is here
        with np.errstate(all="ignore"):
            exact = _peak(field, vector, uppers, place, found[place])
        if np.isfinite(exact):  # else it is damaged, and the search should come upon it
            found[place] = exact
            insort(best, -float(exact))


def _peak(field: Field, vector: Floats, uppers: Sequence[Floats], place: int, bound: np.float32) -> np.float32:
    """Give a video's highest dot product."""
    spans = [
        (uppers[number][start:stop], field.runs[number].rows[start:stop]) for number, start, stop in field.spans(place)
    ]
    peak = _compared(spans, vector, bound - _CLOSE)
    return peak if peak >= bound - _CLOSE else _compared(spans, vector, peak)


def _compared(spans: Iterable[tuple[Floats, Halves]], vector: Floats, least: np.float32) -> np.float32:
    """Give the highest dot product of the rows whose bound is not below the least."""
    rows = np.concatenate([rows[uppers >= least] for uppers, rows in spans])
    found: np.float32 = (widened(rows) @ vector).max(initial=-np.inf) + _ROUNDING
    return found


class Scanners:
    """Implements core.engines.index.scan.Share."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "scan")

    def __call__(self, work: Callable[[Item], Given], items: Iterable[Item]) -> list[Given]:
        """Give what the work gives for each item, in order."""
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
