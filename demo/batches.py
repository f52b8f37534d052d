"""Endless batches of small scenes with captions, drawn fast enough to keep a trainer busy.

Wear and tear make a small drawing look like a frame of a video.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from demo.captions import Caption, random_caption, truth
from demo.paint import Canvas
from demo.scenes import ASPECT, Scene, blend, draw_actors, pose, random_place, random_scene
from demo.things import places, things
from demo.worlds import layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from numpy.random import Generator
    from numpy.typing import NDArray

    from demo.emoji import Sprite

_SIZE_PX = (160, 90)
"""Width and height at which scenes are drawn for training."""

_KEPT = 6000
"""How many drawn scenes are kept for another showing."""

Drawn = tuple[Scene, "NDArray[np.uint8]"]
"""A scene, its things where they were drawn, and its image (H, W, 3) uint8."""
Stock = dict[str, list[tuple["NDArray[np.uint8]", "NDArray[np.uint8]"]]]
"""For every place, painted pairs: behind (H, W, 3) and before (H, W, 4), uint8."""


@dataclass(frozen=True)
class Batch:
    """Scenes, one caption each, and which caption is true of which scene."""

    images: NDArray[np.uint8]
    """(N, side, side, 3) uint8, RGB."""
    captions: list[Caption]
    """N captions; the i-th was written for the i-th image."""
    true: NDArray[np.bool_]
    """(captions, images) bool."""
    shown: NDArray[np.float32]
    """(N, things + places) float32: what each image shows; its things sum to 1 and its place is 1."""
    named: NDArray[np.float32]
    """Likewise what each caption names; all zero where it names no thing, or no place."""


@dataclass(frozen=True)
class Lesson:
    """How scenes are shown at some point of the training."""

    side_px: int
    """Pixels on each side of an image."""
    ease: float
    """From 1, things mostly alone and close by, to 0, scenes as videos have them."""


def paint_stock(seed: int, each: int) -> Stock:
    """Paint every place `each` times, at a random moment each."""
    rng = np.random.default_rng(seed)
    stock: Stock = {place: [] for place in places()}
    for place, pairs in stock.items():
        for _ in range(each):
            back, front = layers(place, int(rng.integers(1 << 40)), rng.uniform(0, 6), _SIZE_PX)
            pairs.append((back.astype(np.uint8), front.astype(np.uint8)))
    return stock


def endless(
    stock: Stock, sprites: Mapping[str, Sprite], *, seed: int, size: int, lesson: Callable[[], Lesson]
) -> Iterator[Batch]:
    """Batches of `size` squashed scenes for ever, each shown as `lesson` says at the time.

    Drawing costs more than wearing: a quarter of a batch is drawn for it, the rest was drawn before and is worn anew.
    """
    rng = np.random.default_rng(seed)
    kept: list[Drawn] = []
    while True:
        now = lesson()
        fresh = [_drawn(rng, now, stock, sprites) for _ in range(size // 4 if len(kept) >= 8 * size else size)]
        kept = [*fresh, *kept][:_KEPT]
        again = [kept[i] for i in rng.integers(len(fresh), len(kept), size - len(fresh))] if len(fresh) < size else []
        yield _batch(rng, [*fresh, *again], now)


def gallery(stock: Stock, sprites: Mapping[str, Sprite], *, seed: int, side_px: int) -> Iterator[Drawn]:
    """Scenes as videos have them with their squashed images, (side, side, 3) uint8 RGB, for ever, each drawn once."""
    rng = np.random.default_rng(seed)
    lesson = Lesson(side_px, 0.0)
    while True:
        scene, pixels = _drawn(rng, lesson, stock, sprites)
        yield scene, _worn(rng, _framed(rng, scene, pixels, lesson.ease), side_px)


def _batch(rng: Generator, drawn: Sequence[Drawn], lesson: Lesson) -> Batch:
    scenes = [scene for scene, _ in drawn]
    images = np.stack([_worn(rng, _framed(rng, *one, lesson.ease), lesson.side_px) for one in drawn])
    captions = [random_caption(rng, scene) for scene in scenes]
    named = [_marked(frozenset().union(*said.wanted), said.places or frozenset()) for said in captions]
    keys = list(places())
    shown = [_marked({actor.thing for actor in s.actors}, {keys.index(s.place)}) for s in scenes]
    return Batch(images, captions, truth(captions, scenes), np.stack(shown), np.stack(named))


def _marked(wanted: AbstractSet[int], where: AbstractSet[int]) -> NDArray[np.float32]:
    count = len(things())
    row = np.zeros(count + len(places()), np.float32)
    row[sorted(wanted)] = 1 / max(len(wanted), 1)
    row[[count + place for place in sorted(where)]] = 1 / max(len(where), 1)
    return row


def _any_scene(rng: Generator, ease: float) -> Scene:
    count = 1 if rng.random() < 0.3 + 0.55 * ease else 2
    chosen = [int(thing) for thing in rng.choice(len(things()), count, replace=False)]
    return random_scene(rng, random_place(rng), chosen)


def _drawn(rng: Generator, lesson: Lesson, stock: Stock, sprites: Mapping[str, Sprite]) -> Drawn:
    scene, t = _any_scene(rng, lesson.ease), rng.uniform(0, 3)
    back, front = stock[scene.place][rng.integers(len(stock[scene.place]))]
    if rng.random() < 0.5:
        back, front = back[:, ::-1], front[:, ::-1]
    canvas = Canvas(*_SIZE_PX)
    canvas.pixels[:] = _tinted(rng, back)
    draw_actors(canvas, scene, sprites, t)
    blend(canvas.pixels, front.astype(np.float32))
    there = replace(scene, actors=tuple(pose(actor, t)[0] for actor in scene.actors))
    return there, np.clip(canvas.pixels, 0, 255).astype(np.uint8)


def _tinted(rng: Generator, back: NDArray[np.uint8]) -> NDArray[np.float32]:
    gain = rng.uniform(0.88, 1.1) * rng.uniform(0.95, 1.05, 3)
    return (back * gain.astype(np.float32)).astype(np.float32)


def _framed(rng: Generator, scene: Scene, pixels: NDArray[np.uint8], ease: float) -> NDArray[np.uint8]:
    """Crop as a camera would: near the whole picture, or, while it is made easy, close to the one thing in it."""
    height, width = pixels.shape[:2]
    zoom, across, down = rng.uniform(0.86, 1.0), *rng.random(2)
    if len(scene.actors) == 1:
        (actor,) = scene.actors
        zoom = rng.uniform(min(max(0.86 - 0.42 * ease, 0.9 * actor.size), 0.86), 1.0 - 0.2 * ease)
        aim = np.array([actor.x / ASPECT, actor.y]) + rng.uniform(-0.12, 0.12, 2)
        across, down = np.clip((aim - zoom / 2) / (1 - zoom + 1e-6), 0, 1)
    left, top = int(across * (1 - zoom) * width), int(down * (1 - zoom) * height)
    return pixels[top : top + int(zoom * height), left : left + int(zoom * width)]


def _worn(rng: Generator, cut: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Mirror, blur, compress and recolour a little, as cameras and encoders do; squash to a square."""
    if rng.random() < 0.5:
        cut = np.ascontiguousarray(cut[:, ::-1])
    image = cv2.resize(cut, (side_px, side_px), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.8))
    image = (image.astype(np.float32) - 128) * rng.uniform(0.88, 1.12) + 128 + rng.uniform(-10, 10)
    if rng.random() < 0.3:
        image = image + rng.standard_normal(image.shape, np.float32) * rng.uniform(1, 5)
    small = np.clip(image, 0, 255).astype(np.uint8)
    return _compressed(rng, small) if rng.random() < 0.25 else small


def _compressed(rng: Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    quality = int(rng.integers(55, 96))
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
