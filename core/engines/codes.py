"""Looks as one bit for each dimension, for those that memory has no room for: 64 bytes instead of 1024.

Owns the codes and what they are compared by; must not know where looks lie. CLIP's looks share a large mean, which
carries no order; so each bit says on which side of the mean a look lies. A guess, and no bound: what seems best by
codes is to be compared exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from core.looks import Halves
    from core.model import Floats

Bits = npt.NDArray[np.uint64]
_ROWS_AT_ONCE = 1 << 14
_WORD_BITS = 64


class Codes:
    """Codes of many films, one after the other."""

    def __init__(self, mean: Floats) -> None:
        """Take the (D,) mean that bits are relative to; it stays the same for all looks."""
        self.mean = mean
        self._words = -(-len(mean) // _WORD_BITS)
        self._rows: Bits = np.empty((0, self._words), np.uint64)
        self._used = 0
        self._spans: list[tuple[int, int, int]] = []

    def __len__(self) -> int:
        """Count the looks."""
        return self._used

    @property
    def used_bytes(self) -> int:
        """Give how much memory the codes take."""
        return self._used * self._words * 8

    def add(self, film: int, rows: Halves) -> None:
        """Take in looks of a film."""
        if not len(rows):
            return
        start, stop = self._used, self._used + len(rows)
        if stop > len(self._rows):
            self._rows = np.concatenate([self._rows[:start], np.empty((max(stop, 4096), self._words), np.uint64)])
        self._rows[start:stop] = self._bits(rows.astype(np.float32) - self.mean)
        self._used = stop
        self._spans.append((film, start, stop))

    def drop(self, film: int) -> None:
        """Let a film's codes go."""
        kept = [span for span in self._spans if span[0] != film]
        rows = [self._rows[start:stop] for _, start, stop in kept]
        self._rows = np.concatenate([self._rows[:0], *rows])
        self._used = len(self._rows)
        stops = np.cumsum([stop - start for _, start, stop in kept], dtype=np.intp)
        self._spans = [(one[0], int(end) - (one[2] - one[1]), int(end)) for one, end in zip(kept, stops, strict=True)]

    def nearest(self, films: set[int], vectors: Floats, most: int) -> set[int]:
        """Give for each of (Q, D) vectors the films whose nearest codes are nearest, at most that many."""
        spans = [span for span in self._spans if span[0] in films]
        if not spans:
            return set()
        found: set[int] = set()
        for wanted in self._bits(vectors):
            away = self._away(wanted)
            nearest: dict[int, int] = {}
            for film, start, stop in spans:
                nearest[film] = min(int(away[start:stop].min()), nearest.get(film, 1 << 30))
            found |= set(sorted(nearest, key=lambda film: nearest[film])[:most])
        return found

    def _away(self, wanted: Bits) -> npt.NDArray[np.uint16]:
        """Give in how many bits each look differs."""
        away = np.empty(self._used, np.uint16)
        for start in range(0, self._used, _ROWS_AT_ONCE):
            part = slice(start, min(start + _ROWS_AT_ONCE, self._used))
            np.bitwise_count(self._rows[part] ^ wanted).sum(axis=1, dtype=np.uint16, out=away[part])
        return away

    def _bits(self, rows: Floats) -> Bits:
        packed = np.packbits(rows > 0, axis=1)
        spare = self._words * 8 - packed.shape[1]
        return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, spare)))).view(np.uint64)
