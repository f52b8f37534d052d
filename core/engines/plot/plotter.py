"""The plot of an answer: similarity over time, the band of the verdict, the moments, and a curve for each text."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from core.engines.plot.canvas import Chart, Word
from core.engines.plot.sheets import contact_sheet, slideshow, two_ends
from core.formatting import clock
from core.model.results import Curve
from core.model.video import Video
from core.ports.video import PlotSpec
from core.ports.video import heights as plotted
from core.search.moments import baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from core.model.reply import Theme
    from core.model.results import Moment
    from core.model.video import Floats, Still, Thumbnail

_LEAST_SPAN = 0.08
"""A video in which nothing matches has a nearly flat curve, and is drawn as one."""


_TIME_STEPS = [1, 1.5, 2, 3, 6, 10]


@dataclass(frozen=True, slots=True)
class _Ink:
    """The colours of one theme."""

    paper: str
    text: str
    faint: str
    grid: str
    line: str
    span: str
    current: str
    on_current: str


_INKS: dict[Theme, _Ink] = {
    "light": _Ink("#ffffff", "#1d2129", "#6a7280", "#e6e8ec", "#3457d5", "#3457d5", "#d9480f", "#ffffff"),
    "dark": _Ink("#1e1f24", "#eceef2", "#9aa1ad", "#34363d", "#8fa8ff", "#8fa8ff", "#ffa94d", "#1e1f24"),
}


class MatplotlibPlotter:
    """Implements ports.Plotter on a pool of one thread: matplotlib's caches are not made for two."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    async def warm(self) -> None:
        """Draw once for nobody: the first drawing reads fonts and takes a second."""
        video = Video("", "", "", 2.0, 1, 1)
        curve = Curve(video, np.array([0.0, 1.0]), np.array([0.1, 0.2], np.float32))
        await self.plot(PlotSpec(curve, "", (), None, "similarity", 1.0), "light")

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        """Give a PNG of 800 x 450 px."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, draw, spec, theme)

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        """Give a JPEG contact sheet."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, contact_sheet, thumbnails, numbered, most)

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        """Give a JPEG of two frames side by side."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, two_ends, first, last, labels)

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        """Give a GIF that shows small pictures one after the other, for ever."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, slideshow, thumbnails)


def draw(spec: PlotSpec, theme: Theme) -> bytes:
    """Draw on this thread; give a PNG."""
    ink = _INKS[theme]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        chart = Chart(_room(spec), ink.paper)
        if spec.curve.lines:
            draw_lines(chart, spec, theme, ink.paper, ink.text)
        else:
            _one_curve(chart, spec, ink)
        _marks(chart, spec, ink)
        _frame(chart, spec, ink)
        _titles(chart, spec, ink)
        return chart.png()


def _room(spec: PlotSpec) -> tuple[float, float, float, float]:
    """Give the place of the scales; a legend takes some from above."""
    return 0.105, 0.11, 0.85, 0.70 - 0.065 * rows(spec)


def _one_curve(chart: Chart, spec: PlotSpec, ink: _Ink) -> None:
    heights = plotted(spec)[0]
    _limits(chart, spec, heights)
    _curve(chart, spec, heights, ink)
    _moments(chart, spec, heights, ink)


def _curve(chart: Chart, spec: PlotSpec, heights: Floats, ink: _Ink) -> None:
    times_s = spec.curve.times_s
    low, high = _band(spec, heights)
    chart.area(times_s, heights, high, ink.line, 0.14)
    chart.rows(low, high, ink.faint, 0.13)
    chart.level(high, ink.faint, 0.7, (4, 3))
    chart.line(times_s, heights, ink.line)
    _source(chart, spec, heights, ink)


def _source(chart: Chart, spec: PlotSpec, heights: Floats, ink: _Ink) -> None:
    """Draw the shot that more is wanted like in grey: it is no answer."""
    source, there = spec.curve.source, ~spec.curve.counts
    if source is None or not there.any():
        return
    times_s = spec.curve.times_s
    end_s = min(source.end_s, chart.x_range[1])
    chart.columns(source.start_s, end_s, ink.paper, 0.8)
    chart.columns(source.start_s, end_s, ink.faint, 0.2)
    chart.line(times_s[there], heights[there], ink.faint, zorder=3.5)
    chart.over((source.start_s + end_s) / 2, Word("this", 7, ink.faint))


def _band(spec: PlotSpec, heights: Floats) -> tuple[float, float]:
    """Give from where to where a height means nothing; just the usual height where nobody worked a baseline out."""
    known = spec.curve.baseline
    if known is None or spec.style == "softmax":
        usual = baseline(heights)
        return usual, usual
    return known.usual, known.weak_from


def _limits(chart: Chart, spec: PlotSpec, heights: Floats) -> None:
    low = float(heights.min())
    high = max(float(heights.max()), _band(spec, heights)[1])
    span = max(high - low, _LEAST_SPAN) if spec.style == "similarity" else max(high - low, 1e-6)
    chart.y_range = low - 0.06 * span, low + span * 1.24
    chart.x_range = 0, max(spec.curve.video.duration_s, float(spec.curve.times_s[-1]), 1e-3)


def _moments(chart: Chart, spec: PlotSpec, heights: Floats, ink: _Ink) -> None:
    for number, moment in sorted(spec.numbered, reverse=True):
        current = number == spec.current
        color = ink.current if current else ink.span
        chart.columns(moment.start_s, moment.end_s, color, 0.16 if current else 0.09)
        height = float(heights[_look_at(spec, moment)])
        word = Word(str(number), 7.5, ink.on_current, bold=True)
        chart.badge(moment.peak_s, height, word, disc=color, edge=ink.paper, dot=color)


def _marks(chart: Chart, spec: PlotSpec, ink: _Ink) -> None:
    for time_s in spec.marks_s:
        chart.upright(time_s, ink.current, 1.1)


def _look_at(spec: PlotSpec, moment: Moment) -> int:
    return int(np.abs(spec.curve.times_s - moment.peak_s).argmin())


def _frame(chart: Chart, spec: PlotSpec, ink: _Ink) -> None:
    chart.ticks("x", MaxNLocator(nbins=6, steps=_TIME_STEPS, integer=True), clock, ink.faint)
    chart.ticks("y", MaxNLocator(nbins=4), _share if spec.style == "softmax" else _cosine, ink.faint, ink.grid)


def _cosine(value: float) -> str:
    return f"{value:.2f}" if value <= 1.0 else ""  # room for the badges, and no cosine


def _share(value: float) -> str:
    if value > 1.0:  # room for the badges, and no share
        return ""
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def _titles(chart: Chart, spec: PlotSpec, ink: _Ink) -> None:
    measure = "similarity" if spec.style == "similarity" else _softmax(spec)
    banded = bool(spec.curve.baseline) and spec.style == "similarity" and not spec.curve.lines
    legend = " · grey: what is not here" if banded else ""
    note = f"{measure} over time{legend} · {_shorten(spec.curve.video.title, 28 if banded else 44)}"
    chart.title(0.018, 0.97, Word(_shorten(spec.query, 46), 9.5, ink.text, bold=True))
    chart.title(0.018, 0.872, Word(note, 7, ink.faint))


def _softmax(spec: PlotSpec) -> str:
    among = spec.curve.lines and not any(moment.then for _, moment in spec.numbered)
    return "probability among these" if among else "softmax share"


def _shorten(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


_COLOURS: dict[Theme, tuple[str, ...]] = {
    "light": ("#3457d5", "#d9480f", "#0b8a6a", "#9c36b5", "#b58900", "#c2255c"),
    "dark": ("#8fa8ff", "#ffa94d", "#4fd1a5", "#da8ef0", "#f2d35c", "#ff8fb3"),
}
"""Of the first text, the second, and so on; told apart by people who see fewer colours, too."""


_LEAST_LINES_SPAN = 0.08


_MOST_LABEL = 26


_LEGEND_ROW = 3


def draw_lines(chart: Chart, spec: PlotSpec, theme: Theme, paper: str, text: str) -> None:
    """Draw the curves, their legend and the moments."""
    heights = plotted(spec)
    colours = _COLOURS[theme]
    _lines_limits(chart, spec, heights)
    for values, colour in zip(heights, colours, strict=False):
        chart.line(spec.curve.times_s, values, colour)
    for number, part, moment in reversed(list(_numbered(spec))):
        look = spec.curve.at(moment.peak_s)
        _span(chart, moment, colours[part], current=number == spec.current)
        _badge(chart, number, moment, float(heights[part][look]), colours[part], paper, current=number == spec.current)
    entries = [(colour, _short(line.text)) for colour, line in zip(colours, spec.curve.lines, strict=False)]
    chart.legend(entries, min(_LEGEND_ROW, len(entries)), 7, text)


def rows(spec: PlotSpec) -> int:
    """Count the rows of the legend."""
    return -(-len(spec.curve.lines) // _LEGEND_ROW)


def _numbered(spec: PlotSpec) -> Iterator[tuple[int, int, Moment]]:
    """Give each moment with its number and its curve; the two of a pair have one number."""
    for number, moment in sorted(spec.numbered, key=lambda one: (one[0] != spec.current, one[0])):
        yield number, moment.part, moment
        if moment.then:
            yield number, moment.then.part, moment.then


def _lines_limits(chart: Chart, spec: PlotSpec, heights: Floats) -> None:
    low, high = float(heights.min()), float(heights.max())
    span = max(high - low, _LEAST_LINES_SPAN) if spec.style == "similarity" else max(high - low, 1e-6)
    chart.y_range = low - 0.06 * span, low + span * 1.24
    chart.x_range = 0, max(spec.curve.video.duration_s, float(spec.curve.times_s[-1]), 1e-3)


def _span(chart: Chart, moment: Moment, colour: str, *, current: bool) -> None:
    chart.columns(moment.start_s, moment.end_s, colour, 0.18 if current else 0.06)


def _badge(chart: Chart, number: int, moment: Moment, height: float, colour: str, paper: str, *, current: bool) -> None:
    word = Word(str(number), 7.5, paper if current else colour, bold=True)
    disc = colour if current else paper
    chart.badge(moment.peak_s, height, word, disc=disc, edge=colour, dot=colour, zorder=7 if current else 6)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_LABEL else line[: _MOST_LABEL - 1].rstrip() + "…"
