"""Water, the world under it, the open sky and space: places without a ground.

Each is a pair of painters, behind the things and before them, as in `worlds_land`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.paint import Canvas, clouds, mix, waves
from demo.worlds_land import blue_sky, pick
from demo.worlds_more import stars

if TYPE_CHECKING:
    from numpy.random import Generator


def water_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a sea with rows of waves up to the horizon."""
    xs, horizon = canvas.columns(), rng.uniform(0.28, 0.42)
    blue_sky(canvas, rng, t, horizon)
    sea = pick(rng, (28, 120, 190), (20, 140, 170), (45, 105, 185))
    canvas.below(np.full_like(xs, horizon), mix(sea, (160, 215, 235), 0.5), sea, depth=0.3)
    for depth in range(4):
        near = depth / 3
        swell = waves(
            xs + (0.05 + 0.05 * near) * t, rng, amplitude=0.008 + 0.014 * near, length=0.35 + 0.3 * near, phase=t
        )
        crest = swell + horizon + 0.05 + 0.27 * near
        canvas.below(crest, (225, 245, 250), (225, 245, 250), 0.5)
        canvas.below(crest + 0.006 + 0.006 * near, mix(sea, (120, 200, 225), 0.45 - 0.3 * near), sea, depth=0.18)


def water_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint near waves that cover the feet of what stands in them."""
    xs = canvas.columns()
    sea = pick(rng, (30, 125, 195), (22, 140, 175))
    for depth in range(2):
        swell = waves(xs + (0.12 + 0.08 * depth) * t, rng, amplitude=0.018, length=0.55, phase=1.3 * t)
        crest = swell + rng.uniform(0.76, 0.82) + 0.11 * depth
        canvas.below(crest, (240, 250, 255), (240, 250, 255), 0.75)
        canvas.below(crest + 0.014, mix(sea, (110, 200, 230), 0.35), mix(sea, (8, 50, 110), 0.4), 0.85, depth=0.25)


def deep_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint blue-green depth with slanting light, sand and weed."""
    top = pick(rng, (70, 190, 215), (60, 170, 220), (90, 205, 200))
    canvas.gradient([(0, top), (0.5, mix(top, (10, 80, 140), 0.55)), (1, (8, 48, 98))])
    for _ in range(5):
        x, wide = rng.uniform(0, 1.8) + 0.02 * np.sin(t), rng.uniform(0.03, 0.1)
        mask = canvas.mask()
        canvas.polygon(mask, [(x, -0.02), (x + wide, -0.02), (x + 2 * wide - 0.3, 0.9), (x - wide - 0.3, 0.9)])
        canvas.paint(mask, (200, 240, 245), 0.13)
    floor = waves(canvas.columns() + 0.04 * t, rng, amplitude=0.025, length=1.1) + rng.uniform(0.82, 0.9)
    canvas.below(floor, (150, 170, 150), (70, 110, 120), 0.9, depth=0.2)
    for _ in range(int(rng.integers(3, 8))):
        _weed(canvas, rng, t)


def _weed(canvas: Canvas, rng: Generator, t: float) -> None:
    foot, height, phase = rng.uniform(0, 1.8), rng.uniform(0.15, 0.4), rng.uniform(0, 6)
    steps = np.linspace(0, 1, 10)
    mask = canvas.mask()
    sway = 0.05 * steps * np.sin(5 * steps + 1.2 * t + phase)
    canvas.stroke(mask, np.stack([foot + sway, 0.95 - height * steps], axis=1), 0.022)
    canvas.paint(mask, pick(rng, (50, 140, 90), (90, 150, 60), (160, 80, 110)), 0.85)


def deep_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint rising bubbles and a blue haze."""
    canvas.veil(np.full((canvas.height_px, canvas.width_px), 0.14), (20, 110, 170))
    x, y, speed = rng.uniform(0, 1.8, 22), rng.random(22), rng.uniform(0.08, 0.2, 22)
    sizes, ys = rng.uniform(0.006, 0.02, 22), 1.05 - (y + speed * t) % 1.15
    mask, shine = canvas.mask(), canvas.mask()
    xs = x + 0.02 * np.sin(2 * t + 20 * y)
    canvas.dots(mask, xs, ys, sizes)
    canvas.dots(shine, xs - 0.3 * sizes, ys - 0.3 * sizes, 0.35 * sizes)
    canvas.paint(mask, (190, 235, 250), 0.35)
    canvas.paint(shine, (255, 255, 255), 0.8)


def sky_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint nothing but blue and big clouds."""
    top = pick(rng, (50, 120, 215), (85, 160, 235), (70, 140, 230))
    canvas.gradient([(0, top), (1, (190, 225, 250))])
    for _ in range(6):
        _cumulus(canvas, rng, t)


def _cumulus(canvas: Canvas, rng: Generator, t: float) -> None:
    size = rng.uniform(0.07, 0.16)
    x, y = float((rng.uniform(0, 2.6) - 0.5 * size * t) % 2.6 - 0.4), rng.uniform(0.08, 0.95)
    mask, shade = canvas.mask(), canvas.mask()
    for offset, lift, radius in (
        (-1.3, 0, 0.6),
        (-0.5, -0.45, 0.8),
        (0.45, -0.6, 0.95),
        (1.3, -0.1, 0.65),
        (0.2, 0.05, 0.75),
    ):
        canvas.dots(mask, x + size * offset, y + size * lift, size * radius)
        canvas.dots(shade, x + size * offset, y + size * lift + 0.016, size * radius)
    canvas.paint(shade, (190, 208, 230), 0.9)
    canvas.paint(mask, (255, 255, 255), bottom=(226, 236, 248))


def sky_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint wisps that blow past in front."""
    wisps = clouds((canvas.height_px, canvas.width_px), rng, cells=2, drift=0.12 * t)
    low = np.clip((canvas.rows() - 0.6) / 0.4, 0, 1)[:, None]
    canvas.veil(np.clip((wisps - 0.5) * 4, 0, 1) * low * 0.85, (255, 255, 255))


def space_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a nebula, stars and a planet."""
    canvas.gradient([(0, (8, 6, 20)), (1, pick(rng, (18, 8, 36), (6, 14, 34), (24, 6, 28)))])
    shape = (canvas.height_px, canvas.width_px)
    for color in ((130, 50, 170), (40, 90, 190), (200, 60, 120)):
        haze = clouds(shape, rng, cells=1.8, drift=0.015 * t)
        canvas.veil(np.clip((haze - 0.48) * 3, 0, 1) * rng.uniform(0.2, 0.7), color)
    stars(canvas, rng, t, 1.0, count=200)
    _planet(canvas, rng, t)


def _planet(canvas: Canvas, rng: Generator, t: float) -> None:
    x, y, size = rng.uniform(0.1, 1.7) - 0.012 * t, rng.uniform(0.1, 0.9), rng.uniform(0.09, 0.24)
    color = pick(rng, (230, 150, 90), (110, 170, 220), (200, 120, 170), (150, 200, 150))
    mask, dark = canvas.mask(), canvas.mask()
    canvas.dots(mask, x, y, size)
    canvas.paint(mask, mix(color, (255, 255, 255), 0.25), bottom=mix(color, (20, 10, 40), 0.6))
    if rng.random() < 0.6:
        angles = np.linspace(-0.4, np.pi + 0.4, 40)
        ring = np.stack(
            [x + 1.75 * size * np.cos(angles), y + 0.4 * size * np.sin(angles) - 0.25 * size * np.cos(angles)], 1
        )
        canvas.stroke(dark, ring, 0.13 * size)
        canvas.paint(dark, (240, 220, 180), 0.75)


def space_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a few motes of dust close by."""
    mask = canvas.mask()
    canvas.dots(mask, (rng.uniform(0, 1.9, 14) - 0.06 * t) % 1.9 - 0.05, rng.random(14), rng.uniform(0.002, 0.005, 14))
    canvas.paint(mask, (220, 225, 255), 0.8)
