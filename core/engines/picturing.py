"""Pictures that people ask about, decoded in the caged child: one request, the encoder's input back.

Owns both ends of that; must not know films or what becomes of the picture. The parent never decodes one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from core.engines import pictures, wire
from core.engines.flaws import keep_within
from core.engines.frames import error_of, nonsense
from core.engines.wire import GarbledError
from core.errors.films import DecoderDied, NotAPicture, OverLimit
from core.limits import FilmLimits
from core.model import Preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.engines.frames import ChildFrameReader
    from core.errors import AppError
    from core.model import Pixels

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""None of them opens other files or runs other programs."""
_CODE = "not_a_picture"
_MOST_STRETCH = 100
"""A picture that is so many times longer than wide has nothing for the encoder to see, and much to compute."""


@dataclass(frozen=True, slots=True)
class ChildPictureReader:
    """Decodes each picture in a child of its own: `core.film_ports.PictureReader`."""

    films: ChildFrameReader
    """Whose children these are, with the limits that films have."""

    async def picture(self, path: Path, preprocess: Preprocess) -> Pixels:
        """Give (S, S, 3) uint8 RGB as the encoder wants it; raises NotAPicture, OverLimit, DecoderDied."""
        request = {"kind": "picture", "preprocess": asdict(preprocess), "limits": asdict(self.films.limits)}
        async with self.films.children.child() as child:
            await child.ask({**request, "path": str(path)})
            message = await self.films.hear(child, path, preprocess.size_px**2 * 3)
            return _pixels(message, path, preprocess.size_px, self.films.limits)


def _pixels(message: wire.Message, path: Path, size_px: int, limits: FilmLimits) -> Pixels:
    try:
        if message.kind == "error":
            raise _error(message, path, limits)
        data = message.part(0)
    except GarbledError as error:
        raise nonsense(path, error) from error
    if message.kind != "picture" or len(data) != size_px * size_px * 3:
        raise DecoderDied(path.name, f"{message.kind[:40]!r} of {len(data)} bytes is no picture")
    return np.frombuffer(data, dtype=np.uint8).reshape(size_px, size_px, 3)


def _error(message: wire.Message, path: Path, limits: FilmLimits) -> AppError:
    code = message.text("code")
    if code == _CODE:
        return NotAPicture(path.name)
    if code == "over_limit" and message.text("quantity") == "frame_px":
        return OverLimit(path.name, "frame_px", limits.frame_px, message.maybe_number("found"))
    if code == "over_limit" and message.text("quantity") == "memory_bytes":
        return OverLimit(path.name, "memory_bytes", limits.memory_bytes)
    return error_of(message, path, limits, "error")


def send_picture(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "picture", in the child. Raises OverLimitError."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    limits = FilmLimits(**request["limits"])  # type: ignore[arg-type]
    try:
        with Image.open(path, formats=_FORMATS) as image:
            keep_within(limits, "frame_px", image.width * image.height)
            pixels = _developed(image, preprocess)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        wire.send(out, {"kind": "error", "code": _CODE})
    else:
        wire.send(out, {"kind": "picture"}, pixels.tobytes())


def _developed(image: Image.Image, preprocess: Preprocess) -> Pixels:
    """Give the picture upright, alpha over white, as the encoder wants it. Raises ValueError."""
    if max(image.size) > _MOST_STRETCH * min(image.size):
        raise ValueError(f"{image.size} is a line, no picture")
    upright = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", upright.size, "white")
    rgb = Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")
    return pictures.encoder_input(np.asarray(rgb), preprocess)
