"""A similarity means something only beside what is usual for the video."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.model.query import Query
from core.model.results import Baseline, Curve, Moment, TextCurve
from core.model.video import Video, View
from core.search.moments import shown_first
from core.wording import answers as telling

USUAL = Baseline(0.1, 0.3, 0.5)


def curve(*scores: float, baseline: Baseline | None = USUAL) -> Curve:
    video = Video("v", "", "A video", float(len(scores)), 640, 360)
    return Curve(video, np.arange(len(scores), dtype=np.float64), np.array(scores, np.float32), baseline)


def test_given_a_video_when_judged_then_by_its_best_frame() -> None:
    assert [curve(0.2, best, 0.1).verdict for best in (0.25, 0.35, 0.55)] == ["absent", "weak", "strong"]


def test_given_a_moment_when_judged_then_by_its_own_best_frame() -> None:
    assert curve(0.6, 0.1, 0.1, 0.4).verdict_of(Moment("v", 2.0, 4.0, 3.0, 0.4)) == "weak"


def test_given_no_baseline_when_judged_then_nothing_is_claimed() -> None:
    alone = curve(0.6, baseline=None)
    assert (alone.verdict, alone.verdict_of(Moment("v", 0.0, 1.0, 0.0, 0.6))) == (None, None)


def test_given_a_falling_baseline_when_made_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.4, 0\.3"):
        Baseline(0.1, 0.4, 0.3)


def test_given_a_hit_and_a_higher_score_when_ranked_then_the_hit_first() -> None:
    low, high = curve(0.2, 0.35), curve(0.9, 0.8, baseline=Baseline(0.8, 0.95, 0.99))
    moments = [
        Moment("high", 0.0, 1.0, 0.0, 0.9),
        Moment("low", 1.0, 2.0, 1.0, 0.35),
        Moment("high", 1.0, 2.0, 1.0, 0.8),
    ]
    ordered = shown_first(moments, {"low": low, "high": high})
    assert [(moment.video_id, moment.score) for moment in ordered] == [("low", 0.35), ("high", 0.9), ("high", 0.8)]


def test_given_texts_side_by_side_when_none_shows_then_absent() -> None:
    lines = tuple(
        TextCurve(text, np.array([best], np.float32), USUAL) for text, best in (("a dog", 0.2), ("a cat", 0.4))
    )
    query = Query("a dog | a cat", View("local", "home", frozenset()))
    both = replace(curve(0.2), lines=lines)
    assert telling.head(query, both) == "“a dog | a cat”"
    neither = replace(both, lines=(lines[0], lines[0]))
    assert telling.head(query, neither) == "“a dog | a cat”: probably not in this video"
    then = Query("a dog > a cat", query.view)
    assert telling.head(then, both) == "“a dog > a cat”: probably not in this video"
