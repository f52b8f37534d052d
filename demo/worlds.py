"""The places a scene can be in, by name, painted at any size and moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from demo import worlds_land as land
from demo import worlds_more as more
from demo import worlds_town as town
from demo import worlds_wet as wet
from demo.paint import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.paint import Pixels

Painter: TypeAlias = "Callable[[Canvas, np.random.Generator, float], None]"
"""Paints on a canvas from a generator made of the place's seed and a time in seconds."""

PAINTERS: dict[str, tuple[Painter, Painter]] = {
    "water": (wet.water_behind, wet.water_before),
    "underwater": (wet.deep_behind, wet.deep_before),
    "meadow": (land.meadow_behind, land.meadow_before),
    "snow": (land.snow_behind, land.snow_before),
    "desert": (land.desert_behind, land.desert_before),
    "night": (more.night_behind, more.night_before),
    "street": (town.street_behind, town.street_before),
    "fire": (town.fire_behind, town.fire_before),
    "forest": (more.forest_behind, more.forest_before),
    "beach": (more.beach_behind, more.beach_before),
    "room": (town.room_behind, town.room_before),
    "rain": (town.rain_behind, town.rain_before),
    "space": (wet.space_behind, wet.space_before),
    "sunset": (more.sunset_behind, more.sunset_before),
    "mountains": (land.mountains_behind, land.mountains_before),
    "sky": (wet.sky_behind, wet.sky_before),
}
"""Every place: what paints it behind the things, and what paints before them."""


def paint_behind(canvas: Canvas, place: str, seed: int, t: float) -> None:
    """Paint a place over the whole canvas, as it looks at `t` seconds."""
    PAINTERS[place][0](canvas, np.random.default_rng(seed), t)


def paint_before(canvas: Canvas, place: str, seed: int, t: float) -> None:
    """Paint what stands or falls between the camera and the things."""
    PAINTERS[place][1](canvas, np.random.default_rng(seed + 1), t)


def layers(place: str, seed: int, t: float, size_px: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Return the place's two layers at (width, height): behind (H, W, 3), before (H, W, 4) with premultiplied colour.

    The second is found by painting over black and over white: what differs is what shows through.
    """
    back, black, white = Canvas(*size_px), Canvas(*size_px), Canvas(*size_px)
    paint_behind(back, place, seed, t)
    white.pixels += 255
    paint_before(black, place, seed, t)
    paint_before(white, place, seed, t)
    cover = 1 - np.mean(white.pixels - black.pixels, axis=2, keepdims=True) / 255
    front = np.concatenate([black.pixels, cover * 255], axis=2)
    return np.clip(back.pixels, 0, 255), np.clip(front, 0, 255)
