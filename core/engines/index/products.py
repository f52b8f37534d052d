"""Dot products of many rows with one vector, by numkong.

Measured over a million embeddings of 512 numbers on two cores (bench/searching.py): bytes take less than half the time
of float16; numpy and torch are slower for either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numkong
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model.video import Floats
    from core.ports.index import Halves

Bits = npt.NDArray[np.uint8]
"""Eight to each number."""


def dots(rows: npt.NDArray[np.int8] | Halves, vector: npt.NDArray[np.int8] | Halves) -> Floats:
    """Give the (n,) float32 dot products of (n, D) rows with a (D,) vector of the same type.

    Products of bytes are exact; those of float16 are summed in float32.
    """
    found = np.empty((len(rows), 1), np.float32)
    if len(rows):
        numkong.cdist(rows, vector[None], metric="dot", out=found)
    return found[:, 0]


def bit_dots(rows: Bits, vectors: Bits) -> Floats:
    """Give in how many places both have a bit, (n, Q) float32, for (n, B) and (Q, B) packed bits."""
    if not len(rows):
        return np.empty((0, len(vectors)), np.float32)
    packed = numkong.dots_pack(np.ascontiguousarray(vectors), dtype="uint1")
    bits = numkong.from_pointer(rows.ctypes.data, rows.shape, "uint1", owner=rows)
    return np.asarray(numkong.dots_packed(bits, packed)).astype(np.float32)


def widened(rows: Halves) -> Floats:
    """Give float16 rows as float32, without loss."""
    wide = np.empty(rows.shape, np.float32)
    widen([rows], wide)
    return wide


def widen(parts: Iterable[Halves], wide: Floats) -> None:
    """Write (n, D) rows into the (N, D) array one after the other, without loss; numpy takes ten times as long."""
    start = 0
    for part in parts:
        if part.size:
            numkong.astype(part, "float32", out=wide[start : start + len(part)])
        start += len(part)
