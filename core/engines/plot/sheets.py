"""Pictures made of several frames: the contact sheet, the two ends of a cut, a slideshow."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.engines.video.allowance import THUMBNAIL_PX, NoPictureError, opened_jpeg
from core.formatting import clock, tenths
from core.model.results import nearest_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model.results import Moment
    from core.model.video import Still, Thumbnail

_COLUMNS = 4
_STRIP = 5
"""Tiles of a strip, as there are buttons below it."""
_TILE_PX = (240, 135)
_GAP_PX = 6
_PAPER = (24, 25, 29)
_MARK: Final = (255, 169, 77)
_END_PX = (480, 360)
_SLIDE_MS = 600
_BOLD = "DejaVu Sans:bold"


def contact_sheet(
    thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
) -> bytes:
    """Return a JPEG of at most that many tiles, evenly over the video, the numbered moments among them.

    Raises ValueError without a thumbnail.
    """
    if not thumbnails:
        raise ValueError("a contact sheet needs at least one thumbnail")
    numbers = _numbers(thumbnails, numbered)
    chosen = _chosen(thumbnails, most, set(numbers))
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    size = (_GAP_PX + columns * (_TILE_PX[0] + _GAP_PX), _GAP_PX + rows * (_TILE_PX[1] + _GAP_PX))
    sheet = Image.new("RGB", size, _PAPER)
    times_s = _times_s(thumbnails, numbered, numbers)
    labels = stamps([times_s[index] for index in chosen])
    for place, index in enumerate(chosen):
        row, column = divmod(place, columns)
        corner = (_GAP_PX + column * (_TILE_PX[0] + _GAP_PX), _GAP_PX + row * (_TILE_PX[1] + _GAP_PX))
        sheet.paste(_tile(thumbnails[index], numbers.get(index, ()), labels[place]), corner)
    return _jpeg(sheet)


def two_ends(first: Still, last: Still, labels: tuple[str, str]) -> bytes:
    """Return a JPEG of two frames side by side."""
    tiles = [_end(still, label) for still, label in zip((first, last), labels, strict=True)]
    size = (sum(tile.width for tile in tiles) + 3 * _GAP_PX, max(tile.height for tile in tiles) + 2 * _GAP_PX)
    sheet = Image.new("RGB", size, _PAPER)
    sheet.paste(tiles[0], (_GAP_PX, _GAP_PX))
    sheet.paste(tiles[1], (2 * _GAP_PX + tiles[0].width, _GAP_PX))
    return _jpeg(sheet)


def with_strip(plot: bytes, tiles: Sequence[tuple[int, Thumbnail]]) -> bytes:
    """Return a PNG plot with a row of numbered moments above it, each with its time; as it is without tiles."""
    with Image.open(io.BytesIO(plot)) as opened:
        below = opened.convert("RGB")
    if not tiles:
        return plot
    labels = stamps([thumbnail.time_s for _, thumbnail in tiles])
    row = [_tile(thumbnail, (number,), label) for (number, thumbnail), label in zip(tiles, labels, strict=True)]
    wide = (below.width - _GAP_PX * (_STRIP + 1)) // _STRIP
    small = [tile.resize((wide, round(wide * tile.height / tile.width))) for tile in row]
    high = small[0].height + _GAP_PX
    made = Image.new("RGB", (below.width, below.height + high), below.getpixel((0, 0)))
    for place, tile in enumerate(small):
        made.paste(tile, (_GAP_PX + place * (wide + _GAP_PX), _GAP_PX))
    made.paste(below, (0, high))
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def slideshow(thumbnails: Sequence[Thumbnail]) -> bytes:
    """Return a GIF that runs for ever; raises ValueError without a thumbnail."""
    if not thumbnails:
        raise ValueError("a slideshow needs at least one thumbnail")
    labels = stamps([thumbnail.time_s for thumbnail in thumbnails])
    tiles = [_tile(thumbnail, (), label) for thumbnail, label in zip(thumbnails, labels, strict=True)]
    out = io.BytesIO()
    tiles[0].save(out, "GIF", save_all=True, append_images=tiles[1:], duration=_SLIDE_MS, loop=0)
    return out.getvalue()


def evenly(count: int, most: int) -> list[int]:
    """Return at most that many indexes, spread evenly, each from the middle of its share."""
    chosen = min(most, count)
    return [int((number + 0.5) * count / chosen) for number in range(chosen)]


def _numbers(thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]]) -> dict[int, tuple[int, ...]]:
    """Return the numbers that each thumbnail bears, by its index: each moment's go to its own nearest its peak."""
    numbers: dict[int, tuple[int, ...]] = {}
    times_s = np.array([thumbnail.time_s for thumbnail in thumbnails])
    for number, moment in numbered:
        nearest = nearest_within(times_s, moment, moment.peak_s)
        numbers[nearest] = (*numbers.get(nearest, ()), number)
    return numbers


def _chosen(thumbnails: Sequence[Thumbnail], most: int, wanted: set[int]) -> list[int]:
    """Return the indexes of the tiles in order: all that are wanted, each in place of the nearest even one."""
    chosen = evenly(len(thumbnails), most)
    for index in sorted(wanted - set(chosen)):
        spare = [other for other in chosen if other not in wanted]
        if spare:
            chosen.remove(min(spare, key=lambda other: abs(other - index)))
        chosen.append(index)
    return sorted(chosen)


def _times_s(
    thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]], numbers: Mapping[int, Sequence[int]]
) -> list[float]:
    """Return the time that each tile bears: its own, or that of its moment, as its button says it."""
    peaks_s = {number: moment.peak_s for number, moment in numbered}
    return [peaks_s[numbers[at][0]] if at in numbers else one.time_s for at, one in enumerate(thumbnails)]


def stamps(times_s: Sequence[float]) -> list[str]:
    """Return times in whole seconds, or with tenths where two would be told the same."""
    told = Counter(map(clock, times_s))
    return [tenths(time_s) if told[clock(time_s)] > 1 else clock(time_s) for time_s in times_s]


def _tile(thumbnail: Thumbnail, numbers: Sequence[int], label: str) -> Image.Image:
    tile = Image.new("RGB", _TILE_PX, (0, 0, 0))
    # What an older Keaton kept was not checked when it came.
    with suppress(NoPictureError), opened_jpeg(thumbnail.jpeg, THUMBNAIL_PX) as picture:
        picture.thumbnail(_TILE_PX)
        tile.paste(picture, ((_TILE_PX[0] - picture.width) // 2, (_TILE_PX[1] - picture.height) // 2))
    _label(tile, label, 15)
    if numbers:
        _mark(tile, numbers)
    return tile


def _end(still: Still, label: str) -> Image.Image:
    with opened_jpeg(still.jpeg, max(still.width_px, still.height_px)) as picture:
        picture.thumbnail(_END_PX)
        tile = picture.convert("RGB")
    _label(tile, label, 18)
    return tile


def _bold(size_px: int) -> ImageFont.FreeTypeFont:
    from matplotlib import font_manager  # noqa: PLC0415 - a search without pictures needs none

    return ImageFont.truetype(font_manager.findfont(_BOLD), size_px)


def _label(tile: Image.Image, text: str, size_px: int) -> None:
    """Write into the lower left corner."""
    font = _bold(size_px)
    pen = ImageDraw.Draw(tile, "RGBA")
    corner = (8, tile.height - size_px - 9)
    box = pen.textbbox(corner, text, font=font)
    pen.rounded_rectangle((box[0] - 5, box[1] - 4, box[2] + 5, box[3] + 4), 4, fill=(0, 0, 0, 170))
    pen.text(corner, text, font=font, fill=(255, 255, 255))


def _mark(tile: Image.Image, numbers: Sequence[int]) -> None:
    """Frame a tile, and set the numbers of its moments into its upper left corner."""
    pen = ImageDraw.Draw(tile)
    pen.rectangle((0, 0, tile.width - 1, tile.height - 1), outline=_MARK, width=4)
    font = _bold(16)
    for place, number in enumerate(numbers):
        middle = (20 + 32 * place, 20)
        pen.ellipse((middle[0] - 14, middle[1] - 14, middle[0] + 14, middle[1] + 14), fill=_MARK)
        pen.text(middle, str(number), font=font, fill=_PAPER, anchor="mm")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
