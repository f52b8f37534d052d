"""Looks in memory: float16 rows of many films in few large blocks, one after the other.

Owns where each film's rows lie; must not know titles, views or torch. What is let go is gone from memory at once: its
block is made anew without it. One thread at a time may change anything; runs that were given out stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from core.looks import Halves
    from core.model import Floats

BLOCK_ROWS = 1 << 16
MOST_GAP_ROWS = 2048
"""So many rows of other films are rather compared too than left out: each run of rows has a price of its own."""
OTHER = -1
"""The place of a film that nobody asks for."""

Places: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Span:
    """The half open [start, stop) rows of one film in a block."""

    film: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Rows side by side, to be compared in one go."""

    rows: Halves
    """(n, D)."""
    starts: Places
    """(s,) where each span begins, from 0; the last reaches to the end."""
    places: Places
    """(s,) the place of each span's film among those that are asked for, or OTHER."""


@dataclass(slots=True, eq=False)
class Block:
    """A piece of memory."""

    rows: Halves
    """(capacity, D); what lies beyond `used` means nothing, and takes no memory before it is written."""
    used: int = 0
    spans: list[Span] = field(default_factory=list)
    """In the order of rows."""

    def take(self, film: int, rows: Halves) -> Halves:
        """Take in as many rows as there is room for; give the rest."""
        taken = rows[: len(self.rows) - self.used]
        if len(taken):
            self.rows[self.used : self.used + len(taken)] = taken
            self._note(film, self.used, self.used + len(taken))
            self.used += len(taken)
        return rows[len(taken) :]

    def copy(self, span: Span, into: Block) -> None:
        """Copy a span into another block, which has room for it."""
        into.take(span.film, self.rows[span.start : span.stop])

    def _note(self, film: int, start: int, stop: int) -> None:
        if self.spans and self.spans[-1].film == film:
            start = self.spans.pop().start
        self.spans.append(Span(film, start, stop))


class Blocks:
    """All looks of one recipe."""

    def __init__(self, dim: int, block_rows: int = BLOCK_ROWS) -> None:
        self.dim = dim
        self._block_rows = block_rows
        self._blocks: list[Block] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(block.used for block in self._blocks)

    def add(self, film: int, rows: Halves) -> None:
        """Take in rows of a film, after those that it has."""
        while len(rows):
            if not self._blocks or self._blocks[-1].used == self._block_rows:
                self._blocks.append(self._empty())
            rows = self._blocks[-1].take(film, rows)

    def drop(self, film: int) -> None:
        """Let a film's rows go; neighbours that fit into one block become one."""
        blocks: list[Block] = []
        for block in self._blocks:
            kept = self._without(block, film)
            if blocks and blocks[-1].used + kept.used <= self._block_rows:
                for span in kept.spans:
                    kept.copy(span, blocks[-1])
            elif kept.used:
                blocks.append(kept)
        self._blocks = blocks

    def rows(self, film: int) -> Halves:
        """Give a copy of a film's (n, D) rows, in the order in which they came."""
        parts = [b.rows[span.start : span.stop] for b in self._blocks for span in b.spans if span.film == film]
        return np.concatenate([np.empty((0, self.dim), np.float16), *parts])

    def mean(self) -> Floats:
        """Give the (D,) mean of the first block's rows; there must be some."""
        mean: Floats = self._blocks[0].rows[: self._blocks[0].used].mean(axis=0, dtype=np.float32)
        return mean

    def runs(self, places: Mapping[int, int]) -> list[Run]:
        """Give the rows of some films, each with its place, in as few runs as make sense."""
        return [_run(block, spans, places) for block in self._blocks for spans in _together(block.spans, places)]

    def _empty(self) -> Block:
        return Block(np.empty((self._block_rows, self.dim), np.float16))

    def _without(self, block: Block, film: int) -> Block:
        if all(span.film != film for span in block.spans):
            return block
        kept = self._empty()
        for span in block.spans:
            if span.film != film:
                block.copy(span, kept)
        return kept


def _run(block: Block, spans: list[Span], places: Mapping[int, int]) -> Run:
    first, last = spans[0].start, spans[-1].stop
    starts = np.array([span.start - first for span in spans], np.intp)
    return Run(block.rows[first:last], starts, np.array([places.get(span.film, OTHER) for span in spans], np.intp))


def _together(spans: Iterable[Span], wanted: Mapping[int, int]) -> Iterator[list[Span]]:
    """Give runs of spans that begin and end with a wanted one, and in which no gap between such is large."""
    run: list[Span] = []
    gap: list[Span] = []
    for is_wanted, group in groupby(spans, key=lambda span: span.film in wanted):
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
