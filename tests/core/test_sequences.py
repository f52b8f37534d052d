"""Moments in order, and texts side by side."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import NotInOrder
from core.model.results import Curve, TextCurve
from core.model.video import Video
from core.search.moments import beside, ordered, probabilities

LENGTH_S = 100


def video(*bumps: list[tuple[int, int, float]], video_id: str = "v") -> Curve:
    """Give a curve with a line for each list of (start, end, height) over a ground of 0.1."""
    lines = []
    for number, stretches in enumerate(bumps):
        scores = np.full(LENGTH_S, 0.1, np.float32)
        for start, end, height in stretches:
            scores[start:end] = height
            scores[(start + end) // 2] += 0.01
        lines.append(TextCurve("abc"[number], scores))
    return Curve(
        Video(video_id, "", video_id, LENGTH_S, 1, 1),
        np.arange(LENGTH_S, dtype=np.float64),
        lines[0].scores,
        lines=tuple(lines),
    )


def test_given_a_pair_when_told_then_in_order_and_within_the_window() -> None:
    curve = video([(10, 14, 0.3)], [(2, 5, 0.35), (30, 34, 0.3), (70, 74, 0.32)])
    (pair,) = ordered([curve], 5, 30.0)
    assert pair.then is not None
    assert (pair.start_s, pair.then.start_s) == (10, 30)
    assert pair.score == pytest.approx((0.31 + 0.31) / 2)


def test_given_a_wider_window_when_told_then_the_better_one_counts() -> None:
    curve = video([(10, 14, 0.3)], [(30, 34, 0.3), (70, 74, 0.32)])
    (pair,) = ordered([curve], 5, 60.0)
    assert pair.then is not None
    assert pair.then.start_s == 70


def test_given_the_wrong_order_alone_when_told_then_no_answer() -> None:
    with pytest.raises(NotInOrder) as caught:
        ordered([video([(50, 54, 0.3)], [(10, 14, 0.3)])], 5, 30.0)
    assert (caught.value.first, caught.value.second, caught.value.window_s) == ("a", "b", 30.0)


def test_given_two_videos_when_paired_then_each_by_itself_best_first() -> None:
    apart = [video([(10, 14, 0.3)], [], video_id="v"), video([], [(20, 24, 0.3)], video_id="w")]
    with pytest.raises(NotInOrder):
        ordered(apart, 5, 30.0)
    good, better = video([(10, 14, 0.3)], [(20, 24, 0.3)]), video([(10, 14, 0.35)], [(20, 24, 0.3)], video_id="w")
    assert [pair.video_id for pair in ordered([good, better], 5, 30.0)] == ["w", "v"]


def test_given_an_overlap_when_paired_then_the_first_began_before() -> None:
    lasting = video([(10, 60, 0.3)], [(20, 24, 0.3)])
    (pair,) = ordered([lasting], 5, 30.0)
    assert pair.then is not None
    assert 10 <= pair.peak_s < pair.then.peak_s


def test_given_one_thing_twice_when_paired_then_two_moments() -> None:
    curve = video([(10, 14, 0.3), (30, 34, 0.3)], [(10, 14, 0.3), (30, 34, 0.3)])
    (pair,) = ordered([curve], 5, 30.0)
    assert pair.then is not None
    assert (pair.start_s, pair.then.start_s) == (10, 30)


def test_given_texts_side_by_side_when_ranked_then_each_has_its_best() -> None:
    curve = video([(10, 14, 0.3), (50, 54, 0.25)], [(20, 24, 0.2)], [(70, 74, 0.4)])
    moments = beside([curve], 5)
    assert [(moment.part, moment.start_s) for moment in moments[:4]] == [(0, 10), (1, 20), (2, 70), (0, 50)]
    assert len(beside([curve], 1)) == 3


def test_given_scores_when_shared_then_the_notebooks_probabilities() -> None:
    """A dog, a cat and "misc" with these cosines come to 0.9990, 0.0005 and 0.0005 at CLIP's scale of 100."""
    assert [f"{share:.4f}" for share in probabilities((0.2700, 0.1940, 0.1940), 100.0)] == [
        "0.9990",
        "0.0005",
        "0.0005",
    ]
