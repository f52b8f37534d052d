"""One-bit codes of embeddings, for videos that memory has no room for: 64 bytes instead of 1024.

Each bit says on which side of the mean a number lies; the query keeps six bits a number (Gao and Long, "RaBitQ", SIGMOD
2024). Codes guess and bound nothing: what scores best by them is compared exactly afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.engines.index.products import bit_dots, widened

if TYPE_CHECKING:
    from core.engines.index.products import Bits
    from core.engines.index.scan import Share
    from core.model.video import Floats
    from core.ports.index import Halves

_ROWS_AT_ONCE = 1 << 16
_WORD_BITS = 64
_LEVEL_BITS = 6


class Codes:
    """Codes of many videos, one after the other."""

    def __init__(self, mean: Floats) -> None:
        """Take the (D,) mean that bits are relative to; it stays the same for all looks."""
        self.mean = mean
        self._row_bytes = -(-len(mean) // _WORD_BITS) * _WORD_BITS // 8
        self._rows: Bits = np.empty((0, self._row_bytes), np.uint8)
        self._used = 0
        self._spans: list[tuple[int, int, int]] = []

    def __len__(self) -> int:
        """Count the looks."""
        return self._used

    @property
    def used_bytes(self) -> int:
        """Give how much memory the codes take."""
        return self._used * self._row_bytes

    def add(self, video: int, rows: Halves) -> None:
        """Take in looks of a video."""
        if not len(rows):
            return
        start, stop = self._used, self._used + len(rows)
        if stop > len(self._rows):
            self._rows = np.concatenate([self._rows[:start], np.empty((max(stop, 4096), self._row_bytes), np.uint8)])
        self._rows[start:stop] = self._packed(widened(rows) > self.mean)
        self._used = stop
        self._spans.append((video, start, stop))

    def drop(self, video: int) -> None:
        """Let a video's codes go."""
        kept = [span for span in self._spans if span[0] != video]
        rows = [self._rows[start:stop] for _, start, stop in kept]
        self._rows = np.concatenate([self._rows[:0], *rows])
        self._used = len(self._rows)
        stops = np.cumsum([stop - start for _, start, stop in kept], dtype=np.intp)
        self._spans = [(one[0], int(end) - (one[2] - one[1]), int(end)) for one, end in zip(kept, stops, strict=True)]

    def nearest(self, videos: set[int], vectors: Floats, most: int, share: Share) -> set[int]:
        """Give for each of (Q, D) vectors the videos whose nearest codes are nearest, at most that many."""
        spans = [span for span in self._spans if span[0] in videos]
        found: set[int] = set()
        for vector in vectors if spans else ():
            near = self._near(vector, share)
            best: dict[int, float] = {}
            for video, start, stop in spans:
                best[video] = max(float(near[start:stop].max()), best.get(video, -np.inf))
            found |= set(sorted(best, key=lambda video: -best[video])[:most])
        return found

    def _near(self, vector: Floats, share: Share) -> Floats:
        """Give how near each look seems to a vector; larger is nearer."""
        planes, worth = self._planes(vector)
        parts = [self._rows[start : start + _ROWS_AT_ONCE] for start in range(0, self._used, _ROWS_AT_ONCE)]
        return np.concatenate(list(share(lambda part: bit_dots(part, planes) @ worth, parts)))

    def _planes(self, vector: Floats) -> tuple[Bits, Floats]:
        """Give the bits of a vector's numbers, a row for each place, and what a bit there is worth."""
        most = 2 ** (_LEVEL_BITS - 1)
        step = max(float(np.abs(vector).max()) / (most - 1), float(np.finfo(np.float32).tiny))
        levels = np.rint(vector / np.float32(step)).astype(np.int64)
        places = np.arange(_LEVEL_BITS)
        worth = np.where(places < _LEVEL_BITS - 1, 2.0**places, -float(most)).astype(np.float32)
        return self._packed(levels >> places[:, None] & 1), worth

    def _packed(self, bits: np.ndarray[tuple[int, ...], np.dtype[np.bool_ | np.int64]]) -> Bits:
        packed = np.packbits(bits.astype(np.bool_), axis=1)
        return np.pad(packed, ((0, 0), (0, self._row_bytes - packed.shape[1])))
