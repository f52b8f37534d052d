"""A scene: a place and the things in it, drawn at any size and moment.

Where things stand, how they move, how they are laid over their place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from demo.things import places, things
from demo.worlds import paint_before, paint_behind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.emoji import Sprite
    from demo.paint import Canvas, Pixels

ASPECT = 16 / 9
"""Width over height of every scene."""
_SHADED = frozenset({"meadow", "snow", "desert", "street", "forest", "beach", "room", "rain", "mountains", "night"})
"""Places with a ground, where a thing drops a shadow."""


@dataclass(frozen=True)
class Actor:
    """One thing in a scene. Lengths are in heights of the picture."""

    thing: int
    """Index into `things()`."""
    emoji: str
    """The emoji that shows it."""
    x: float
    """Its centre at 0 s, from the left."""
    y: float
    """Its centre at 0 s, from the top."""
    size: float
    """Its height."""
    flipped: bool = False
    """Whether it looks right; as drawn, nearly all emoji look left."""
    speed: float = 0.0
    """Heights a second, to the right if positive."""
    bob: float = 0.0
    """How far it moves up and down."""
    sway_deg: float = 0.0
    """How far it tilts either way."""
    rate_hz: float = 0.5
    """How often it bobs and sways."""
    chimney: tuple[float, float] | None = None
    """Where smoke leaves it, from its centre, in shares of its height; None if it does not smoke."""


@dataclass(frozen=True)
class Scene:
    """A place and one or two things in it."""

    place: str
    """A key of `places()`."""
    seed: int
    """What the place's looks are drawn from."""
    actors: tuple[Actor, ...]
    """The things, the one farthest back first."""


def random_scene(rng: np.random.Generator, place: str, chosen: Sequence[int]) -> Scene:
    """Return a scene of given things at a place, with sizes, positions and motion drawn from the rng."""
    slots = [0.5] if len(chosen) == 1 else list(rng.permutation([0.27, 0.73]))
    actors = [_random_actor(rng, thing, slot, len(chosen)) for thing, slot in zip(chosen, slots, strict=True)]
    return Scene(place, int(rng.integers(1 << 40)), tuple(actors))


def _random_actor(rng: np.random.Generator, thing: int, slot: float, crowd: int) -> Actor:
    size = rng.uniform(0.36, 0.74) if crowd == 1 else rng.uniform(0.34, 0.6)
    reach = 0.5 if crowd == 1 else 0.16
    return Actor(
        thing,
        str(rng.choice(things()[thing].emoji)),
        x=slot * ASPECT + rng.uniform(-reach, reach),
        y=rng.uniform(0.44, 0.66),
        size=size,
        flipped=bool(rng.random() < 0.5),
        speed=rng.uniform(-0.07, 0.07),
        bob=rng.uniform(0, 0.025),
        sway_deg=rng.uniform(0, 9),
        rate_hz=rng.uniform(0.3, 1.0),
    )


def random_place(rng: np.random.Generator) -> str:
    """Any place."""
    return str(rng.choice(list(places())))


def pose(actor: Actor, t: float) -> tuple[Actor, float]:
    """Return the actor where it is at `t` seconds, and its tilt then, in degrees."""
    turn = 2 * np.pi * actor.rate_hz * t + 17 * actor.x
    moved = replace(actor, x=actor.x + actor.speed * t, y=actor.y - actor.bob * abs(np.sin(turn)))
    return moved, float(actor.sway_deg * np.sin(turn))


def draw(canvas: Canvas, scene: Scene, sprites: Mapping[str, Sprite], t: float) -> None:
    """Paint a scene over the whole canvas, as it looks at `t` seconds."""
    paint_behind(canvas, scene.place, scene.seed, t)
    draw_actors(canvas, scene, sprites, t)
    paint_before(canvas, scene.place, scene.seed, t)


def draw_actors(canvas: Canvas, scene: Scene, sprites: Mapping[str, Sprite], t: float) -> None:
    """Lay a scene's things, with their shadows, over what the canvas shows."""
    for actor in scene.actors:
        moved, tilt_deg = pose(actor, t)
        if scene.place in _SHADED:
            _shadow(canvas, moved, actor.y)
        lay(canvas, sprites[actor.emoji], moved, tilt_deg)
        if actor.chimney:
            _smoke(canvas, actor, actor.chimney, t)


def _shadow(canvas: Canvas, actor: Actor, rest_y: float) -> None:
    angles = np.linspace(0, 2 * np.pi, 28)
    wide, foot = 0.42 * actor.size, max(rest_y + 0.5 * actor.size, 0.8)
    mask = canvas.mask()
    canvas.polygon(mask, np.stack([actor.x + wide * np.cos(angles), foot + 0.12 * wide * np.sin(angles)], axis=1))
    canvas.paint(mask, (20, 20, 35), 0.25)


def _smoke(canvas: Canvas, actor: Actor, chimney: tuple[float, float], t: float) -> None:
    """Puffs that left the chimney one after another, each rising, growing and fading where it was left."""
    for puff in range(9):
        age_s = (t + 0.21 * puff) % 1.9
        left = pose(actor, t - age_s)[0]
        x, y = left.x + chimney[0] * actor.size + 0.03 * age_s, left.y + chimney[1] * actor.size - 0.08 * age_s
        mask = canvas.mask()
        canvas.dots(mask, x, y, 0.022 + 0.035 * age_s)
        canvas.paint(mask, (225, 228, 232), 0.6 * (1 - age_s / 1.9), bottom=(165, 170, 180))


def lay(canvas: Canvas, sprite: Sprite, actor: Actor, tilt_deg: float) -> None:
    """Lay one cut-out over the canvas, where its actor stands."""
    height_px = actor.size * canvas.height_px
    source = sprite.at_least(height_px)
    move = _placement(source.shape, actor, tilt_deg, canvas.height_px)
    corners = move @ np.array([[0, source.shape[1], 0, source.shape[1]], [0, 0, *[source.shape[0]] * 2], [1] * 4])
    left, top = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=1)).astype(int), (canvas.width_px, canvas.height_px))
    if right <= left or bottom <= top:
        return
    move[:, 2] -= (left, top)
    smooth = cv2.INTER_CUBIC if height_px > source.shape[0] else cv2.INTER_LINEAR
    drawn = cv2.warpAffine(source, move, (int(right - left), int(bottom - top)), flags=smooth)
    blend(canvas.pixels[top:bottom, left:right], np.clip(drawn, 0, 255))


def _placement(shape: tuple[int, ...], actor: Actor, tilt_deg: float, canvas_px: int) -> np.ndarray:
    height, width = shape[:2]
    scale = actor.size * canvas_px / height
    angle = np.deg2rad(tilt_deg)
    mirror = -1.0 if actor.flipped else 1.0
    turn = scale * np.array([[np.cos(angle) * mirror, -np.sin(angle)], [np.sin(angle) * mirror, np.cos(angle)]])
    shift = np.array([actor.x, actor.y]) * canvas_px - turn @ np.array([width / 2, height / 2])
    return np.concatenate([turn, shift[:, None]], axis=1)


def blend(under: Pixels, over: np.ndarray) -> None:
    """Lay premultiplied pixels, (h, w, 4) in [0, 255], over others, (h, w, 3), in place."""
    keep = 1 - over[..., 3] / 255
    under *= cv2.merge([keep, keep, keep])
    under += over[..., :3]
