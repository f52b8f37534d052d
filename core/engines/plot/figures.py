"""The plot of an answer, by matplotlib: similarity over time, the band of the verdict, the moments.

Building a figure takes longer than drawing it, so there is one for each theme, which is redrawn for each plot.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from matplotlib.transforms import Bbox, TransformedBbox

from core.formatting import clock
from core.ports.video import PlotSpec
from core.ports.video import heights as plotted
from core.search.moments import baseline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    from core.model.reply import Theme
    from core.model.results import Moment
    from core.model.video import Floats, Seconds

SIZE_PX = (800, 450)
_DPI = 200
_FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Segoe UI", "Arial Unicode MS", "Hiragino Sans")
"""The first that has a letter writes it."""
_LEFT, _BOTTOM, _WIDTH, _HEIGHT = 0.125, 0.16, 0.815, 0.635
"""Of the scales, as shares of the picture."""
_LEGEND_ROW_HEIGHT = 0.065
_LEGEND_COLUMNS = 3
_LEAST_SPAN = 0.08
"""A video in which nothing matches has a nearly flat curve, and is drawn as one."""
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 12 * 3600)
_MOST_TIMES = 6
"""More would touch each other."""
_MOST_POINTS = 2 * SIZE_PX[0]
_PNG = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE, cv2.IMWRITE_PNG_COMPRESSION, 2)
"""Filters make pictures of few flat colours no smaller, and take four times as long."""


@dataclass(frozen=True, slots=True)
class _Ink:
    """The colours of one theme."""

    paper: str
    text: str
    faint: str
    grid: str
    line: str
    current: str
    on_current: str
    lines: tuple[str, ...]
    """Of the first text, the second, and so on; told apart by people who see fewer colours, too."""


_LINES_ON_LIGHT = ("#3457d5", "#d9480f", "#0b8a6a", "#9c36b5", "#b58900", "#c2255c")
_LINES_ON_DARK = ("#8fa8ff", "#ffa94d", "#4fd1a5", "#da8ef0", "#f2d35c", "#ff8fb3")
_INKS: dict[Theme, _Ink] = {
    "light": _Ink("#ffffff", "#1d2129", "#6a7280", "#e6e8ec", "#3457d5", "#d9480f", "#ffffff", _LINES_ON_LIGHT),
    "dark": _Ink("#1e1f24", "#eceef2", "#9aa1ad", "#34363d", "#8fa8ff", "#ffa94d", "#1e1f24", _LINES_ON_DARK),
}


@dataclass(slots=True)
class PlotFigures:
    """A figure for each theme, built when it is first needed; for one thread."""

    _built: dict[Theme, PlotFigure] = field(default_factory=dict)

    def png(self, spec: PlotSpec, theme: Theme) -> bytes:
        """Draw a plot on this thread; return a PNG of SIZE_PX."""
        if theme not in self._built:
            self._built[theme] = PlotFigure(_INKS[theme])
        return self._built[theme].png(spec)


class PlotFigure:
    """A figure with its axes, in the colours of one theme."""

    def __init__(self, ink: _Ink) -> None:
        self._ink = ink
        known = set(font_manager.fontManager.get_font_names())
        self._fonts = [name for name in _FONTS if name in known]
        size_in = SIZE_PX[0] / _DPI, SIZE_PX[1] / _DPI
        self._figure = Figure(size_in, _DPI, facecolor=ink.paper)
        self._canvas = FigureCanvasAgg(self._figure)
        self._title = self._text(0.018, 0.97, ink.text, size=9.5, weight="bold", va="top")
        self._note = self._text(0.018, 0.872, ink.faint, va="top")
        # Labels of matplotlib's axes ask all ticks where they end, at each drawing.
        self._text(_LEFT + _WIDTH / 2, 0.03, ink.faint, ha="center").set_text("time")
        self._measure = self._text(0.03, 0.0, ink.faint, ha="center", va="center", rotation=90)
        self._axes = axes = self._figure.add_axes((_LEFT, _BOTTOM, _WIDTH, _HEIGHT), facecolor="none", frameon=False)
        axes.set_autoscale_on(False)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, pad=3, labelsize=7.5, labelcolor=ink.faint, labelfontfamily=self._fonts[0])
        axes.grid(axis="y", color=ink.grid, linewidth=0.7)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: clock(value)))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        self._drawn: list[Artist] = []
        """What belongs to one plot alone."""

    def png(self, spec: PlotSpec) -> bytes:
        """Draw a plot; return it as a PNG."""
        heights = plotted(spec)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing from font")
                self._scale(spec, heights)
                self._name(spec)
                if spec.curve.lines:
                    self._several(spec, heights)
                else:
                    self._one(spec, heights[0])
                for time_s in spec.marks_s:
                    self._drawn.append(self._axes.axvline(time_s, color=self._ink.current, linewidth=1.1, zorder=4))
                self._canvas.draw()  # type: ignore[no-untyped-call]
        finally:
            for artist in self._drawn:
                artist.remove()
            self._drawn.clear()
        rgba = np.asarray(self._canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        _, data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGR), _PNG)
        return data.tobytes()

    def _text(self, left: float, bottom: float, color: str, size: float = 7, **how: Any) -> Text:  # noqa: ANN401 - as matplotlib has it
        """Add a text at these shares of the picture, for `set_text`."""
        return self._figure.text(left, bottom, "", color=color, size=size, family=self._fonts, parse_math=False, **how)

    def _scale(self, spec: PlotSpec, heights: Floats) -> None:
        """Set the limits of both scales and their place; a legend takes some room from above."""
        low, high = float(heights.min()), float(heights.max())
        if not spec.curve.lines:
            high = max(high, _band(spec, heights[0])[1])
        span = max(high - low, _LEAST_SPAN if spec.style == "similarity" else 1e-6)
        self._axes.set_ylim(low - 0.06 * span, low + span * 1.24)
        length_s = max(spec.curve.video.duration_s, float(spec.curve.times_s[-1]), 1e-3)
        self._axes.set_xlim(0, length_s)
        fitting = (step_s for step_s in _TIME_STEPS_S if length_s / step_s <= _MOST_TIMES)
        self._axes.xaxis.set_major_locator(MultipleLocator(next(fitting, _TIME_STEPS_S[-1])))
        rows = -(-len(spec.curve.lines) // _LEGEND_COLUMNS)
        height = _HEIGHT - _LEGEND_ROW_HEIGHT * rows
        self._axes.set_position((_LEFT, _BOTTOM, _WIDTH, height))
        self._measure.set_y(_BOTTOM + height / 2)

    def _name(self, spec: PlotSpec) -> None:
        """Write the query, the title of the video, and what the scales mean."""
        is_cosine = spec.style == "similarity"
        banded = bool(spec.curve.baseline) and is_cosine and not spec.curve.lines
        self._title.set_text(_shorten(spec.query, 46))
        video = _shorten(spec.curve.video.title, 44 if banded else 68)
        self._note.set_text(f"{video} · grey: frames without it" if banded else video)
        self._measure.set_text("similarity" if is_cosine else _probability(spec))
        shown = _cosine if is_cosine else _share
        self._axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: shown(value)))

    def _one(self, spec: PlotSpec, heights: Floats) -> None:
        """Draw one curve, the band of heights that mean nothing, and the moments."""
        ink, axes, times_s = self._ink, self._axes, spec.curve.times_s
        low, high = _band(spec, heights)
        across, up = thinned(times_s, heights)
        risen = axes.fill_between(across, high, up, color=ink.line, alpha=0.14, linewidth=0, zorder=1)
        above = Bbox.from_extents(0, high, axes.get_xlim()[1], axes.get_ylim()[1])
        risen.set_clip_box(TransformedBbox(above, axes.transData))
        self._drawn += [
            risen,
            axes.axhspan(low, high, color=ink.faint, alpha=0.13, linewidth=0, zorder=1),
            axes.axhline(high, color=ink.faint, linewidth=0.7, dashes=(4, 3), zorder=2),
            *axes.plot(across, up, color=ink.line, linewidth=1.4, zorder=3),
        ]
        self._source(spec, heights)
        for number, moment in sorted(spec.numbered, reverse=True):
            is_current = number == spec.current
            color = ink.current if is_current else ink.line
            self._span(moment, color, 0.16 if is_current else 0.09)
            height = float(heights[int(np.abs(times_s - moment.peak_s).argmin())])
            self._badge((moment.peak_s, height), number, color, (ink.on_current, color, ink.paper))

    def _source(self, spec: PlotSpec, heights: Floats) -> None:
        """Draw the shot that more is wanted like in grey: it is no answer."""
        source, there, ink = spec.curve.source, ~spec.curve.counts, self._ink
        if source is None or not there.any():
            return
        end_s = min(source.end_s, self._axes.get_xlim()[1])
        for color, alpha in ((ink.paper, 0.8), (ink.faint, 0.2)):
            span = self._axes.axvspan(source.start_s, end_s, color=color, alpha=alpha, linewidth=0, zorder=1)
            self._drawn.append(span)
        times_s = spec.curve.times_s
        self._drawn += self._axes.plot(times_s[there], heights[there], color=ink.faint, linewidth=1.4, zorder=3.5)
        place = (source.start_s + end_s) / 2, 1.0
        above = self._axes.get_xaxis_transform()
        self._drawn.append(
            self._axes.annotate(
                "this",
                place,
                xytext=(0, -3),
                xycoords=above,
                textcoords="offset points",
                ha="center",
                va="top",
                size=7,
                color=ink.faint,
                family=self._fonts,
            )
        )

    def _several(self, spec: PlotSpec, heights: Floats) -> None:
        """Draw the curve of each text in a colour of its own, their legend and the moments."""
        colors = self._ink.lines
        for values, color in zip(heights, colors, strict=False):
            across, up = thinned(spec.curve.times_s, values)
            self._drawn += self._axes.plot(across, up, color=color, linewidth=1.4, zorder=3)
        for number, part, moment in reversed(list(_numbered(spec))):
            is_current, color = number == spec.current, colors[part]
            self._span(moment, color, 0.18 if is_current else 0.06)
            height = float(heights[part][spec.curve.at(moment.peak_s)])
            badge = (self._ink.paper, color, color) if is_current else (color, self._ink.paper, color)
            self._badge((moment.peak_s, height), number, color, badge, zorder=7 if is_current else 6)
        self._drawn.append(self._legend(spec))

    def _legend(self, spec: PlotSpec) -> Legend:
        entries = list(zip(spec.curve.lines, self._ink.lines, strict=False))
        legend = self._axes.legend(
            [Line2D([], [], color=color, linewidth=1.4) for _, color in entries],
            [_shorten(line.text, 26) for line, _ in entries],
            ncols=min(_LEGEND_COLUMNS, len(entries)),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            frameon=False,
            borderpad=0,
            borderaxespad=0.3,
            handlelength=1.2,
            handletextpad=0.6,
            columnspacing=1.4,
            labelcolor=self._ink.text,
            prop={"size": 7, "family": self._fonts},
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
        return legend

    def _span(self, moment: Moment, color: str, alpha: float) -> None:
        span = self._axes.axvspan(moment.start_s, moment.end_s, color=color, alpha=alpha, linewidth=0, zorder=1)
        self._drawn.append(span)

    def _badge(
        self, place: tuple[float, float], number: int, color: str, badge: tuple[str, str, str], zorder: float = 6
    ) -> None:
        """Mark a point, with its number in a disc above it, in the colours of number, disc and edge."""
        ink, disc, edge = badge
        dots = self._axes.plot([place[0]], [place[1]], "o", color=color, zorder=5, markersize=4.2, markeredgewidth=0)
        dots[0].set_clip_on(False)
        self._drawn += dots
        self._drawn.append(
            self._axes.annotate(
                str(number),
                place,
                xytext=(0, 8.5),
                textcoords="offset points",
                ha="center",
                va="center",
                size=7.5,
                weight="bold",
                color=ink,
                family=self._fonts,
                bbox={"boxstyle": "circle,pad=0.22", "facecolor": disc, "edgecolor": edge, "linewidth": 0.9},
                zorder=zorder,
            )
        )


def thinned(xs: Seconds, ys: Floats) -> tuple[Seconds, Floats]:
    """Return a curve by the lowest and the highest of each pixel column's points, where there are many."""
    if len(xs) <= _MOST_POINTS:
        return xs, ys
    starts = np.linspace(0, len(xs), _MOST_POINTS // 2, endpoint=False).astype(np.intp)
    lows, highs = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts)
    heights = np.column_stack([lows, highs]).ravel()
    return np.repeat(xs[starts], 2), heights.astype(np.float32)


def _band(spec: PlotSpec, heights: Floats) -> tuple[float, float]:
    """Return from where to where a height means nothing; without a baseline the usual height alone."""
    known = spec.curve.baseline
    if known is None or spec.style == "softmax":
        usual = baseline(heights)
        return usual, usual
    return known.usual, known.weak_from


def _numbered(spec: PlotSpec) -> Iterator[tuple[int, int, Moment]]:
    """Yield each moment with its number and its curve; the two of a pair have one number."""
    for number, moment in sorted(spec.numbered, key=lambda one: (one[0] != spec.current, one[0])):
        yield number, moment.part, moment
        if moment.then:
            yield number, moment.then.part, moment.then


def _probability(spec: PlotSpec) -> str:
    among = spec.curve.lines and not any(moment.then for _, moment in spec.numbered)
    return "probability among these" if among else "softmax share"


def _cosine(value: float) -> str:
    return f"{value:.2f}" if value <= 1.0 else ""  # room for the badges, and no cosine


def _share(value: float) -> str:
    if value > 1.0:  # room for the badges, and no share
        return ""
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def _shorten(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
