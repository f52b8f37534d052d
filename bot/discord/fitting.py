"""Pictures fitted to the size that a server takes. Owns the arithmetic; must not know what a picture shows.

What moves was made to that size already, and is no picture to be made coarser here.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from PIL import Image as Pillow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.discord.render import Image

_QUALITIES = (85, 70, 55)
_SHRINK = 0.7
_LEAST_PX = 64
_MOVING = {".mp4", ".gif"}


async def fit(images: Sequence[Image], most_bytes: int) -> tuple[Image, ...]:
    """Give the images, each at most that large: those over it as JPEG, made coarser, then smaller.

    One that does not fit even when tiny is left out.
    """
    if all(len(one.data) <= most_bytes for one in images):
        return tuple(images)
    fitted = await asyncio.gather(*(asyncio.to_thread(_fitted, one, most_bytes) for one in images))
    return tuple(one for one in fitted if len(one.data) <= most_bytes)


def _fitted(image: Image, most_bytes: int) -> Image:
    if len(image.data) <= most_bytes or PurePath(image.name).suffix in _MOVING:
        return image
    name = PurePath(image.name).with_suffix(".jpg").name
    tries = _coarser(image.data)
    data = next((data for data in tries if len(data) <= most_bytes), image.data)
    return replace(image, name=name, data=data)


def _coarser(data: bytes) -> Iterator[bytes]:
    picture = Pillow.open(io.BytesIO(data)).convert("RGB")
    while min(picture.size) >= _LEAST_PX:
        for quality in _QUALITIES:
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=quality, optimize=True)
            yield out.getvalue()
        picture = picture.resize((round(picture.width * _SHRINK), round(picture.height * _SHRINK)))
