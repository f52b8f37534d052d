"""The plot of an answer as figures, for a door that draws it itself. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from core.model.reply import LivePlot, PlotLine, PlotMark
from core.ports.video import heights

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.answers.buttons import Cursor
    from core.model.actions import Show
    from core.model.video import Floats
    from core.ports.video import PlotSpec

MOST_POINTS: Final = 800
"""Of one curve: more than there are pixels to draw it on."""

_HERE: Final = 987654321
_START, _END = 987654322, 987654323
"""Stand in a button's id for the times that a click puts there."""


def live_plot(spec: PlotSpec) -> LivePlot:
    """Return the figures that a plot shows."""
    values = heights(spec)
    kept = thinned(values, MOST_POINTS)
    several = len(spec.curve.lines) > 1
    texts = [line.text for line in spec.curve.lines] if several else [""]
    known = spec.curve.baseline if spec.style == "similarity" and not several else None
    return LivePlot(
        spec.curve.video.id,
        spec.curve.video.duration_s,
        spec.style,
        tuple(np.round(spec.curve.times_s[kept], 3).tolist()),
        tuple(PlotLine(text, tuple(_rounded(line[kept]))) for text, line in zip(texts, values, strict=True)),
        (round(known.usual, 4), round(known.weak_from, 4)) if known else None,
        tuple(_marks(spec, values)),
    )


def leading(plot: LivePlot, wish: Show, cursor: Cursor) -> LivePlot:
    """Return a plot with what its clicks and drags lead to."""
    here = replace(wish, mode="frame", at_ms=_HERE, in_ms=None, out_ms=None)
    cut = replace(wish, mode="cut", in_ms=_START, out_ms=_END)
    cut_id = cut.id("c").replace(str(_START), "{start}").replace(str(_END), "{end}")
    return replace(
        plot,
        at_s=cursor.at_s,
        cut_s=cursor.ends_s if wish.mode == "cut" else None,
        go_id=here.id().replace(str(_HERE), "{at}"),
        cut_id=cut_id if cursor.kept else "",
    )


def thinned(values: Floats, most: int) -> npt.NDArray[np.intp]:
    """Return which of the columns of values (T, N) are kept so that at most about `most` are; each peak is."""
    count = values.shape[1]
    if count <= most:
        return np.arange(count)
    bins = np.array_split(np.arange(count), max(1, most // (1 + len(values))))
    highest = [part[values[line, part].argmax()] for part in bins for line in range(len(values))]
    return np.unique(np.array([0, *(part[0] for part in bins), *highest, count - 1], np.intp))


def _marks(spec: PlotSpec, values: Floats) -> list[PlotMark]:
    some = [(number, one) for number, moment in spec.numbered for one in (moment, moment.then) if one]
    return [
        PlotMark(
            number,
            one.part,
            one.start_s,
            one.end_s,
            one.peak_s,
            round(float(values[one.part, spec.curve.at(one.peak_s)]), 4),
            current=number == spec.current,
        )
        for number, one in some
    ]


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
