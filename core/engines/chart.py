"""A chart on which a plot is drawn: scales, ticks, lines, areas, words, painted by matplotlib's Agg in one go.

Owns geometry in points and pixels; must not know what is plotted. matplotlib's own `Axes` does all this too and far
more, for 100 to 150 ms a picture; the calls here are those of `Axes` that a plot needs, and 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from core.engines.brush import SIZE_PX, Brush, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.ticker import Locator

    from core.model import Floats, Seconds

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
