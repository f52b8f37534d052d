"""A chart painted by matplotlib's Agg renderer: scales, ticks, lines, areas and text.

matplotlib's own `Axes` takes 100 to 150 ms a picture; this takes 20.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Bbox, IdentityTransform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from matplotlib.backend_bases import GraphicsContextBase
    from matplotlib.ticker import Locator

    from core.model.video import Floats, Seconds

SIZE_PX = (800, 450)


DPI = 200


_FONTS = ["DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Segoe UI", "Arial Unicode MS", "Hiragino Sans"]


_POINT_PX = DPI / 72


_TICK_PAD_PT = 3.0


_BADGE_LIFT_PT = 8.5


_WORDS = 64
"""So many are remembered as they are drawn, at most 30 kB each: writing them was half of a plot's time."""


_EDGE_PX, _UNDER_PX = 4, 16


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text in one style."""

    text: str
    size_pt: float
    color: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Brush:
    """Paints, in the units of a chart."""

    renderer: Any
    """matplotlib's RendererAgg, whose methods have no types."""
    room: Bbox
    """Of the scales, in pixels from the lower left corner."""
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @classmethod
    def on(
        cls,
        box: tuple[float, float, float, float],
        paper: str,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
    ) -> Brush:
        """Give a brush on new paper."""
        width, height = SIZE_PX
        left, bottom, share, rise = box
        room = Bbox.from_bounds(left * width, bottom * height, share * width, rise * height)
        brush = cls(RendererAgg(width, height, DPI), room, x_range, y_range)  # type: ignore[no-untyped-call]
        sheet = Path([(0, 0), (width, 0), (width, height), (0, height)])
        brush.renderer.draw_path(brush.pen(paper, 0.0, clip=False), sheet, IdentityTransform(), to_rgba(paper))
        return brush

    @property
    def columns(self) -> int:
        """Count the columns of pixels between the left and the right end of the scale."""
        return int(self.room.width)

    def line(
        self,
        xs: npt.NDArray[np.floating],
        ys: npt.NDArray[np.floating],
        color: str,
        width_pt: float,
        dashes_pt: tuple[float, ...] = (),
    ) -> None:
        """Draw a line through points."""
        pen = self.pen(color, width_pt)
        pen.set_joinstyle("round")
        pen.set_capstyle("butt" if dashes_pt else "projecting")
        if dashes_pt:
            pen.set_dashes(0, [part * width_pt for part in dashes_pt])
        self.renderer.draw_path(pen, Path(self._place(xs, ys)), IdentityTransform(), None)

    def area(
        self, xs: npt.NDArray[np.floating], ys: npt.NDArray[np.floating], base: float, color: str, alpha: float
    ) -> None:
        """Fill between a curve and a base below it."""
        around = np.concatenate([xs[:1], xs, xs[-1:]]), np.concatenate([[base], np.maximum(ys, base), [base]])
        self._fill(Path(self._place(*around)), color, alpha)

    def box(self, sides: tuple[float, float, float, float], color: str, alpha: float) -> None:
        """Fill a rectangle: left, right, bottom, top."""
        left, right, bottom, top = sides
        corners = np.array([left, right, right, left]), np.array([bottom, bottom, top, top])
        self._fill(Path(self._place(*corners)), color, alpha)

    def dot(self, x: float, y: float, color: str) -> None:
        """Mark a point."""
        ((left, bottom),) = self._place(np.array([x]), np.array([y]))
        self._fill(Path.circle((left, bottom), 2.1 * _POINT_PX), color, 1.0, clip=False)

    def badge(self, x: float, y: float, word: Word, disc: str, edge: str) -> None:
        """Write a word in a disc above a point."""
        ((left, bottom),) = self._place(np.array([x]), np.array([y]))
        middle = bottom + _BADGE_LIFT_PT * _POINT_PX
        width, height, _ = self._size(word)
        radius = max(np.hypot(width, height) / 2, word.size_pt * _POINT_PX * 0.5) + 0.22 * word.size_pt * _POINT_PX
        pen = self.pen(edge, 0.9, clip=False)
        self.renderer.draw_path(pen, Path.circle((left, middle), radius), IdentityTransform(), to_rgba(disc))
        self.write(word, left, middle, "center", "center")

    def over(self, x: float, word: Word) -> None:
        """Write a word at the upper end of the scales, above a place on the lower one."""
        ((left, _),) = self._place(np.array([x]), np.array([0.0]))
        self.write(word, left, self.room.y1 - _TICK_PAD_PT * _POINT_PX, "center", "top")

    def tick(self, axis: Literal["x", "y"], value: float, word: Word) -> None:
        """Write a value beside its scale."""
        pad = _TICK_PAD_PT * _POINT_PX
        ((left, bottom),) = self._place(np.array([value]), np.array([value]))
        if axis == "x":
            self.write(word, left, self.room.y0 - pad, "center", "top")
        else:
            self.write(word, self.room.x0 - pad, bottom, "right", "center")

    def legend(self, entries: Sequence[tuple[str, str]], columns: int, size_pt: float, color: str) -> None:
        """Write (colour, label) entries in rows above the scales."""
        em = size_pt * _POINT_PX
        words = [Word(label, size_pt, color) for _, label in entries]
        wide = [max(self._size(word)[0] for word in words[column::columns]) + 3.2 * em for column in range(columns)]
        rows = -(-len(entries) // columns)
        for number, ((swatch, _), word) in enumerate(zip(entries, words, strict=True)):
            row, column = divmod(number, columns)
            left, middle = self.room.x0 + sum(wide[:column]), self.room.y1 + (rows - row - 0.4) * 1.3 * em
            ends = np.array([[left, middle], [left + 1.2 * em, middle]])
            self.renderer.draw_path(self.pen(swatch, 1.4, clip=False), Path(ends), IdentityTransform(), None)
            self.write(word, left + 1.8 * em, middle, "left", "center")

    def write(
        self, word: Word, x: float, y: float, across: Literal["left", "center", "right"], up: Literal["top", "center"]
    ) -> None:
        """Write a word at a point given in pixels, aligned as said."""
        width, height, below = self._size(word)
        if up == "top":  # by the height of any letter, so that lines do not dance
            _, height, below = self._size(Word("lp", word.size_pt, word.color, word.bold))
        left = x - {"left": 0.0, "center": width / 2, "right": width}[across]
        left = min(left, max(0.0, SIZE_PX[0] - width - 2))
        base = y + below - (height if up == "top" else height / 2)
        cover = _written(word.text, word.size_pt, word.bold)
        picture = np.empty((*cover.shape, 4), np.uint8)
        picture[..., :3] = [round(255 * part) for part in to_rgba(word.color)[:3]]
        picture[..., 3] = cover
        self.renderer.draw_image(
            self.pen(word.color, 0.0, clip=False), round(left) - _EDGE_PX, round(base) - _UNDER_PX, picture
        )

    def _place(self, xs: npt.NDArray[np.floating], ys: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Give the (n, 2) pixels of points."""
        (left, right), (low, high) = self.x_range, self.y_range
        across = self.room.x0 + (np.asarray(xs, np.float64) - left) / (right - left) * self.room.width
        up = self.room.y0 + (np.asarray(ys, np.float64) - low) / (high - low) * self.room.height
        return np.column_stack([across, up])

    def _fill(self, path: Path, color: str, alpha: float, *, clip: bool = True) -> None:
        pen = self.pen(color, 0.0, clip=clip)
        pen.set_alpha(alpha)
        self.renderer.draw_path(pen, path, IdentityTransform(), to_rgba(color, alpha))

    def pen(self, color: str, width_pt: float, *, clip: bool = True) -> GraphicsContextBase:
        """Give what a line is drawn with."""
        pen: GraphicsContextBase = self.renderer.new_gc()
        pen.set_foreground(color)
        pen.set_linewidth(width_pt)
        if clip:
            pen.set_clip_rectangle(self.room)
        return pen

    def _size(self, word: Word) -> tuple[float, float, float]:
        """Give width, height and how far it goes below its line, in pixels."""
        return _measured(word.text, word.size_pt, word.bold)


@lru_cache(maxsize=32)
def _properties(size_pt: float, bold: bool) -> FontProperties:
    names = set(font_manager.fontManager.get_font_names())
    return FontProperties(
        family=[name for name in _FONTS if name in names], size=size_pt, weight="bold" if bold else "normal"
    )


@lru_cache(maxsize=_WORDS)
def _measured(text: str, size_pt: float, bold: bool) -> tuple[float, float, float]:
    renderer: Any = RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call]
    width, height, below = renderer.get_text_width_height_descent(text, _properties(size_pt, bold), False)
    return width, height, below


@lru_cache(maxsize=_WORDS)
def _written(text: str, size_pt: float, bold: bool) -> npt.NDArray[np.uint8]:
    """Give how far each pixel is covered by a text, (H, W) from the lowest row up.

    The text begins `_EDGE_PX` from the left, its line lies `_UNDER_PX` above the lowest row.
    """
    width, height, _ = _measured(text, size_pt, bold)
    size_px = ceil(width) + 2 * _EDGE_PX, ceil(height) + 2 * _UNDER_PX
    renderer: Any = RendererAgg(*size_px, DPI)  # type: ignore[no-untyped-call]
    pen = renderer.new_gc()
    renderer.draw_text(pen, _EDGE_PX, size_px[1] - _UNDER_PX, text, _properties(size_pt, bold), 0)
    return np.asarray(renderer.buffer_rgba())[::-1, :, 3].copy()


_TICK_SIZE_PT = 7.5


_POINTS_A_COLUMN = 2


_PNG = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE, cv2.IMWRITE_PNG_COMPRESSION, 2)
"""Filters make pictures of few flat colours no smaller, and take four times as long."""


@dataclass(slots=True)
class Chart:
    """An empty chart; things are painted from the lowest `zorder` up, and in the order of calls."""

    box: tuple[float, float, float, float]
    """Left, bottom, width and height of the scales' place, as shares of the picture."""
    paper: str
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)
    _strokes: list[tuple[float, Callable[[Brush], None]]] = field(default_factory=list)

    def line(self, xs: Seconds, ys: Floats, color: str, width_pt: float = 1.4, zorder: float = 3) -> None:
        """Draw a curve; where many points share a column of pixels, the highest and the lowest of them."""
        self._later(zorder, lambda brush: brush.line(*thinned(xs, ys, brush.columns), color, width_pt))

    def area(self, xs: Seconds, ys: Floats, base: float, color: str, alpha: float) -> None:
        """Fill what of a curve rises above a base."""
        self._later(1, lambda brush: brush.area(*thinned(xs, ys, brush.columns), base, color, alpha))

    def level(
        self, y: float, color: str, width_pt: float, dashes_pt: tuple[float, ...] = (), zorder: float = 2
    ) -> None:
        """Draw a line from left to right."""
        ends = np.array(self.x_range)
        self._later(zorder, lambda brush: brush.line(ends, np.array([y, y]), color, width_pt, dashes_pt))

    def upright(self, x: float, color: str, width_pt: float, zorder: float = 4) -> None:
        """Draw a line from bottom to top."""
        ends = np.array(self.y_range)
        self._later(zorder, lambda brush: brush.line(np.array([x, x]), ends, color, width_pt))

    def rows(self, low: float, high: float, color: str, alpha: float) -> None:
        """Fill from one height to another."""
        self._later(1, lambda brush: brush.box((*self.x_range, low, high), color, alpha))

    def columns(self, start: float, stop: float, color: str, alpha: float) -> None:
        """Fill from one time to another."""
        self._later(1, lambda brush: brush.box((start, stop, *self.y_range), color, alpha))

    def over(self, x: float, word: Word) -> None:
        """Write a word at a time, at the upper end of the scale."""
        self._later(6, lambda brush: brush.over(x, word))

    def badge(self, x: float, y: float, word: Word, disc: str, edge: str, dot: str, zorder: float = 6) -> None:
        """Mark a point, with a word in a disc above it."""
        self._later(5, lambda brush: brush.dot(x, y, dot))
        self._later(zorder, lambda brush: brush.badge(x, y, word, disc, edge))

    def ticks(
        self, axis: Literal["x", "y"], locator: Locator, label: Callable[[float], str], color: str, grid: str = ""
    ) -> None:
        """Write the values at some places of a scale; with `grid`, draw a line at each."""
        low, high = self.x_range if axis == "x" else self.y_range
        for value in locator.tick_values(low, high):
            if low <= value <= high:
                if grid:
                    self.level(float(value), grid, 0.7, zorder=0)
                word = Word(label(float(value)), _TICK_SIZE_PT, color)
                self._later(2.5, partial(_tick, axis, float(value), word))

    def title(self, left: float, top: float, word: Word) -> None:
        """Write a word whose upper left corner lies at these shares of the picture."""
        self._later(9, lambda brush: brush.write(word, left * SIZE_PX[0], top * SIZE_PX[1], "left", "top"))

    def legend(self, entries: Sequence[tuple[str, str]], columns: int, size_pt: float, color: str) -> None:
        """Write (colour, label) entries in rows above the scales, the first row on top."""
        self._later(9, lambda brush: brush.legend(entries, columns, size_pt, color))

    def png(self) -> bytes:
        """Paint it all; give a PNG of SIZE_PX."""
        brush = Brush.on(self.box, self.paper, self.x_range, self.y_range)
        for _, stroke in sorted(self._strokes, key=lambda one: one[0]):
            stroke(brush)
        _, data = cv2.imencode(".png", cv2.cvtColor(np.asarray(brush.renderer.buffer_rgba()), cv2.COLOR_RGBA2BGR), _PNG)
        return data.tobytes()

    def _later(self, zorder: float, stroke: Callable[[Brush], None]) -> None:
        self._strokes.append((zorder, stroke))


def thinned(xs: Seconds, ys: Floats, columns: int) -> tuple[Seconds, Floats]:
    """Give a curve by the lowest and the highest of each column's points, where there are many."""
    if len(xs) <= 2 * _POINTS_A_COLUMN * columns:
        return xs, ys
    starts = np.linspace(0, len(xs), columns, endpoint=False).astype(np.intp)
    lows, highs = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts)
    heights = np.column_stack([lows, highs]).ravel()
    return np.repeat(xs[starts], 2), heights.astype(np.float32)


def _tick(axis: Literal["x", "y"], value: float, word: Word, brush: Brush) -> None:
    brush.tick(axis, value, word)
