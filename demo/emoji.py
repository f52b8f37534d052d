"""The emoji that the scenes are made of: fetched into a cache folder, cut out of their font, never shipped.

`python -m demo.emoji CACHE` fetches Noto Color Emoji as Debian packages it.
"""

from __future__ import annotations

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Cutout: TypeAlias = "NDArray[np.float32]"
"""(h, w, 4) float32 in [0, 255]: RGB multiplied by the coverage, and the coverage."""

_PACKAGE = "fonts-noto-color-emoji"
_STRIKE_PX = 109
"""The one size at which the font holds its bitmaps."""


@dataclass(frozen=True)
class Sprite:
    """One emoji, ready to be drawn at any size."""

    levels: tuple[Cutout, ...]
    """The cut-out at twice its own size, at its own, and at halves of that, so that shrinking does not alias."""

    def at_least(self, height_px: float) -> Cutout:
        """Return the smallest level that need not be enlarged to reach a height, or the largest there is."""
        fitting = [level for level in self.levels if level.shape[0] >= height_px]
        return fitting[-1] if fitting else self.levels[0]


def fetch(cache: Path) -> Path:
    """Download and unpack the emoji font into a folder, unless it is there; return its path."""
    found = sorted(cache.rglob("NotoColorEmoji.ttf"))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", _PACKAGE], cwd=cache, check=True)  # noqa: S603, S607 - fixed arguments
        package = next(cache.glob(f"{_PACKAGE}*.deb"))
        subprocess.run(["dpkg", "-x", package.name, "."], cwd=cache, check=True)  # noqa: S603, S607 - likewise
        found = sorted(cache.rglob("NotoColorEmoji.ttf"))
    return found[0]


def sprites(cache: Path, wanted: Iterable[str]) -> dict[str, Sprite]:
    """Cut every wanted emoji out of the font in `cache`."""
    font = ImageFont.truetype(str(fetch(cache)), _STRIKE_PX)
    return {emoji: _sprite(font, emoji) for emoji in wanted}


def _sprite(font: ImageFont.FreeTypeFont, emoji: str) -> Sprite:
    image = Image.new("RGBA", (_STRIKE_PX * 3, _STRIKE_PX * 2))
    ImageDraw.Draw(image).text((20, 20), emoji, font=font, embedded_color=True)
    box = image.getbbox()
    if box is None or box[2] - box[0] > 1.5 * _STRIKE_PX:
        message = f"the font has no single picture for {emoji!r}: box {box}"
        raise ValueError(message)
    pixels = np.asarray(image.crop(box), np.float32)
    pixels = np.concatenate([pixels[..., :3] * pixels[..., 3:] / 255, pixels[..., 3:]], axis=2)
    pixels = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
    return Sprite((_doubled(pixels), pixels, _halved(pixels), _halved(_halved(pixels))))


def _doubled(pixels: Cutout) -> Cutout:
    """Twice as large, with the staircase of the bitmap's edges smoothed away and the softness that leaves tightened."""
    large = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), 1.6)
    crisp = np.clip(soft + 0.9 * (soft - cv2.GaussianBlur(soft, (0, 0), 2.0)), 0, 255)
    return np.asarray(
        np.minimum(crisp, np.append(np.repeat(crisp[..., 3:], 3, 2), np.full_like(crisp[..., 3:], 255), 2))
    )


def _halved(pixels: Cutout) -> Cutout:
    size = (round(pixels.shape[1] / 2), round(pixels.shape[0] / 2))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def main() -> None:
    """Fetch the font into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cache", type=Path)
    fetch(parser.parse_args().cache)


if __name__ == "__main__":
    main()
