"""Which embeddings are held in memory under a budget: rows as stored, sketches of them, and codes of the rest.

Sketches give way first, since they only make a search faster; then rows. Methods may be called by one thread at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from core.engines.index.codes import Codes
from core.engines.index.products import widen, widened
from core.engines.index.quantize import QuantizationGrid
from core.engines.index.rows import Blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.engines.index.rows import Run
    from core.engines.index.scan import Share
    from core.model.video import Floats
    from core.ports.index import Halves

_SKETCHED_SHARE = 0.52
"""What a sketch takes of what its row takes: half, and a number."""


@dataclass(slots=True, eq=False)
class _Held:
    """The looks of one recipe."""

    blocks: Blocks
    grid: QuantizationGrid | None = None
    codes: Codes | None = None

    @property
    def row_bytes(self) -> int:
        return 2 * self.blocks.dim


class IndexMemory:
    """Videos' looks by recipe and number."""

    def __init__(self, budget_bytes: float) -> None:
        self._budget_bytes = budget_bytes
        self._held: dict[str, _Held] = {}

    @property
    def used_bytes(self) -> int:
        """Give how much memory the looks take."""
        return self._rows_bytes + sum(
            int(_SKETCHED_SHARE * h.blocks.sketched * h.row_bytes) for h in tuple(self._held.values())
        )

    @property
    def _rows_bytes(self) -> int:
        """Give how much they take without sketches."""
        codes = sum(held.codes.used_bytes for held in tuple(self._held.values()) if held.codes is not None)
        return codes + sum(len(held.blocks) * held.row_bytes for held in tuple(self._held.values()))

    @property
    def looks(self) -> int:
        """Count the looks that are held as they are stored."""
        return sum(len(held.blocks) for held in tuple(self._held.values()))

    @property
    def coded(self) -> int:
        """Count the looks of which there is no room for more than a code."""
        return sum(len(held.codes) for held in tuple(self._held.values()) if held.codes is not None)

    @property
    def sketched(self) -> int:
        """Count the looks that have a sketch."""
        return sum(held.blocks.sketched for held in tuple(self._held.values()))

    def open(self, key: str, dim: int) -> None:
        """Take in looks of a recipe from now on."""
        self._held.setdefault(key, _Held(Blocks(dim)))

    def put(self, key: str, video: int, rows: Halves, *, coded: bool) -> bool:
        """Add frames of a video; tell whether it is held as codes from now on, as it was or for lack of room."""
        held = self._held[key]
        if not coded and self._rows_bytes + rows.nbytes > self._budget_bytes:
            coded = True
            self._code(held, video, rows)
        if coded and held.codes is not None:
            held.codes.add(video, rows)
        else:
            held.blocks.add(video, rows)
            self._make_room()
        return coded

    def drop(self, key: str, video: int, *, coded: bool) -> None:
        """Let a video's looks go."""
        held = self._held[key]
        if coded and held.codes is not None:
            held.codes.drop(video)
        else:
            held.blocks.drop(video)

    def rows(self, wanted: Sequence[tuple[str, int]]) -> list[Floats]:
        """Give the (n, D) rows of each of some videos as float32; none where one is held as codes.

        They are parts of one array: many smaller ones would take five times as long, most of it for fresh memory.
        """
        found: list[Floats] = []
        for key, videos in groupby(wanted, key=itemgetter(0)):
            found += _widened_together(self._held[key].blocks, [video for _, video in videos])
        return found

    def runs(self, key: str, places: Mapping[int, int]) -> tuple[list[Run], QuantizationGrid | None]:
        """Give the rows of some videos, each with its place, and what their sketches are relative to."""
        held = self._held[key]
        return held.blocks.runs(places), held.grid

    def nearest(self, key: str, videos: set[int], vectors: Floats, most: int, share: Share) -> set[int]:
        """Give for each of (Q, D) vectors the videos whose nearest codes are nearest, at most that many."""
        codes = self._held[key].codes
        return codes.nearest(videos, vectors, most, share) if codes is not None else set()

    def sketch_next(self) -> bool:
        """Sketch some rows; tell whether that was needed, and whether there was room for it."""
        return any(self._sketch_next(held) for held in tuple(self._held.values()))

    def _sketch_next(self, held: _Held) -> bool:
        page_bytes = int(_SKETCHED_SHARE * held.blocks.page_rows * held.row_bytes)
        if self.used_bytes + page_bytes > self._budget_bytes or len(held.blocks) < held.blocks.page_rows:
            return False
        held.grid = held.grid or QuantizationGrid(held.blocks.first())
        return held.blocks.sketch_next(held.grid)

    def _make_room(self) -> None:
        for held in tuple(self._held.values()):
            while held.blocks.sketched and self.used_bytes > self._budget_bytes:
                held.blocks.drop_sketch()

    def _code(self, held: _Held, video: int, rows: Halves) -> None:
        """Hold what there is of a video as codes."""
        if held.codes is None:
            first = held.blocks.first()
            held.codes = Codes(widened(first if len(first) else rows).mean(axis=0))
        held.codes.add(video, held.blocks.rows(video))
        held.blocks.drop(video)


def _widened_together(blocks: Blocks, videos: Sequence[int]) -> list[Floats]:
    parts = blocks.parts(videos)
    stops = np.cumsum([sum(map(len, parts[video])) for video in videos], dtype=np.intp)
    wide = np.empty((int(stops[-1]), blocks.dim), np.float32)
    widen((part for video in videos for part in parts[video]), wide)
    return np.split(wide, stops[:-1])
