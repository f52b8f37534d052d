"""Embeddings in memory: the float16 rows of many videos in a few large blocks, under a budget.

A removed video is gone from memory at once: its block is copied without it. Runs that were handed out stay unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from core.engines.index.similarity import OTHER, Run, widened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.model.video import Floats
    from core.ports.index import Halves

BLOCK_ROWS = 1 << 16
MOST_GAP_ROWS = 2048
"""Up to so many rows of other videos are compared too rather than left out: each run has a cost of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """The half open [start, stop) rows of one video in a block."""

    video: int
    start: int
    stop: int


@dataclass(slots=True, eq=False)
class RowBlock:
    """A piece of memory."""

    rows: Halves
    """(capacity, D); what lies beyond `used` means nothing, and takes no memory before it is written."""
    used: int = 0
    spans: list[Span] = field(default_factory=list)
    """In the order of rows."""

    def take(self, video: int, rows: Halves) -> Halves:
        """Copy in as many rows as there is room for; return the rest."""
        taken = rows[: len(self.rows) - self.used]
        if len(taken):
            start, stop = self.used, self.used + len(taken)
            self.rows[start:stop] = taken
            if self.spans and self.spans[-1].video == video:
                start = self.spans.pop().start
            self.spans.append(Span(video, start, stop))
            self.used = stop
        return rows[len(taken) :]


class RowBlocks:
    """All embeddings of one recipe."""

    def __init__(self, dim: int, block_rows: int = BLOCK_ROWS) -> None:
        self.dim = dim
        self._block_rows = block_rows
        self._blocks: list[RowBlock] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(block.used for block in self._blocks)

    def add(self, video: int, rows: Halves) -> None:
        """Copy in rows of a video, after those that it has."""
        while len(rows):
            if not self._blocks or self._blocks[-1].used == self._block_rows:
                self._blocks.append(self._empty())
            rows = self._blocks[-1].take(video, rows)

    def drop(self, video: int) -> None:
        """Remove a video's rows; neighbours that fit into one block become one."""
        blocks: list[RowBlock] = []
        for block in self._blocks:
            kept = self._without(block, video)
            if blocks and blocks[-1].used + kept.used <= self._block_rows:
                for span in kept.spans:
                    blocks[-1].take(span.video, kept.rows[span.start : span.stop])
            elif kept.used:
                blocks.append(kept)
        self._blocks = blocks

    def parts(self, videos: Iterable[int]) -> dict[int, list[Halves]]:
        """Return the rows of some videos as they lie in memory, in the order in which they came."""
        found: dict[int, list[Halves]] = {video: [] for video in videos}
        for block in self._blocks:
            for span in block.spans:
                if span.video in found:
                    found[span.video].append(block.rows[span.start : span.stop])
        return found

    def runs(self, places: Mapping[int, int]) -> list[Run]:
        """Return the rows of some videos, each with its place, in as few runs as make sense."""
        return [_run(block, spans, places) for block in self._blocks for spans in _together(block.spans, places)]

    def _empty(self) -> RowBlock:
        return RowBlock(np.empty((self._block_rows, self.dim), np.float16))

    def _without(self, block: RowBlock, video: int) -> RowBlock:
        if all(span.video != video for span in block.spans):
            return block
        kept = self._empty()
        for span in block.spans:
            if span.video != video:
                kept.take(span.video, block.rows[span.start : span.stop])
        return kept


class IndexMemory:
    """The embeddings of each recipe, as many as the budget has room for.

    Its methods may be called by one thread at a time; the counts by any.
    """

    def __init__(self, budget_bytes: float) -> None:
        self._budget_bytes = budget_bytes
        self._blocks: dict[str, RowBlocks] = {}

    @property
    def used_bytes(self) -> int:
        """Return how much memory the embeddings take."""
        return sum(_bytes(blocks) for blocks in tuple(self._blocks.values()))

    @property
    def frames(self) -> int:
        """Count the embeddings."""
        return sum(map(len, tuple(self._blocks.values())))

    def open(self, key: str, dim: int) -> None:
        """Accept embeddings of a recipe from now on."""
        self._blocks.setdefault(key, RowBlocks(dim))

    def has_room(self, row_bytes: int) -> bool:
        """Tell whether the budget has room for so much more."""
        return self.used_bytes + row_bytes <= self._budget_bytes

    def put(self, key: str, video: int, rows: Halves) -> bool:
        """Add rows of a video. Where the budget has no room, remove all that it has instead, and return False."""
        fits = self.has_room(rows.nbytes)
        if fits:
            self._blocks[key].add(video, rows)
        else:
            self._blocks[key].drop(video)
        return fits

    def drop(self, key: str, video: int) -> None:
        """Remove a video's rows."""
        self._blocks[key].drop(video)

    def rows(self, wanted: Sequence[tuple[str, int]]) -> list[Floats]:
        """Return the (n, D) rows of each of some videos as float32.

        They are parts of one array: many smaller ones would take five times as long, most of it for fresh memory.
        """
        found: list[Floats] = []
        for key, videos in groupby(wanted, key=itemgetter(0)):
            numbers = [video for _, video in videos]
            parts = self._blocks[key].parts(numbers)
            stops = np.cumsum([sum(map(len, parts[video])) for video in numbers], dtype=np.intp)
            wide = widened(np.concatenate([part for video in numbers for part in parts[video]]))
            found += np.split(wide, stops[:-1])
        return found

    def runs(self, key: str, places: Mapping[int, int]) -> list[Run]:
        """Return the rows of some videos, each with its place."""
        return self._blocks[key].runs(places)


def _bytes(blocks: RowBlocks) -> int:
    return len(blocks) * blocks.dim * np.dtype(np.float16).itemsize


def _run(block: RowBlock, spans: list[Span], places: Mapping[int, int]) -> Run:
    first, last = spans[0].start, spans[-1].stop
    return Run(
        block.rows[first:last],
        np.array([span.start - first for span in spans], np.intp),
        np.array([places.get(span.video, OTHER) for span in spans], np.intp),
    )


def _together(spans: Iterable[Span], wanted: Mapping[int, int]) -> Iterator[list[Span]]:
    """Yield runs of spans that begin and end with a wanted one, and in which no gap between such is large."""
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
