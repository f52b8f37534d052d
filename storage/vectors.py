"""Looks as BLOBs, and back. Knows no SQL.

float16 is half of the bytes; a cosine moves by less than 1e-3 for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors.disk import StorageDamaged
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
    """Give back the index of at least one chunk; vectors as float32. Raises StorageDamaged."""
    pieces = [piece(chunk) for chunk in chunks]
    try:
        times_s = np.concatenate([one.times_s for one in pieces], dtype=np.float64)
        with np.errstate(all="ignore"):  # noise may be anything
            return FrameIndex(times_s, np.concatenate([one.vectors for one in pieces], dtype=np.float32))
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error


def piece(chunk: Chunk) -> Piece:
    """Give a chunk's looks as they are stored. Raises StorageDamaged where they cannot be looks."""
    try:
        times_s = np.frombuffer(chunk.times_s, _TIMES)
        vectors = np.frombuffer(chunk.vectors, _VECTORS).reshape(len(times_s), -1)
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error
    return Piece(times_s, vectors)
