"""The part of a plot that shows several texts: a curve each, a legend, numbered moments in the colour of their curve.

Owns its looks; must not decide what a moment is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from core.model import Floats, Moment
    from core.ports import PlotSpec, Theme

_COLOURS: dict[Theme, tuple[str, ...]] = {
    "light": ("#3457d5", "#d9480f", "#0b8a6a", "#9c36b5", "#b58900", "#c2255c"),
    "dark": ("#8fa8ff", "#ffa94d", "#4fd1a5", "#da8ef0", "#f2d35c", "#ff8fb3"),
}
"""Of the first text, the second, and so on; told apart by people who see fewer colours, too."""
_LEAST_SPAN = 0.08
_MOST_LABEL = 26
_LEGEND_ROW = 3


def draw_lines(axes: Axes, spec: PlotSpec, theme: Theme, paper: str, text: str) -> None:
    """Draw the curves, their legend and the moments."""
    heights = _heights(spec)
    colours = _COLOURS[theme]
    for line, values, colour in zip(spec.curve.lines, heights, colours, strict=False):
        axes.plot(spec.curve.times_s, values, color=colour, linewidth=1.4, label=_short(line.text), zorder=3)
    _limits(axes, spec, heights)
    for number, part, moment in reversed(list(_numbered(spec))):
        look = spec.curve.at(moment.peak_s)
        _span(axes, moment, colours[part], current=number == spec.current)
        _badge(axes, number, moment, float(heights[part][look]), colours[part], paper, current=number == spec.current)
    columns = min(_LEGEND_ROW, len(spec.curve.lines))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.012, 0.985),
        ncols=columns,
        fontsize=7,
        labelcolor=text,
        frameon=False,
        handlelength=1.2,
        columnspacing=1.4,
        borderaxespad=0.0,
        labelspacing=0.25,
    )


def rows(spec: PlotSpec) -> int:
    """Count the rows of the legend."""
    return -(-len(spec.curve.lines) // _LEGEND_ROW)


def _heights(spec: PlotSpec) -> Floats:
    """Give the (T, N) values that are drawn: cosines; or softmax, among texts side by side, over time in a sequence."""
    scores = np.array([line.scores for line in spec.curve.lines], np.float64)
    if spec.style == "similarity":
        return scores.astype(np.float32)
    axis = 1 if _is_sequence(spec) else 0
    powers = np.exp(spec.logit_scale * (scores - scores.max(axis=axis, keepdims=True)))
    shares: Floats = (powers / powers.sum(axis=axis, keepdims=True)).astype(np.float32)
    return shares


def _is_sequence(spec: PlotSpec) -> bool:
    return any(moment.then for _, moment in spec.numbered)


def _numbered(spec: PlotSpec) -> Iterator[tuple[int, int, Moment]]:
    """Give each moment with its number and its curve; the two of a pair have one number."""
    for number, moment in sorted(spec.numbered, key=lambda one: (one[0] != spec.current, one[0])):
        yield number, moment.part, moment
        if moment.then:
            yield number, moment.then.part, moment.then


def _limits(axes: Axes, spec: PlotSpec, heights: Floats) -> None:
    low, high = float(heights.min()), float(heights.max())
    span = max(high - low, _LEAST_SPAN) if spec.style == "similarity" else max(high - low, 1e-6)
    axes.set_ylim(low - 0.06 * span, low + span * 1.24)
    axes.set_xlim(0, max(spec.curve.video.duration_s, float(spec.curve.times_s[-1]), 1e-3))


def _span(axes: Axes, moment: Moment, colour: str, *, current: bool) -> None:
    axes.axvspan(moment.start_s, moment.end_s, color=colour, alpha=0.18 if current else 0.06, linewidth=0)


def _badge(axes: Axes, number: int, moment: Moment, height: float, colour: str, paper: str, *, current: bool) -> None:
    axes.plot([moment.peak_s], [height], "o", color=colour, markersize=3.2, zorder=5)
    axes.annotate(
        str(number),
        (moment.peak_s, height),
        xytext=(0, 8.5),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=7.5,
        fontweight="bold",
        color=paper if current else colour,
        bbox={
            "boxstyle": "circle,pad=0.22",
            "facecolor": colour if current else paper,
            "edgecolor": colour,
            "linewidth": 0.9,
        },
        zorder=7 if current else 6,
        annotation_clip=False,
    )


def _short(text: str) -> str:
    line = " ".join(text.split()).lstrip("_")  # matplotlib leaves out labels that begin with one
    return line if len(line) <= _MOST_LABEL else line[: _MOST_LABEL - 1].rstrip() + "…"
