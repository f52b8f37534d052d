"""The fast comparison of many looks with few vectors, by torch. Owns how far it may be off; must not know films.

Measured on two cores, a million looks of 512: float16 as it is stored takes half as long as float32, and needs no
second copy (bench/searching.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from core.looks import Halves
    from core.model import Floats

_ROWS_AT_ONCE = 8192
"""What fits into the processor's cache, so that a second vector finds it there."""


def products(rows: Halves, vectors: Floats) -> Floats:
    """Give (Q, n) float32 dot products of (n, D) rows with (Q, D) vectors, for lengths of 1 within ERROR."""
    with torch.inference_mode():
        looks, halves = torch.from_numpy(rows), torch.from_numpy(vectors).half()
        out = torch.empty((len(vectors), len(rows)), dtype=torch.float16)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            for number, vector in enumerate(halves):
                torch.mv(looks[part], vector, out=out[number, part])
        found: Floats = out.float().numpy()
        return found
