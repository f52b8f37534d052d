"""The part of a plot that shows several texts: a curve each, a legend, numbered moments in the colour of their curve.

Owns its looks; must not decide what a moment is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engines.brush import Word
from core.plot_ports import heights as plotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engines.chart import Chart
    from core.found import Moment
    from core.model import Floats
    from core.plot_ports import PlotSpec, Theme

_COLOURS: dict[Theme, tuple[str, ...]] = {
    "light": ("#3457d5", "#d9480f", "#0b8a6a", "#9c36b5", "#b58900", "#c2255c"),
    "dark": ("#8fa8ff", "#ffa94d", "#4fd1a5", "#da8ef0", "#f2d35c", "#ff8fb3"),
}
"""Of the first text, the second, and so on; told apart by people who see fewer colours, too."""
_LEAST_SPAN = 0.08
_MOST_LABEL = 26
_LEGEND_ROW = 3


def draw_lines(chart: Chart, spec: PlotSpec, theme: Theme, paper: str, text: str) -> None:
    """Draw the curves, their legend and the moments."""
    heights = plotted(spec)
    colours = _COLOURS[theme]
    _limits(chart, spec, heights)
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


def _limits(chart: Chart, spec: PlotSpec, heights: Floats) -> None:
    low, high = float(heights.min()), float(heights.max())
    span = max(high - low, _LEAST_SPAN) if spec.style == "similarity" else max(high - low, 1e-6)
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
