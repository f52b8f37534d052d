"""Opens JPEGs that a decoding child made: no other format, and no larger than allowed. Runs in the parent.

Pillow's other formats start programs or unpack bombs.
"""

from __future__ import annotations

import io
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMATS = ("JPEG",)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, *_BOMBS)
THUMBNAIL_PX = 240
"""How wide or high a small picture of a look is at most."""
THUMBNAIL_BYTES = 1 << 16
"""Noise of that size takes 45 KB."""
_BYTES_A_PIXEL = 2
"""Noise takes 1.1 at the quality that stills have."""


class NoPictureError(Exception):
    """The bytes are no JPEG, or of one that is too large."""


def most_bytes(most_px: int) -> int:
    """Return how many bytes a JPEG may have that is at most so many pixels wide and high."""
    return THUMBNAIL_BYTES + _BYTES_A_PIXEL * most_px * most_px


def size_px(data: bytes, most_px: int) -> tuple[int, int]:
    """Return width and height, from the JPEG's header alone. Raises NoPictureError."""
    with opened(data, most_px) as picture:
        return picture.size


@contextmanager
def opened(data: bytes, most_px: int) -> Iterator[Image.Image]:
    """Open a JPEG of at most this width and height; its size is judged first. Raises NoPictureError."""
    if len(data) > most_bytes(most_px):
        raise NoPictureError(f"{len(data)} bytes are too many for {most_px} px")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if max(picture.size) > most_px:
                raise NoPictureError(f"{picture.size} is wider or higher than {most_px} px")
            yield picture
    except _UNREADABLE as error:
        raise NoPictureError("no JPEG") from error
