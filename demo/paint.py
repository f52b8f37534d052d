"""A canvas measured in its own heights, and the few brushes with which the demo's worlds are painted.

Lengths are shares of the picture's height: x runs over [0, aspect] rightwards, y over [0, 1] downwards. So one painting
serves a training scene 90 pixels high and a video of 360.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Pixels: TypeAlias = "NDArray[np.float32]"
"""(H, W, 3) float32, RGB in [0, 255], not clipped while painting."""
Mask: TypeAlias = "NDArray[np.uint8]"
"""(H, W) uint8, coverage from 0 to 255."""
Floats: TypeAlias = "NDArray[np.float64]"
"""Any shape, float64."""
Color: TypeAlias = tuple[float, float, float]
"""RGB in [0, 255]."""

_SHIFT = 4
"""Bits of sub-pixel precision that OpenCV's drawing calls are given."""


def mix(one: Color, other: Color, share: float) -> Color:
    """Return the colour `share` of the way (0 to 1) from one to the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """A picture being painted, in units of its own height."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.aspect = width_px / height_px
        self.pixels: Pixels = np.zeros((height_px, width_px, 3), np.float32)

    def columns(self) -> Floats:
        """Return the x of each pixel column, (W,) float64, in heights."""
        return (np.arange(self.width_px) + 0.5) / self.height_px

    def rows(self) -> Floats:
        """Return the y of each pixel row, (H,) float64, in heights."""
        return (np.arange(self.height_px) + 0.5) / self.height_px

    def gradient(self, stops: Sequence[tuple[float, Color]]) -> None:
        """Fill everything with a vertical gradient through (y, colour) stops, y rising."""
        self.pixels[:] = self._vertical(stops)[:, None, :]

    def _vertical(self, stops: Sequence[tuple[float, Color]]) -> Pixels:
        heights = [y for y, _ in stops]
        channels = [np.interp(self.rows(), heights, [color[i] for _, color in stops]) for i in range(3)]
        return np.stack(channels, axis=1).astype(np.float32)

    def below(self, profile: Floats, top: Color, bottom: Color, alpha: float = 1.0, depth: float = 0.5) -> None:
        """Fill what lies below a profile, (W,) y in heights, shading from `top` to `bottom` over `depth` heights."""
        first = int(np.clip(np.floor(profile.min() * self.height_px) - 1, 0, self.height_px))
        region = self.pixels[first:]
        drop = (self.rows()[first:, None] - profile[None, :]).astype(np.float32)
        cover = np.clip(drop * self.height_px + 0.5, 0, 1) * np.float32(alpha)
        share = np.clip(drop / np.float32(depth), 0, 1)
        for channel in range(3):
            shades = top[channel] + share * np.float32(bottom[channel] - top[channel])
            region[..., channel] += cover * (shades - region[..., channel])

    def mask(self) -> Mask:
        """Return an empty stencil of the canvas's size."""
        return np.zeros((self.height_px, self.width_px), np.uint8)

    def dots(self, mask: Mask, xs: ArrayLike, ys: ArrayLike, radii: ArrayLike) -> None:
        """Cut discs into a stencil: centres and radii in heights."""
        for x, y, r in np.broadcast(np.asarray(xs), np.asarray(ys), np.asarray(radii)):
            cv2.circle(mask, self._point(x, y), max(self._fixed(r), 4), 255, -1, cv2.LINE_AA, _SHIFT)

    def polygon(self, mask: Mask, corners: ArrayLike) -> None:
        """Cut a filled polygon, (N, 2) of x and y in heights, into a stencil."""
        points = np.round((np.asarray(corners, np.float64) * self.height_px - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, _SHIFT)

    def stroke(self, mask: Mask, corners: ArrayLike, width: float) -> None:
        """Cut an open line through (N, 2) points into a stencil; its width in heights, one pixel at least."""
        points = np.round((np.asarray(corners, np.float64) * self.height_px - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(mask, [points], False, 255, max(round(width * self.height_px), 1), cv2.LINE_AA, _SHIFT)

    def box(self, mask: Mask, left: float, top: float, right: float, bottom: float) -> None:
        """Cut a rectangle into a stencil."""
        self.polygon(mask, [(left, top), (right, top), (right, bottom), (left, bottom)])

    def paint(self, mask: Mask, color: Color, alpha: float = 1.0, bottom: Color | None = None) -> None:
        """Lay a colour (or a gradient from `color` to `bottom` over the stencil's height) through a stencil."""
        left, top, width, height = cv2.boundingRect(mask)
        if width == 0 or height == 0:
            return
        region = self.pixels[top : top + height, left : left + width]
        cover = mask[top : top + height, left : left + width, None].astype(np.float32) * (alpha / 255)
        shades = np.linspace(color, bottom or color, height, dtype=np.float32)[:, None, :]
        region += cover * (shades - region)

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 1.0) -> None:
        """Add light around a point, fading out with the distance in units of `radius` heights."""
        reach = 3 * radius
        left, right = (int(np.clip((x + side * reach) * self.height_px, 0, self.width_px)) for side in (-1, 1))
        top, bottom = (int(np.clip((y + side * reach) * self.height_px, 0, self.height_px)) for side in (-1, 1))
        across = np.exp(-(((self.columns()[left:right] - x) / radius) ** 2))
        down = np.exp(-(((self.rows()[top:bottom] - y) / radius) ** 2))
        light = (strength * down[:, None] * across[None, :]).astype(np.float32)
        self.pixels[top:bottom, left:right] += light[..., None] * np.asarray(color, np.float32)

    def veil(self, cover: Floats, color: Color) -> None:
        """Blend a colour over everything, (H, W) float64 coverage from 0 to 1."""
        thin = cover.astype(np.float32)
        for channel in range(3):
            layer = self.pixels[..., channel]
            layer += thin * (np.float32(color[channel]) - layer)

    def _fixed(self, length: float) -> int:
        return round(float(length) * self.height_px * (1 << _SHIFT))

    def _point(self, x: float, y: float) -> tuple[int, int]:
        half = 1 << (_SHIFT - 1)
        return self._fixed(x) - half, self._fixed(y) - half


def waves(
    xs: Floats, rng: np.random.Generator, *, amplitude: float, length: float, phase: float = 0.0, jagged: bool = False
) -> Floats:
    """Return a rolling (or jagged) profile over xs, in heights around 0: four waves of falling length."""
    total = np.zeros_like(xs)
    for octave in range(4):
        angle = 2 * np.pi * (xs * rng.uniform(0.8, 1.25) * 2**octave / length + rng.random()) + phase * (1 + octave)
        wave = 2 * np.abs((angle / np.pi) % 2 - 1) - 1 if jagged else np.sin(angle)
        total += amplitude * wave / 2.1**octave
    return total


def clouds(shape: tuple[int, int], rng: np.random.Generator, *, cells: float, drift: float = 0.0) -> Floats:
    """Smooth noise from 0 to 1, (H, W) float64; `cells` bumps in a height; `drift` shifts it, in heights."""
    height_px, width_px = shape
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        step_px = height_px / (cells * 2**octave)
        grid = rng.random((int(cells * 2**octave) + 3, int(cells * 2**octave * 3.2) + 4)).astype(np.float32)
        shift = drift * height_px / step_px
        move = np.array([[1 / step_px, 0, shift], [0, 1 / step_px, 0.5]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        smooth = cv2.warpAffine(grid, move, (width_px, height_px), flags=flags, borderMode=cv2.BORDER_REFLECT)
        total += smooth / np.float32(1.9**octave)
    return np.asarray(np.clip(total / 1.95, 0, 1), np.float64)
