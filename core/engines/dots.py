"""Dot products of many rows with one vector, and wider numbers, as fast as the processor can, by numkong.

Owns which of its functions are called; must not know films. Measured on two cores, a million looks of 512
(bench/searching.py): bytes take less than half the time of float16; numpy and torch take longer for either, and lack
the means for bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numkong
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from core.looks import Halves
    from core.model import Floats


def dots(rows: npt.NDArray[np.int8] | Halves, vector: npt.NDArray[np.int8] | Halves) -> Floats:
    """Give the (n,) float32 dot products of (n, D) rows with a (D,) vector of the same type.

    Products of bytes are exact; those of float16 are summed in float32.
    """
    found = np.empty((len(rows), 1), np.float32)
    if len(rows):
        numkong.cdist(rows, vector[None], metric="dot", out=found)
    return found[:, 0]


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
