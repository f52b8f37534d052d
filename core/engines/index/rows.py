"""Embeddings in memory: float16 rows of many videos in a few large blocks, and sketches of full pages.

A removed video is gone from memory at once: its block is copied without it. Runs that were handed out stay unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from core.engines.index.quantize import QuantizationGrid, Sketch
    from core.ports.index import Halves

BLOCK_ROWS = 1 << 16
PAGE_ROWS = 1 << 14
"""So many rows are sketched at a time, and compared at a time: what their comparison gives fits into the cache."""
MOST_GAP_ROWS = 2048
"""So many rows of other videos are rather compared too than left out: each run of rows has a price of its own."""
OTHER = -1
"""The place of a video that nobody asks for."""

Places: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Span:
    """The half open [start, stop) rows of one video in a block."""

    video: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Rows side by side, to be compared in one go."""

    rows: Halves
    """(n, D)."""
    sketch: Sketch | None
    """Of the same rows."""
    starts: Places
    """(s,) where each span begins, from 0; the last reaches to the end."""
    places: Places
    """(s,) the place of each span's video among those that are asked for, or OTHER."""


@dataclass(slots=True, eq=False)
class RowBlock:
    """A piece of memory."""

    rows: Halves
    """(capacity, D); what lies beyond `used` means nothing, and takes no memory before it is written."""
    used: int = 0
    spans: list[Span] = field(default_factory=list)
    """In the order of rows."""
    sketches: dict[int, Sketch] = field(default_factory=dict)
    """Of those pages that have one."""

    def take(self, video: int, rows: Halves) -> Halves:
        """Take in as many rows as there is room for; give the rest."""
        taken = rows[: len(self.rows) - self.used]
        if len(taken):
            self.rows[self.used : self.used + len(taken)] = taken
            self._note(video, self.used, self.used + len(taken))
            self.used += len(taken)
        return rows[len(taken) :]

    def copy(self, span: Span, into: RowBlock) -> None:
        """Copy a span into another block, which has room for it."""
        into.take(span.video, self.rows[span.start : span.stop])

    def _note(self, video: int, start: int, stop: int) -> None:
        if self.spans and self.spans[-1].video == video:
            start = self.spans.pop().start
        self.spans.append(Span(video, start, stop))


class Blocks:
    """All looks of one recipe."""

    def __init__(self, dim: int, block_rows: int = BLOCK_ROWS, page_rows: int = PAGE_ROWS) -> None:
        self.dim = dim
        self._block_rows = block_rows
        self.page_rows = page_rows
        self._blocks: list[RowBlock] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(block.used for block in self._blocks)

    def add(self, video: int, rows: Halves) -> None:
        """Take in rows of a video, after those that it has."""
        while len(rows):
            if not self._blocks or self._blocks[-1].used == self._block_rows:
                self._blocks.append(self._empty())
            rows = self._blocks[-1].take(video, rows)

    def drop(self, video: int) -> None:
        """Let a video's rows go; neighbours that fit into one block become one."""
        blocks: list[RowBlock] = []
        for block in self._blocks:
            kept = self._without(block, video)
            if blocks and blocks[-1].used + kept.used <= self._block_rows:
                for span in kept.spans:
                    kept.copy(span, blocks[-1])
            elif kept.used:
                blocks.append(kept)
        self._blocks = blocks

    def rows(self, video: int) -> Halves:
        """Give a copy of a video's (n, D) rows, in the order in which they came."""
        return np.concatenate([self._no_rows(), *self.parts([video])[video]])

    def parts(self, videos: Iterable[int]) -> dict[int, list[Halves]]:
        """Give the rows of some videos as they lie in memory, in the order in which they came."""
        found: dict[int, list[Halves]] = {video: [] for video in videos}
        for block in self._blocks:
            for span in block.spans:
                if span.video in found:
                    found[span.video].append(block.rows[span.start : span.stop])
        return found

    def first(self) -> Halves:
        """Give the first page's rows, or none."""
        return self._blocks[0].rows[: min(self.page_rows, self._blocks[0].used)] if self._blocks else self._no_rows()

    @property
    def sketched(self) -> int:
        """Count the rows that have a sketch."""
        return sum(self.page_rows * len(block.sketches) for block in self._blocks)

    def sketch_next(self, grid: QuantizationGrid) -> bool:
        """Sketch a full page that has no sketch; tell whether there was one."""
        for block in self._blocks:
            for page in range(block.used // self.page_rows):
                if page not in block.sketches:
                    start = page * self.page_rows
                    block.sketches[page] = grid.sketch(block.rows[start : start + self.page_rows])
                    return True
        return False

    def drop_sketch(self) -> None:
        """Let the last sketch go; there must be one."""
        next(block for block in reversed(self._blocks) if block.sketches).sketches.popitem()

    def runs(self, places: Mapping[int, int]) -> list[Run]:
        """Give the rows of some videos, each with its place, in as few runs as make sense; a page is the longest."""
        return [
            self._run(block, page, list(spans), places)
            for block in self._blocks
            for together in _together(block.spans, places)
            for page, spans in groupby(self._cut(together), key=lambda span: span.start // self.page_rows)
        ]

    def _run(self, block: RowBlock, page: int, spans: list[Span], places: Mapping[int, int]) -> Run:
        first, last, begin = spans[0].start, spans[-1].stop, page * self.page_rows
        sketch = block.sketches.get(page)
        return Run(
            block.rows[first:last],
            sketch.part(first - begin, last - begin) if sketch else None,
            np.array([span.start - first for span in spans], np.intp),
            np.array([places.get(span.video, OTHER) for span in spans], np.intp),
        )

    def _cut(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Cut spans where pages end."""
        for span in spans:
            inner = range((span.start // self.page_rows + 1) * self.page_rows, span.stop, self.page_rows)
            for start, stop in pairwise([span.start, *inner, span.stop]):
                yield Span(span.video, start, stop)

    def _no_rows(self) -> Halves:
        return np.empty((0, self.dim), np.float16)

    def _empty(self) -> RowBlock:
        return RowBlock(np.empty((self._block_rows, self.dim), np.float16))

    def _without(self, block: RowBlock, video: int) -> RowBlock:
        if all(span.video != video for span in block.spans):
            return block
        kept = self._empty()
        for span in block.spans:
            if span.video != video:
                block.copy(span, kept)
        return kept


def _together(spans: Iterable[Span], wanted: Mapping[int, int]) -> Iterator[list[Span]]:
    """Give runs of spans that begin and end with a wanted one, and in which no gap between such is large."""
    run: list[Span] = []
    gap: list[Span] = []
    for is_wanted, group in groupby(spans, key=lambda span: span.video in wanted):
        if not is_wanted:
            gap = list(group)
            continue
        if run and sum(span.stop - span.start for span in gap) > MOST_GAP_ROWS:
            yield run
            run, gap = [], []
        run = [*run, *(gap if run else ()), *group]
        gap = []
    if run:
        yield run
