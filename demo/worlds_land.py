"""The places on land that the demo draws: each a pair of painters, behind the things and before them.

A meadow, snow, a desert, mountains, a forest, a beach and the night.
Every painter takes a fresh generator made from the place's seed, so it draws the same place for every frame; only
`t`, in seconds, moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.paint import Canvas, Color, clouds, mix, waves

if TYPE_CHECKING:
    from numpy.random import Generator

WIDE = 2.6
"""Things that scroll past come round again after this many heights: wider than a 16:9 picture, so nobody sees it."""


def pick(rng: Generator, *colors: Color) -> Color:
    """Return a colour somewhere between two of the given ones."""
    first, second = rng.choice(len(colors), 2)
    return mix(colors[first], colors[second], float(rng.random()))


def blue_sky(canvas: Canvas, rng: Generator, t: float, horizon: float, cover: float = 0.6) -> None:
    """Paint a day sky down to the horizon, with drifting clouds."""
    top = pick(rng, (60, 130, 220), (95, 165, 235), (50, 150, 225))
    canvas.gradient([(0, top), (horizon, (205, 232, 250)), (1, (205, 232, 250))])
    if rng.random() < 0.5:
        canvas.glow(rng.uniform(0.1, 1.7), rng.uniform(0.05, 0.2), 0.14, (255, 240, 180), 0.8)
    shape = (canvas.height_px, canvas.width_px)
    puffs = clouds(shape, rng, cells=2.5, drift=0.03 * t)
    fade = np.clip(1 - canvas.rows() / horizon, 0, 1)[:, None] ** 0.5
    canvas.veil(np.clip((puffs - 0.5) * 4, 0, 1) * fade * cover, (255, 255, 255))


def scrolled(rng: Generator, count: int, shift: float) -> list[float]:
    """Return the x of `count` things that scroll by, in heights, going round a strip wider than the picture."""
    return [float((x - shift) % WIDE - 0.4) for x in rng.uniform(0, WIDE, count)]


def meadow_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint rolling green hills under a blue sky."""
    xs, horizon = canvas.columns(), rng.uniform(0.42, 0.58)
    blue_sky(canvas, rng, t, horizon)
    green = pick(rng, (112, 180, 66), (90, 165, 60), (140, 190, 70))
    for depth in range(3):
        near = depth / 2
        hill = waves(xs + 0.04 * t * (1 + depth), rng, amplitude=0.05, length=1.6)
        top = mix((170, 210, 150), green, 0.4 + 0.6 * near)
        canvas.below(hill + horizon + 0.13 * depth, top, mix(top, (40, 110, 40), 0.6), depth=0.45)
    _flowers(canvas, rng, t, horizon + 0.3)


def _flowers(canvas: Canvas, rng: Generator, t: float, top: float) -> None:
    for color in ((255, 255, 255), (250, 220, 80), (240, 130, 170)):
        mask = canvas.mask()
        xs = scrolled(rng, 14, 0.12 * t)
        canvas.dots(mask, xs, rng.uniform(top, 1.0, 14), rng.uniform(0.004, 0.009, 14))
        canvas.paint(mask, color)


def meadow_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint blades of grass along the lower edge, swaying."""
    for color in ((60, 130, 40), (95, 165, 60)):
        mask = canvas.mask()
        for x in scrolled(rng, 60, 0.15 * t):
            height, lean = rng.uniform(0.05, 0.13), 0.02 * np.sin(2 * t + 9 * x) + rng.uniform(-0.02, 0.02)
            canvas.polygon(mask, [(x - 0.008, 1.01), (x + 0.008, 1.01), (x + lean, 1 - height)])
        canvas.paint(mask, color, 0.95)


def pine(canvas: Canvas, x: float, foot: float, height: float, color: Color, cap: Color | None = None) -> None:
    """Paint a fir tree of three tiers, with snow on it if `cap` is given."""
    for tier in range(3):
        low = foot - height * 0.27 * tier
        half = height * (0.28 - 0.06 * tier)
        mask = canvas.mask()
        canvas.polygon(mask, [(x - half, low), (x + half, low), (x, low - height * 0.46)])
        canvas.paint(mask, cap or color, bottom=color)


def snow_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint white hills with fir trees under a pale sky."""
    xs, horizon = canvas.columns(), rng.uniform(0.42, 0.6)
    sky = pick(rng, (150, 185, 215), (185, 205, 225), (120, 165, 215))
    canvas.gradient([(0, sky), (horizon, (232, 240, 248)), (1, (240, 245, 250))])
    for depth in range(3):
        hill = waves(xs + 0.05 * t * (1 + depth), rng, amplitude=0.05, length=1.7) + horizon + 0.13 * depth
        if depth < 2:
            for x in scrolled(rng, int(rng.integers(3, 9)), 0.05 * t * (1 + depth)):
                size = rng.uniform(0.14, 0.26) * (1 + 0.4 * depth)
                pine(canvas, x, horizon + 0.13 * depth + 0.05, size, (70, 110, 105), (225, 238, 245))
        canvas.below(hill, (250, 252, 255), (196, 214, 234), depth=0.4)


def snow_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a drift along the lower edge and falling flakes."""
    xs = canvas.columns()
    canvas.below(waves(xs + 0.15 * t, rng, amplitude=0.03, length=1.3) + 0.93, (255, 255, 255), (215, 228, 242))
    mask = canvas.mask()
    count = int(rng.integers(50, 130))
    x, y, speed, size = rng.uniform(0, 1.9, count), rng.random(count), rng.uniform(0.1, 0.25, count), rng.random(count)
    sway = 0.02 * np.sin(t + 20 * x)
    canvas.dots(mask, (x + sway - 0.06 * t) % 1.9, (y + speed * t) % 1.1 - 0.05, 0.004 + 0.008 * size)
    canvas.paint(mask, (255, 255, 255), 0.9)


def desert_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint dunes in the heat."""
    xs, horizon = canvas.columns(), rng.uniform(0.4, 0.55)
    top = pick(rng, (250, 190, 110), (120, 185, 225), (245, 160, 90))
    canvas.gradient([(0, top), (horizon, (255, 232, 190)), (1, (255, 232, 190))])
    canvas.glow(rng.uniform(0.2, 1.6), rng.uniform(0.08, 0.28), 0.1, (255, 230, 150), 1.0)
    sand = pick(rng, (235, 185, 110), (222, 165, 95), (240, 200, 130))
    for depth in range(4):
        dune = waves(xs + 0.03 * t * (1 + depth), rng, amplitude=0.06, length=1.9, jagged=depth < 2)
        shade = mix(mix(sand, (255, 225, 170), 0.5), sand, depth / 3)
        canvas.below(dune * 0.7 + horizon + 0.11 * depth, shade, mix(shade, (165, 100, 50), 0.55), depth=0.35)
        if depth == 1:
            _cacti(canvas, rng, t, horizon + 0.2)


def _cacti(canvas: Canvas, rng: Generator, t: float, foot: float) -> None:
    mask = canvas.mask()
    for x in scrolled(rng, int(rng.integers(0, 5)), 0.08 * t):
        size = rng.uniform(0.1, 0.2)
        canvas.stroke(mask, [(x, foot), (x, foot - size)], 0.03)
        canvas.stroke(
            mask, [(x, foot - size * 0.4), (x + 0.05, foot - size * 0.4), (x + 0.05, foot - size * 0.8)], 0.018
        )
        canvas.stroke(
            mask, [(x, foot - size * 0.3), (x - 0.05, foot - size * 0.3), (x - 0.05, foot - size * 0.6)], 0.018
        )
    canvas.paint(mask, (85, 145, 80), bottom=(55, 105, 60))


def desert_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint the crest of a near dune and blown sand."""
    near = waves(canvas.columns() + 0.12 * t, rng, amplitude=0.03, length=1.5) + 0.92
    canvas.below(near, (245, 205, 135), (190, 130, 75), depth=0.15)


def mountains_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint grey peaks with snow caps above green foothills."""
    xs, horizon = canvas.columns(), rng.uniform(0.55, 0.68)
    blue_sky(canvas, rng, t, horizon)
    rock = pick(rng, (105, 110, 130), (125, 115, 115), (90, 105, 140))
    for depth in range(2):
        peak = waves(xs + 0.02 * t * (1 + depth), rng, amplitude=0.19 - 0.05 * depth, length=1.3, jagged=True)
        ridge = peak + horizon - 0.2 + 0.12 * depth
        shade = mix((170, 185, 210), rock, 0.5 + 0.5 * depth)
        canvas.below(ridge, (250, 252, 255), (235, 240, 250))
        snow_line = ridge + 0.07 + waves(xs + 0.02 * t * (1 + depth), rng, amplitude=0.02, length=0.16, jagged=True)
        canvas.below(np.maximum(ridge, snow_line), shade, mix(shade, (50, 60, 70), 0.5), depth=0.4)
    foothill = waves(xs + 0.07 * t, rng, amplitude=0.03, length=1.4) + horizon + 0.08
    canvas.below(foothill, (110, 160, 95), (55, 105, 60), depth=0.4)


def mountains_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint boulders along the lower edge."""
    mask = canvas.mask()
    for x in scrolled(rng, 7, 0.14 * t):
        canvas.dots(mask, x, rng.uniform(0.99, 1.04), rng.uniform(0.05, 0.1))
    canvas.paint(mask, (140, 140, 150), bottom=(85, 88, 100))
