"""Looks as BLOBs, and back. Knows no SQL.

float16 is half of the bytes; a cosine moves by less than 1e-3 for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.looks import Piece
from core.model import FrameIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK_LOOKS = 512

_TIMES = np.dtype("<f8")
_VECTORS = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to CHUNK_LOOKS looks in a row."""

    times_s: bytes
    """(n,) little-endian float64."""
    vectors: bytes
    """(n, D) little-endian float16, C order."""


def split(index: FrameIndex, looks: int = CHUNK_LOOKS) -> Iterator[Chunk]:
    """Give an index as chunks of that many looks in the order of time."""
    for start in range(0, len(index), looks):
        part = slice(start, start + looks)
        yield Chunk(index.times_s[part].astype(_TIMES).tobytes(), index.vectors[part].astype(_VECTORS).tobytes())


def join(chunks: Sequence[Chunk]) -> FrameIndex:
    """Give back the index of at least one chunk; vectors as float32."""
    times = [np.frombuffer(chunk.times_s, _TIMES) for chunk in chunks]
    vectors = [
        np.frombuffer(chunk.vectors, _VECTORS).reshape(len(t), -1) for chunk, t in zip(chunks, times, strict=True)
    ]
    return FrameIndex(np.concatenate(times, dtype=np.float64), np.concatenate(vectors, dtype=np.float32))


def piece(chunk: Chunk) -> Piece:
    """Give a chunk's looks as they are stored."""
    times_s = np.frombuffer(chunk.times_s, _TIMES)
    return Piece(times_s, np.frombuffer(chunk.vectors, _VECTORS).reshape(len(times_s), -1))
