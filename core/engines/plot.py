"""The plot of an answer, by matplotlib. Owns its looks; must not decide what a moment is."""

from __future__ import annotations

import asyncio
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from core.engines.plot_lines import draw_lines, rows
from core.engines.sheet import contact_sheet, slideshow, two_ends
from core.model import Curve, Video
from core.moments import baseline
from core.ports import PlotSpec
from core.times import clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from matplotlib.axes import Axes

    from core.model import Floats, Moment, Thumbnail
    from core.ports import Still, Theme

_INCHES = (4.0, 2.25)
_DPI = 200
_LEAST_SPAN = 0.08
"""A film in which nothing matches has a nearly flat curve, and is drawn as one."""
_FONTS = ["DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Segoe UI", "Arial Unicode MS", "Hiragino Sans"]
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
    with rc_context({"font.family": _available_fonts()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=ink.paper)
        FigureCanvasAgg(figure)
        axes = figure.add_axes(_room(spec), facecolor=ink.paper)
        if spec.curve.lines:
            draw_lines(axes, spec, theme, ink.paper, ink.text)
        else:
            _one_curve(axes, spec, ink)
        _marks(axes, spec, ink)
        _frame(axes, spec, ink)
        _titles(figure, spec, ink)
        out = io.BytesIO()
        figure.savefig(out, format="png", facecolor=ink.paper, pil_kwargs={"compress_level": 3})
    return out.getvalue()


def _room(spec: PlotSpec) -> tuple[float, float, float, float]:
    """Give the place of the axes; a legend takes some from above."""
    return 0.105, 0.11, 0.85, 0.70 - 0.065 * rows(spec)


def _one_curve(axes: Axes, spec: PlotSpec, ink: _Ink) -> None:
    heights = _heights(spec)
    _curve(axes, spec, heights, ink)
    _limits(axes, spec, heights)
    _moments(axes, spec, heights, ink)


def _available_fonts() -> list[str]:
    from matplotlib import font_manager  # noqa: PLC0415 - reads its cache when first used

    names = set(font_manager.fontManager.get_font_names())
    return [name for name in _FONTS if name in names]


def _heights(spec: PlotSpec) -> Floats:
    """Give the (N,) values that are drawn: cosine similarity, or the notebook's softmax over the looks."""
    scores = spec.curve.scores
    if spec.style == "similarity":
        return scores
    powers = np.exp(spec.logit_scale * (scores - scores.max()))
    shares: Floats = (powers / powers.sum()).astype(np.float32)
    return shares


def _curve(axes: Axes, spec: PlotSpec, heights: Floats, ink: _Ink) -> None:
    times_s = spec.curve.times_s
    low, high = _band(spec, heights)
    axes.plot(times_s, heights, color=ink.line, linewidth=1.4, solid_joinstyle="round", zorder=3)
    axes.fill_between(times_s, heights, high, where=list(heights > high), color=ink.line, alpha=0.14, linewidth=0)
    axes.axhspan(low, high, color=ink.faint, alpha=0.13, linewidth=0, zorder=1)
    axes.axhline(high, color=ink.faint, linewidth=0.7, linestyle=(0, (4, 3)), zorder=2)


def _band(spec: PlotSpec, heights: Floats) -> tuple[float, float]:
    """Give from where to where a height means nothing; just the usual height where nobody worked a baseline out."""
    known = spec.curve.baseline
    if known is None or spec.style == "softmax":
        usual = baseline(heights)
        return usual, usual
    return known.usual, known.weak_from


def _limits(axes: Axes, spec: PlotSpec, heights: Floats) -> None:
    low = float(heights.min())
    high = max(float(heights.max()), _band(spec, heights)[1])
    span = max(high - low, _LEAST_SPAN) if spec.style == "similarity" else max(high - low, 1e-6)
    axes.set_ylim(low - 0.06 * span, low + span * 1.24)
    axes.set_xlim(0, max(spec.curve.video.duration_s, float(spec.curve.times_s[-1]), 1e-3))


def _moments(axes: Axes, spec: PlotSpec, heights: Floats, ink: _Ink) -> None:
    for number, moment in sorted(spec.numbered, reverse=True):
        current = number == spec.current
        color = ink.current if current else ink.span
        axes.axvspan(moment.start_s, moment.end_s, color=color, alpha=0.16 if current else 0.09, linewidth=0)
        _badge(axes, number, moment, float(heights[_look_at(spec, moment)]), color, ink)


def _marks(axes: Axes, spec: PlotSpec, ink: _Ink) -> None:
    for time_s in spec.marks_s:
        axes.axvline(time_s, color=ink.current, linewidth=1.1, zorder=4)


def _look_at(spec: PlotSpec, moment: Moment) -> int:
    return int(np.abs(spec.curve.times_s - moment.peak_s).argmin())


def _badge(axes: Axes, number: int, moment: Moment, height: float, color: str, ink: _Ink) -> None:
    axes.plot([moment.peak_s], [height], "o", color=color, markersize=3.2, zorder=5)
    axes.annotate(
        str(number),
        (moment.peak_s, height),
        xytext=(0, 8.5),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=7.5,
        fontweight="bold",
        color=ink.on_current,
        bbox={"boxstyle": "circle,pad=0.22", "facecolor": color, "edgecolor": ink.paper, "linewidth": 0.8},
        zorder=6,
        annotation_clip=False,
    )


def _frame(axes: Axes, spec: PlotSpec, ink: _Ink) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _position: clock(value)))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=_TIME_STEPS, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    if spec.style == "softmax":
        axes.yaxis.set_major_formatter(FuncFormatter(_share))
    axes.tick_params(colors=ink.faint, labelsize=7.5, length=0, pad=3)
    axes.grid(axis="y", color=ink.grid, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _share(value: float, _position: int) -> str:
    if value > 1.0:  # room for the badges, and no share
        return ""
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def _titles(figure: Figure, spec: PlotSpec, ink: _Ink) -> None:
    shown: dict[str, Any] = {"parse_math": False, "ha": "left", "va": "top"}
    measure = "similarity" if spec.style == "similarity" else _softmax(spec)
    banded = bool(spec.curve.baseline) and spec.style == "similarity" and not spec.curve.lines
    legend = " · grey: what is not here" if banded else ""
    note = f"{measure} over time{legend} · {_shorten(spec.curve.video.title, 28 if banded else 44)}"
    figure.text(0.018, 0.97, _shorten(spec.query, 46), fontsize=9.5, fontweight="bold", color=ink.text, **shown)
    figure.text(0.018, 0.872, note, fontsize=7, color=ink.faint, **shown)


def _softmax(spec: PlotSpec) -> str:
    among = spec.curve.lines and not any(moment.then for _, moment in spec.numbered)
    return "probability among these" if among else "softmax share"


def _shorten(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
