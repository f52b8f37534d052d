"""The contact sheet: a film's small pictures in a grid, each with its time. Owns its looks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from core.times import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Thumbnail

_COLUMNS = 4
_MOST = 12
_TILE_PX = (240, 135)
_GAP_PX = 6
_PAPER = (24, 25, 29)


def contact_sheet(thumbnails: Sequence[Thumbnail]) -> bytes:
    """Give a JPEG of at most 12 tiles, evenly over the film; raises ValueError without a thumbnail."""
    if not thumbnails:
        raise ValueError("a contact sheet needs at least one thumbnail")
    chosen = evenly(thumbnails, _MOST)
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    size = (_GAP_PX + columns * (_TILE_PX[0] + _GAP_PX), _GAP_PX + rows * (_TILE_PX[1] + _GAP_PX))
    sheet = Image.new("RGB", size, _PAPER)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans:bold"), 15)
    for number, thumbnail in enumerate(chosen):
        row, column = divmod(number, columns)
        place = (_GAP_PX + column * (_TILE_PX[0] + _GAP_PX), _GAP_PX + row * (_TILE_PX[1] + _GAP_PX))
        sheet.paste(_tile(thumbnail, font), place)
    return _jpeg(sheet)


def evenly(thumbnails: Sequence[Thumbnail], most: int) -> list[Thumbnail]:
    """Give at most that many, spread evenly, each from the middle of its share of the film."""
    count = min(most, len(thumbnails))
    return [thumbnails[int((number + 0.5) * len(thumbnails) / count)] for number in range(count)]


def _tile(thumbnail: Thumbnail, font: ImageFont.FreeTypeFont) -> Image.Image:
    tile = Image.new("RGB", _TILE_PX, (0, 0, 0))
    with Image.open(io.BytesIO(thumbnail.jpeg)) as picture:
        picture.thumbnail(_TILE_PX)
        tile.paste(picture, ((_TILE_PX[0] - picture.width) // 2, (_TILE_PX[1] - picture.height) // 2))
    pen = ImageDraw.Draw(tile, "RGBA")
    label = clock(thumbnail.time_s)
    box = pen.textbbox((8, _TILE_PX[1] - 24), label, font=font)
    pen.rounded_rectangle((box[0] - 5, box[1] - 4, box[2] + 5, box[3] + 4), 4, fill=(0, 0, 0, 170))
    pen.text((8, _TILE_PX[1] - 24), label, font=font, fill=(255, 255, 255))
    return tile


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
