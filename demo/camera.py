"""The camera: what it sees of a painted stage while it moves slowly over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.paint import Canvas


@dataclass(frozen=True)
class Camera:
    """A slow move over a scene: from one crop to another."""

    start: tuple[float, float, float]
    """Where the crop's centre is, each from -1 (left, top) to 1, and its zoom, from 1 (all) up."""
    end: tuple[float, float, float]
    """Likewise, at the end of the shot."""


PUSH = Camera((0, 0, 1.0), (0, 0.2, 1.12))
PULL = Camera((0, 0.2, 1.12), (0, 0, 1.0))
LEFT = Camera((0.8, 0, 1.07), (-0.8, 0, 1.07))
RIGHT = Camera((-0.8, 0, 1.07), (0.8, 0, 1.07))
STILL = Camera((0, 0, 1.03), (0, 0, 1.03))


def seen(stage: Canvas, camera: Camera, size_px: tuple[int, int], share: float) -> NDArray[np.uint8]:
    """Return what a camera sees of a stage, (H, W, 3) uint8 RGB, when a share (0 to 1) of its shot is over."""
    ease = 0.5 - 0.5 * np.cos(np.pi * share)
    x, y, zoom = (a + (b - a) * ease for a, b in zip(camera.start, camera.end, strict=True))
    step = stage.width_px / size_px[0] / zoom
    room = np.array([stage.width_px, stage.height_px]) - np.array(size_px) * step
    left, top = room * (np.array([x, y]) + 1) / 2 + (step - 1) / 2
    move = np.array([[step, 0, left], [0, step, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(stage.pixels, move, size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(drawn + 0.5, 0, 255), np.uint8)
