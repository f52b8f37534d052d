"""Resizes pictures by Pillow's algorithm as products with small matrices, equal but for ties of rounding.

open_clip resizes with Pillow (src/libImaging/Resample.c); another library's bicubic moves scores visibly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.model.video import Floats, Interpolation, Pixels

    Doubles = npt.NDArray[np.float64]

_BLOCK = 16
"""Outputs a product: a wider one would multiply by ever more zeros."""


@dataclass(frozen=True, slots=True, eq=False)
class KernelBlock:
    """The outputs [first, last) of a line, and what they are made of."""

    first: int
    last: int
    low: int
    """They need the inputs [low, high)."""
    high: int
    weights: Floats
    """(high - low, last - first) float32."""


@cache
def blocks(size: int, resized: int, low: int, high: int, kernel: Interpolation) -> tuple[KernelBlock, ...]:
    """Give how the outputs [low, high) of a line of `size` come about that is resized to `resized`."""
    return tuple(_block(size, resized, first, min(first + _BLOCK, high), kernel) for first in range(low, high, _BLOCK))


def resample(rgb: Pixels, size: tuple[int, int], box: tuple[int, int, int, int], kernel: Interpolation) -> Pixels:
    """Resize (H, W, 3) uint8 to width and height, and give left, top, right, bottom of that alone."""
    left, top, right, bottom = box
    across = blocks(rgb.shape[1], size[0], left, right, kernel)
    down = blocks(rgb.shape[0], size[1], top, bottom, kernel)
    needed = rgb[down[0].low : down[-1].high, across[0].low : across[-1].high]
    low = down[0].low
    lines = np.concatenate([_across(np.asarray(plane, np.float32), across) for plane in cv2.split(needed)], axis=1)
    made = np.empty((bottom - top, lines.shape[1]), np.float32)
    for block in down:
        np.matmul(
            block.weights.T, lines[block.low - low : block.high - low], out=made[block.first - top : block.last - top]
        )
    planes = _levels(made).astype(np.uint8).reshape(bottom - top, 3, right - left)
    return np.ascontiguousarray(planes.transpose(0, 2, 1))


def _across(lines: Floats, across: tuple[KernelBlock, ...]) -> Floats:
    start, low = across[0].first, across[0].low
    made = np.empty((len(lines), across[-1].last - start), np.float32)
    for block in across:
        made[:, block.first - start : block.last - start] = lines[:, block.low - low : block.high - low] @ block.weights
    return _levels(made)


def _levels(made: Floats) -> Floats:
    """Round to whole levels of 0 to 255, in place."""
    np.floor(made + 0.5, out=made)
    return np.clip(made, 0, 255, out=made)


def _block(size: int, resized: int, first: int, last: int, kernel: Interpolation) -> KernelBlock:
    scale = size / resized
    reach = max(scale, 1.0)
    support = (2.0 if kernel == "bicubic" else 1.0) * reach
    centres = (np.arange(first, last) + 0.5) * scale
    lows = np.maximum(0, (centres - support + 0.5).astype(int))
    highs = np.minimum(size, (centres + support + 0.5).astype(int))
    places = np.arange(lows[0], highs[-1])[:, None]
    weights = (_cubic if kernel == "bicubic" else _triangle)((places - centres + 0.5) / reach)
    weights[(places < lows) | (places >= highs)] = 0.0
    weights /= weights.sum(axis=0)
    return KernelBlock(first, last, int(lows[0]), int(highs[-1]), weights.astype(np.float32))


def _cubic(distance: Doubles) -> Doubles:
    """Give Keys's kernel with a = -0.5."""
    x = np.abs(distance)
    near, far = (1.5 * x - 2.5) * x * x + 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _triangle(distance: Doubles) -> Doubles:
    return np.maximum(0.0, 1.0 - np.abs(distance))
