"""More places on land: forest, beach, night and sunset.

Each is a pair of painters, behind the things and before them, as in `worlds_land`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.paint import Canvas, clouds, mix, waves
from demo.worlds_land import blue_sky, pick, pine, scrolled

if TYPE_CHECKING:
    from numpy.random import Generator


def stars(canvas: Canvas, rng: Generator, t: float, lowest: float, count: int = 110) -> None:
    """Paint twinkling stars above `lowest`, in heights from the top."""
    xs, ys = rng.uniform(0, 1.8, count), rng.uniform(0, lowest, count)
    sizes = rng.uniform(0.0015, 0.0055, count) * (0.8 + 0.4 * np.sin(3 * t + 40 * xs))
    mask = canvas.mask()
    canvas.dots(mask, xs, ys, sizes)
    canvas.paint(mask, (255, 250, 230), 0.9)


def forest_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint tree trunks in green mist."""
    green = pick(rng, (75, 120, 70), (60, 105, 75), (95, 130, 60))
    canvas.gradient([(0, mix(green, (20, 50, 30), 0.6)), (0.5, mix(green, (215, 230, 170), 0.55)), (1, green)])
    canvas.glow(rng.uniform(0.3, 1.5), 0.3, 0.35, (160, 160, 90), 0.5)
    for depth in range(3):
        shade = mix(mix(green, (190, 205, 160), 0.3), (58, 45, 34), 0.35 + 0.32 * depth)
        mask = canvas.mask()
        for x in scrolled(rng, 7, 0.04 * t * (1 + depth)):
            half = rng.uniform(0.014, 0.03) * (1 + 0.8 * depth)
            canvas.box(mask, x - half, -0.1, x + half, 0.72 + 0.1 * depth)
        canvas.paint(mask, shade)
    canvas.below(waves(canvas.columns() + 0.12 * t, rng, amplitude=0.02, length=0.9) + 0.8, (88, 112, 52), (44, 62, 34))
    shape = (canvas.height_px, canvas.width_px)
    leaves = clouds(shape, rng, cells=7, drift=0.02 * t) - 2.4 * canvas.rows()[:, None]
    canvas.veil(np.clip(leaves * 5, 0, 1) * 0.92, mix(green, (25, 75, 30), 0.65))


def forest_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint ferns below and a leafy edge."""
    mask = canvas.mask()
    for x in scrolled(rng, 16, 0.16 * t):
        for lean in (-0.07, -0.03, 0.0, 0.04, 0.08):
            tip = (x + lean + 0.008 * np.sin(2 * t + 7 * x), 0.92 + abs(lean) * 0.7)
            canvas.polygon(mask, [(x - 0.012, 1.02), (x + 0.012, 1.02), tip])
    canvas.paint(mask, (70, 135, 55), bottom=(35, 80, 35))


def beach_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a band of sea between the sky and the sand, and palms."""
    xs, horizon = canvas.columns(), rng.uniform(0.34, 0.45)
    blue_sky(canvas, rng, t, horizon)
    canvas.below(np.full_like(xs, horizon), (40, 140, 190), (100, 205, 215), depth=0.25)
    shore = waves(xs, rng, amplitude=0.02, length=1.2) + horizon + 0.24 + 0.015 * np.sin(1.2 * t)
    canvas.below(shore - 0.012, (255, 255, 255), (255, 255, 255), 0.9)
    canvas.below(shore + 0.008, (232, 210, 160), (225, 185, 120), depth=0.4)
    for x in rng.choice([0.12, 0.3, 1.5, 1.68], int(rng.integers(0, 3)), replace=False):
        _palm(canvas, rng, float(x), horizon + 0.36, t)


def _palm(canvas: Canvas, rng: Generator, x: float, foot: float, t: float) -> None:
    lean, height = rng.uniform(-0.1, 0.1), rng.uniform(0.4, 0.5)
    trunk = [(x + lean * s * s, foot - height * s) for s in np.linspace(0, 1, 8)]
    mask = canvas.mask()
    canvas.stroke(mask, trunk, 0.028)
    canvas.paint(mask, (150, 105, 65))
    mask, (crown_x, crown_y) = canvas.mask(), trunk[-1]
    for angle in np.linspace(-0.3, np.pi + 0.3, 7):
        reach, sway = 0.19, 0.01 * np.sin(1.5 * t + angle)
        tip = (crown_x + reach * np.cos(angle), crown_y - 0.1 * np.sin(angle) + 0.05 + sway)
        bend = (crown_x + 0.55 * reach * np.cos(angle), crown_y - 0.11 * np.sin(angle) - 0.05)
        canvas.polygon(mask, [(crown_x, crown_y), bend, tip, (bend[0], bend[1] + 0.035)])
    canvas.paint(mask, (75, 160, 70), bottom=(40, 115, 55))


def beach_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a parasol at the side, shells and pebbles."""
    mask = canvas.mask()
    canvas.dots(mask, scrolled(rng, 12, 0.05 * t), rng.uniform(0.88, 0.99, 12), rng.uniform(0.006, 0.012, 12))
    canvas.paint(mask, (250, 235, 215))


def night_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint stars and a moon above dark hills."""
    xs, horizon = canvas.columns(), rng.uniform(0.6, 0.75)
    top = pick(rng, (8, 10, 38), (14, 12, 48), (5, 18, 44))
    canvas.gradient([(0, top), (horizon, mix(top, (62, 80, 135), 0.7)), (1, top)])
    stars(canvas, rng, t, horizon)
    _moon(canvas, rng)
    for depth in range(2):
        hill = waves(xs + 0.04 * t * (1 + depth), rng, amplitude=0.05, length=1.5) + horizon + 0.12 * depth
        for x in scrolled(rng, 5, 0.04 * t * (1 + depth)):
            pine(canvas, x, horizon + 0.06 + 0.12 * depth, rng.uniform(0.12, 0.22), (12, 22, 44))
        canvas.below(hill, mix((30, 44, 82), (16, 26, 52), depth), (8, 12, 30), depth=0.3)


def _moon(canvas: Canvas, rng: Generator) -> None:
    x, y, size = rng.uniform(0.15, 1.6), rng.uniform(0.12, 0.28), rng.uniform(0.06, 0.1)
    canvas.glow(x, y, size * 2.2, (60, 65, 90), 0.8)
    mask, shadow = canvas.mask(), canvas.mask()
    canvas.dots(mask, x, y, size)
    if rng.random() < 0.5:
        canvas.dots(shadow, x + size * 0.5, y - size * 0.2, size * 0.9)
    canvas.paint(np.minimum(mask, 255 - shadow), (250, 245, 215))


def night_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint dusk over everything, dark grass, fireflies."""
    canvas.veil(np.full((canvas.height_px, canvas.width_px), 0.16), (10, 16, 52))
    canvas.below(waves(canvas.columns() + 0.1 * t, rng, amplitude=0.015, length=0.3) + 0.95, (10, 18, 34), (5, 8, 18))
    for x in scrolled(rng, 5, 0.05 * t):
        y = rng.uniform(0.7, 0.95) + 0.03 * np.sin(t + 5 * x)
        canvas.glow(x, y, 0.012, (220, 230, 120), 0.6 + 0.4 * np.sin(4 * t + 9 * x))


def sunset_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a low sun between orange and purple."""
    xs, horizon = canvas.columns(), rng.uniform(0.58, 0.7)
    high = pick(rng, (72, 40, 110), (110, 45, 105), (60, 50, 120))
    canvas.gradient([(0, high), (horizon * 0.55, (232, 98, 92)), (horizon, (255, 190, 92)), (1, (255, 190, 92))])
    x, y = rng.uniform(0.4, 1.4), horizon - rng.uniform(0.02, 0.1) + 0.004 * t
    canvas.glow(x, y, 0.28, (140, 80, 20), 0.7)
    mask = canvas.mask()
    canvas.dots(mask, x, y, rng.uniform(0.09, 0.13))
    canvas.paint(mask, (255, 240, 170), bottom=(255, 170, 80))
    streaks = clouds((canvas.height_px, canvas.width_px), rng, cells=3, drift=0.03 * t)
    band = np.exp(-(((canvas.rows() - horizon * 0.55) / 0.16) ** 2))[:, None]
    canvas.veil(np.clip((streaks - 0.5) * 4, 0, 1) * band * 0.6, (250, 140, 130))
    for depth in range(2):
        hill = waves(xs + 0.05 * t * (1 + depth), rng, amplitude=0.04, length=1.6) + horizon + 0.14 * depth
        canvas.below(hill, mix((150, 62, 92), (74, 32, 66), depth), (40, 18, 46), depth=0.35)


def sunset_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint warm dusk over everything, dark reeds below."""
    canvas.veil(np.full((canvas.height_px, canvas.width_px), 0.12), (200, 70, 50))
    mask = canvas.mask()
    for x in scrolled(rng, 40, 0.15 * t):
        tip = x + 0.02 * np.sin(1.6 * t + 8 * x)
        canvas.polygon(mask, [(x - 0.006, 1.01), (x + 0.006, 1.01), (tip, 1 - rng.uniform(0.05, 0.14))])
    canvas.paint(mask, (36, 16, 40))
