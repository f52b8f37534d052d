"""The plot as figures: what a page draws and lets people click."""

from __future__ import annotations

import numpy as np
import pytest

from core.answers.buttons import Cursor
from core.answers.view import MOST_POINTS, leading, live_plot, thinned
from core.model import actions
from core.model.actions import Show
from core.model.results import Baseline, Curve, Moment, TextCurve
from core.model.video import Video
from core.ports.video import PlotSpec

MOMENT = Moment("v", 1.0, 3.0, 2.0, 0.4)


def spec(count: int = 4, *, lines: tuple[TextCurve, ...] = ()) -> PlotSpec:
    scores = np.linspace(0.1, 0.4, count).astype(np.float32)
    video = Video("v", "", "Coast", float(count), 64, 48)
    curve = Curve(video, np.arange(count, dtype=np.float64), scores, Baseline(0.05, 0.2, 0.3), lines=lines)
    return PlotSpec(curve, "a dog", ((1, MOMENT), (2, Moment("v", 3.0, 4.0, 3.0, 0.3))), 1, "similarity", 100.0)


def test_given_one_curve_when_drawn_live_then_points_band_and_moments() -> None:
    plot = live_plot(spec())
    assert plot.times_s == (0.0, 1.0, 2.0, 3.0)
    assert plot.lines[0].values == pytest.approx((0.1, 0.2, 0.3, 0.4), abs=1e-4)
    assert plot.band == (0.05, 0.2)
    assert [(one.number, one.peak_s, one.current) for one in plot.marks] == [(1, 2.0, True), (2, 3.0, False)]


def test_given_several_texts_when_drawn_live_then_lines_without_band() -> None:
    flat = np.full(4, 0.2, np.float32)
    plot = live_plot(spec(lines=(TextCurve("a dog", flat), TextCurve("a cat", flat))))
    assert [line.text for line in plot.lines] == ["a dog", "a cat"]
    assert plot.band is None


def test_given_a_long_curve_when_thinned_then_each_peak_stays() -> None:
    values = np.zeros((2, 20_000), np.float32)
    values[0, 7_777], values[1, 12_345] = 1.0, 1.0
    kept = thinned(values, MOST_POINTS)
    assert len(kept) <= 2 * MOST_POINTS
    assert {0, 7_777, 12_345, 19_999} <= set(kept.tolist())


def test_given_a_live_plot_when_clicked_or_dragged_then_a_button_is_meant() -> None:
    wish = Show("an-answer", 2, revision=3)
    plot = leading(live_plot(spec()), wish, Cursor.of(wish, MOMENT, 4.0, 60.0))
    assert actions.read(plot.go_id.format(at=1500)) == Show("an-answer", 2, at_ms=1500, revision=3)
    cut = actions.read(plot.cut_id.format(start=500, end=2500))
    assert cut == Show("an-answer", 2, mode="cut", in_ms=500, out_ms=2500, revision=3)
    assert plot.cut_s is None


def test_given_no_file_when_drawn_live_then_no_cut_is_offered() -> None:
    wish = Show("an-answer", 1)
    assert leading(live_plot(spec()), wish, Cursor.of(wish, MOMENT, 4.0, 60.0, kept=False)).cut_id == ""
