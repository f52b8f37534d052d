"""The curve has a value for each second, also where the video was looked at less often, and no peak is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers.view import each_second
from core.model.results import Curve, Moment, TextCurve
from core.model.video import Video

if TYPE_CHECKING:
    from collections.abc import Sequence


def curve(times_s: Sequence[float], scores: Sequence[float], length_s: float = 0.0) -> Curve:
    return Curve(Video("v", "", "A video", length_s, 64, 48), np.array(times_s), np.array(scores, np.float32))


def test_given_sparse_frames_when_filled_then_values_lie_on_the_line() -> None:
    filled = each_second(curve([0.0, 2.0, 4.0], [0.1, 0.3, 0.2]))
    assert filled.times_s.tolist() == [0, 1, 2, 3, 4]
    assert filled.scores == pytest.approx([0.1, 0.2, 0.3, 0.25, 0.2])


def test_given_a_frame_a_second_when_filled_then_the_curve_stays() -> None:
    looks = curve([second * 1.001 for second in range(40)], [0.1] * 40, 40.0)
    assert each_second(looks).times_s.tolist() == looks.times_s.tolist()


def test_given_a_still_end_when_filled_then_the_value_stays_to_the_end() -> None:
    filled = each_second(curve([0.0, 2.0], [0.1, 0.3], 4.5))
    assert filled.times_s.tolist() == [0, 1, 2, 3]
    assert filled.scores[-1] == np.float32(0.3)


def test_given_a_frame_between_samples_when_filled_then_the_curve_has_it() -> None:
    moments = [Moment("v", 0.0, 4.0, 2.4, 0.5), Moment("v", 0.0, 4.0, 2.0, 0.3), Moment("w", 0.0, 9.0, 3.3, 0.9)]
    filled = each_second(curve([0.0, 2.0, 4.0], [0.1, 0.3, 0.2]), moments)
    assert filled.times_s.tolist() == [0, 1, 2, 2.4, 3, 4]
    assert filled.scores.max() == filled.scores[3] == np.float32(0.5)


def test_given_several_texts_when_filled_then_each_has_its_own_peak() -> None:
    one, other = np.array([0.1, 0.3], np.float32), np.array([0.2, 0.2], np.float32)
    both = Curve(
        curve([0.0], [0.0]).video, np.array([0.0, 2.0]), other, lines=(TextCurve("a", one), TextCurve("b", other))
    )
    filled = each_second(both, [Moment("v", 0.0, 2.0, 0.5, 0.4, part=1)])
    assert filled.times_s.tolist() == [0, 0.5, 1, 2]
    assert filled.lines[0].scores == pytest.approx([0.1, 0.15, 0.2, 0.3])
    assert filled.scores is filled.lines[1].scores
    assert filled.scores[1] == np.float32(0.4)


@given(
    gaps_s=st.lists(st.floats(0.04, 90), min_size=1, max_size=40),
    scores=st.lists(st.floats(-1, 1, width=32), min_size=41, max_size=41),
)
def test_given_any_curve_when_filled_then_no_peak_is_made_up(gaps_s: list[float], scores: list[float]) -> None:
    times_s = np.cumsum([0.0, *gaps_s])
    looks = curve(times_s.tolist(), scores[: len(times_s)], float(times_s[-1]))
    filled = each_second(looks)
    assert np.diff(filled.times_s).max() <= 1.1 + 1e-9
    assert set(looks.times_s) <= set(filled.times_s)
    after = np.searchsorted(looks.times_s, filled.times_s)
    before = np.maximum(after - (looks.times_s[after] > filled.times_s), 0)
    beside = looks.scores[[before, after]]
    assert (filled.scores <= beside.max(axis=0) + 1e-6).all()
    assert (filled.scores >= beside.min(axis=0) - 1e-6).all()
