"""Places in town and indoors: street, room, rain, fire.

Each is a pair of painters, behind the things and before them, as in `worlds_land`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.paint import Canvas, Color, clouds, mix, waves
from demo.worlds_land import WIDE, blue_sky, pick, scrolled

if TYPE_CHECKING:
    from numpy.random import Generator


def houses(canvas: Canvas, rng: Generator, shift: float, foot: float, tint: Color | None) -> None:
    """Paint a row of houses with windows, scrolling by `shift` heights; `tint` greys them."""
    for left in np.arange(0, WIDE, 0.26):
        wall = pick(rng, (205, 120, 95), (225, 190, 140), (150, 165, 185), (180, 140, 150), (120, 150, 140))
        wall, top = mix(wall, tint or wall, 0.55), foot - rng.uniform(0.28, 0.55)
        x = float((left - shift) % WIDE - 0.4)
        mask = canvas.mask()
        canvas.box(mask, x, top, x + 0.25, foot)
        canvas.paint(mask, wall, bottom=mix(wall, (60, 55, 60), 0.25))
        panes = canvas.mask()
        for row in np.arange(top + 0.04, foot - 0.08, 0.09):
            for column in (0.035, 0.105, 0.175):
                canvas.box(panes, x + column, row, x + column + 0.04, row + 0.05)
        canvas.paint(panes, pick(rng, (255, 235, 160), (90, 115, 145), (190, 215, 235)), 0.9)


def street_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint houses along a road with a dashed line."""
    foot = rng.uniform(0.6, 0.68)
    blue_sky(canvas, rng, t, foot)
    houses(canvas, rng, 0.1 * t, foot, None)
    xs = canvas.columns()
    canvas.below(np.full_like(xs, foot), (190, 186, 180), (175, 170, 165))
    canvas.below(np.full_like(xs, foot + 0.07), (88, 90, 98), (62, 63, 70), depth=0.4)
    mask = canvas.mask()
    for left in np.arange(0, WIDE, 0.325):
        x = float((left - 0.2 * t) % WIDE - 0.4)
        canvas.polygon(mask, [(x, 0.86), (x + 0.14, 0.86), (x + 0.13, 0.885), (x - 0.01, 0.885)])
    canvas.paint(mask, (245, 240, 220))


def street_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a lamp post that passes by."""
    x = float((rng.uniform(0, WIDE) - 0.2 * t) % WIDE - 0.4)
    mask = canvas.mask()
    canvas.stroke(mask, [(x, 1.0), (x, 0.26), (x + 0.08, 0.24)], 0.016)
    canvas.paint(mask, (50, 55, 65))
    mask = canvas.mask()
    canvas.dots(mask, x + 0.09, 0.255, 0.02)
    canvas.paint(mask, (255, 240, 180))


def room_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a papered wall, a window, a picture, a wooden floor and a rug."""
    wall = pick(rng, (235, 205, 170), (190, 210, 200), (215, 190, 210), (180, 200, 225), (240, 225, 180))
    floor, shift = rng.uniform(0.68, 0.76), 0.03 * t
    canvas.gradient([(0, mix(wall, (255, 255, 255), 0.2)), (1, wall)])
    stripes = 0.5 + 0.5 * np.sign(np.sin((canvas.columns() + shift) * 2 * np.pi / rng.uniform(0.1, 0.2)))
    canvas.veil(np.broadcast_to(stripes * 0.16, (canvas.height_px, canvas.width_px)), mix(wall, (120, 90, 80), 0.5))
    _window(canvas, rng.uniform(0.1, 1.2) - shift)
    _painting(canvas, rng, rng.uniform(0.1, 1.4) - shift)
    canvas.below(np.full(canvas.width_px, floor - 0.03), (250, 246, 238), (250, 246, 238))
    canvas.below(np.full(canvas.width_px, floor), (176, 124, 80), (140, 92, 56), depth=0.3)
    mask = canvas.mask()
    for x in np.arange(-0.6, 2.4, 0.22):
        canvas.stroke(mask, [(x * 0.8 + 0.2 - shift, floor), (x * 1.4 - 0.33 - shift, 1.0)], 0.003)
    canvas.paint(mask, (110, 70, 40), 0.6)
    rug = canvas.mask()
    canvas.polygon(rug, [(0.45 - shift, 0.83), (1.3 - shift, 0.83), (1.5 - shift, 0.97), (0.25 - shift, 0.97)])
    canvas.paint(rug, pick(rng, (190, 70, 70), (70, 110, 160), (90, 140, 100)), 0.9)


def _window(canvas: Canvas, x: float) -> None:
    frame, pane = canvas.mask(), canvas.mask()
    canvas.box(frame, x, 0.12, x + 0.4, 0.5)
    for column in (0.02, 0.21):
        for row in (0.14, 0.32):
            canvas.box(pane, x + column, row, x + column + 0.17, row + 0.16)
    canvas.paint(frame, (252, 250, 245))
    canvas.paint(pane, (130, 190, 235), bottom=(215, 235, 245))


def _painting(canvas: Canvas, rng: Generator, x: float) -> None:
    frame, inside = canvas.mask(), canvas.mask()
    canvas.box(frame, x, 0.2, x + 0.22, 0.38)
    canvas.box(inside, x + 0.015, 0.215, x + 0.205, 0.365)
    canvas.paint(frame, (120, 80, 45))
    canvas.paint(inside, pick(rng, (230, 160, 120), (140, 170, 190)), bottom=pick(rng, (90, 120, 90), (150, 110, 140)))


def room_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a curtain at one side, moving in a draught."""
    side = 0.0 if rng.random() < 0.5 else canvas.aspect
    sway, sign = 0.01 * np.sin(t), 1 if side == 0.0 else -1
    mask = canvas.mask()
    edge = [(side + sign * (0.1 + 0.03 * np.sin(6 * y) + sway), y) for y in np.linspace(0, 0.74, 9)]
    canvas.polygon(mask, [(side - sign * 0.05, 0), *edge, (side - sign * 0.05, 0.74)])
    canvas.paint(mask, pick(rng, (170, 60, 70), (70, 100, 140), (220, 180, 120)), 0.92)


def rain_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint low clouds over grey houses or hills and wet ground."""
    foot = rng.uniform(0.6, 0.7)
    grey = pick(rng, (88, 100, 118), (110, 118, 130), (80, 96, 108))
    canvas.gradient([(0, mix(grey, (30, 36, 48), 0.4)), (foot, mix(grey, (200, 208, 215), 0.5)), (1, grey)])
    cover = clouds((canvas.height_px, canvas.width_px), rng, cells=2, drift=0.04 * t)
    fade = np.clip(1 - canvas.rows() / foot, 0, 1)[:, None]
    canvas.veil(np.clip((cover - 0.35) * 3, 0, 1) * fade * 0.8, (66, 74, 90))
    if rng.random() < 0.5:
        houses(canvas, rng, 0.06 * t, foot, grey)
    else:
        hill = waves(canvas.columns() + 0.05 * t, rng, amplitude=0.05, length=1.3) + foot - 0.06
        canvas.below(hill, mix(grey, (70, 100, 85), 0.6), mix(grey, (40, 60, 55), 0.6))
    canvas.below(
        np.full(canvas.width_px, foot), mix(grey, (165, 175, 185), 0.4), mix(grey, (52, 58, 70), 0.5), depth=0.4
    )
    _puddles(canvas, rng, t, foot)


def _puddles(canvas: Canvas, rng: Generator, t: float, foot: float) -> None:
    mask = canvas.mask()
    angles = np.linspace(0, 2 * np.pi, 24)
    for x in scrolled(rng, 6, 0.1 * t):
        y, wide = rng.uniform(foot + 0.06, 0.98), rng.uniform(0.06, 0.16)
        canvas.polygon(mask, np.stack([x + wide * np.cos(angles), y + 0.14 * wide * np.sin(angles)], axis=1))
    canvas.paint(mask, (176, 192, 210), 0.6)


def rain_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint slanting streaks."""
    canvas.veil(np.full((canvas.height_px, canvas.width_px), 0.1), (90, 105, 125))
    mask = canvas.mask()
    count = int(rng.integers(70, 130))
    x, y, speed = rng.uniform(0, 2.1, count), rng.random(count), rng.uniform(1.4, 2.2, count)
    tops = (y + speed * t) % 1.3 - 0.2
    for left, top in zip((x - 0.18 * tops) % 2.1 - 0.1, tops, strict=True):
        canvas.stroke(mask, [(left, top), (left - 0.018, top + 0.1)], 0.004)
    canvas.paint(mask, (215, 228, 242), 0.55)


def flames(canvas: Canvas, rng: Generator, t: float, layers: tuple[tuple[float, Color, Color], ...]) -> None:
    """Paint tongues of flame, each layer (mean top in heights, colour at the tips, colour below), licking upwards."""
    xs = canvas.columns()
    for top, tip, root in layers:
        sway = 0.03 * np.sin(3 * t + 5 * xs)
        tongues = waves(xs + sway, rng, amplitude=0.1, length=0.42, phase=2.2 * t, jagged=True)
        flicker = waves(xs - 0.15 * t, rng, amplitude=0.04, length=0.17, phase=-3 * t)
        canvas.below(top + tongues + flicker, tip, root, 0.93, depth=0.4)


def fire_behind(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint a wall of flames in a dark red room."""
    deep = pick(rng, (60, 12, 8), (40, 10, 16), (85, 20, 6))
    canvas.gradient([(0, mix(deep, (10, 5, 8), 0.5)), (0.6, (150, 40, 10)), (1, (200, 70, 15))])
    height = rng.uniform(0.28, 0.45)
    flames(canvas, rng, t, ((height, (180, 40, 10), (230, 80, 15)), (height + 0.17, (235, 100, 20), (250, 160, 40))))
    flames(canvas, rng, t, ((height + 0.34, (252, 175, 50), (255, 225, 120)),))


def fire_before(canvas: Canvas, rng: Generator, t: float) -> None:
    """Paint flames along the lower edge and rising sparks."""
    top = rng.uniform(0.82, 0.9)
    flames(canvas, rng, t, ((top, (245, 120, 25), (255, 190, 60)), (top + 0.08, (255, 200, 80), (255, 245, 180))))
    mask = canvas.mask()
    x, y, speed = rng.uniform(0, 1.8, 40), rng.random(40), rng.uniform(0.15, 0.45, 40)
    canvas.dots(mask, x + 0.03 * np.sin(2 * t + 30 * y), 1.05 - (y + speed * t) % 1.1, rng.uniform(0.003, 0.008, 40))
    canvas.paint(mask, (255, 215, 110), 0.9)
