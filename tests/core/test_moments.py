"""Moments are what a person would call one hit each."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.results import Curve, Moment
from core.model.video import Video
from core.search.moments import by_video, find_moments, rank


def curve(scores: list[float], every_s: float = 1.0, video_id: str = "v", shots: str = "") -> Curve:
    """Make a video of looks; those with the same letter show the same shot."""
    times_s = np.arange(len(scores)) * every_s
    video = Video(video_id, "", "A video", len(scores) * every_s, 640, 360)
    vectors = np.eye(26, dtype=np.float32)[[ord(shot) - ord("a") for shot in shots]] if shots else None
    return Curve(video, times_s.astype(np.float64), np.array(scores, np.float32), vectors=vectors)


def spans(moments: list[Moment]) -> list[tuple[float, float, float]]:
    return [(moment.start_s, moment.end_s, moment.peak_s) for moment in moments]


def test_given_a_plateau_when_told_then_it_is_one_moment() -> None:
    assert spans(find_moments(curve([0.1, 0.1, 0.3, 0.31, 0.3, 0.1, 0.1, 0.1]), 1)) == [(2.0, 5.0, 3.0)]


def test_given_two_hills_when_told_then_the_higher_comes_first() -> None:
    found = find_moments(curve([0.1, 0.3, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1]), 2)
    assert spans(found) == [(5.0, 6.0, 5.0), (1.0, 2.0, 1.0)]


def test_given_a_shallow_dip_when_told_then_one_moment_stays() -> None:
    c = curve([0.1, 0.3, 0.27, 0.3, 0.1, 0.1, 0.1])
    assert spans(list(rank([(c, find_moments(c, 5))], 5))) == [(1.0, 4.0, 1.0)]


def test_given_a_single_frame_when_told_then_one_moment_to_the_end() -> None:
    assert spans(find_moments(curve([0.2]), 5)) == [(0.0, 1.0, 0.0)]


def test_given_equal_frames_when_told_then_one_moment() -> None:
    assert spans(find_moments(curve([0.2] * 9), 5)) == [(0.0, 9.0, 0.0)]


def test_given_a_scene_filling_a_video_when_told_then_one_moment() -> None:
    noise = np.random.default_rng(4).normal(0, 0.008, 60)
    scores = [0.3 + float(wobble) for wobble in noise] + [0.1] * 40
    c = curve(scores)
    ((start_s, end_s, _),) = spans(list(rank([(c, find_moments(c, 5))], 5)))
    assert (start_s, end_s) == (0.0, 60.0)


def test_given_a_video_all_about_it_when_ranked_then_it_stays() -> None:
    videos = [curve([0.1, 0.1, 0.3, 0.1, 0.1], video_id="a"), curve([0.29] * 9, video_id="b")]
    assert [moment.video_id for moment in rank([(video, find_moments(video, 5)) for video in videos], 5)] == ["a", "b"]


def test_given_an_unrelated_video_when_ranked_then_it_is_left_out() -> None:
    videos = [curve([0.1, 0.1, 0.3, 0.1, 0.1], video_id="a"), curve([0.12] * 9, video_id="b")]
    assert [moment.video_id for moment in rank([(video, find_moments(video, 5)) for video in videos], 5)] == ["a"]


def test_given_a_hits_tail_when_told_then_it_is_no_moment() -> None:
    c = curve([0.1, 0.5, 0.1, 0.1, 0.15, 0.1, 0.1])
    assert spans(list(rank([(c, find_moments(c, 5))], 5))) == [(1.0, 2.0, 1.0)]


def test_given_several_videos_when_ranked_then_best_first() -> None:
    videos = [curve([0.1, 0.3, 0.1, 0.1], video_id="a"), curve([0.1, 0.1, 0.4, 0.1], video_id="b")]
    merged = rank([(video, find_moments(video, 5)) for video in videos], 5)
    assert [moment.video_id for moment in merged] == ["b", "a"]


def test_given_two_hits_in_one_shot_when_near_then_one_moment() -> None:
    c = curve([0.1, 0.1, 0.5, 0.5, 0.1, 0.4, 0.4, 0.1, 0.1, 0.1], shots="aabbbbbccc")
    assert spans(find_moments(c, 5))[:1] == [(2.0, 7.0, 2.0)]


def test_given_two_scenes_when_side_by_side_then_two_moments() -> None:
    c = curve([0.1, 0.1, 0.5, 0.5, 0.1, 0.4, 0.4, 0.1, 0.1, 0.1], shots="aabbdeeccc")
    assert spans(find_moments(c, 2)) == [(2.0, 4.0, 2.0), (5.0, 7.0, 5.0)]


def test_given_a_shot_when_it_comes_back_later_then_its_own_moment() -> None:
    scores = [0.1, 0.5, 0.5, *[0.1] * 8, 0.4, 0.4, 0.1]
    assert len(find_moments(curve(scores, shots="abbccccccddbba"), 2)) == 2


def test_given_one_stray_frame_when_told_then_the_scene_stays_whole() -> None:
    scores = [0.1] * 8 + [0.5, 0.52, 0.5, 0.05, 0.5, 0.5] + [0.1] * 8
    assert spans(find_moments(curve(scores), 1)) == [(8.0, 14.0, 9.0)]


@given(
    st.lists(st.tuples(st.floats(-1, 1, width=32), st.sampled_from("abc")), min_size=2, max_size=40), st.integers(1, 8)
)
def test_given_joined_moments_when_told_then_none_overlap(looks: list[tuple[float, str]], most: int) -> None:
    found = find_moments(curve([score for score, _ in looks], shots="".join(shot for _, shot in looks)), most)
    ordered = sorted(found, key=lambda moment: moment.start_s)
    assert all(one.end_s <= other.start_s for one, other in pairwise(ordered))
    assert all(moment.start_s <= moment.peak_s < moment.end_s for moment in found)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60), st.integers(1, 8))
def test_given_any_curve_when_told_then_moments_do_not_overlap(scores: list[float], most: int) -> None:
    found = find_moments(curve(scores), most)
    assert 1 <= len(found) <= most
    for moment in found:
        assert moment.start_s <= moment.peak_s < moment.end_s
        assert moment.score == pytest.approx(scores[int(moment.peak_s)], abs=1e-6)
    ordered = sorted(found, key=lambda moment: moment.start_s)
    assert all(one.end_s <= other.start_s for one, other in pairwise(ordered))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60))
def test_given_any_curve_when_told_then_the_best_peak_is_the_notebooks(scores: list[float]) -> None:
    assert find_moments(curve(scores), 3)[0].peak_s == int(np.argmax(np.array(scores, np.float32)))


def test_given_several_videos_when_ranked_then_each_ones_best_first() -> None:
    moments = [Moment(video, at, at + 1.0, at, score) for video, at, score in
               (("a", 1.0, 0.9), ("a", 2.0, 0.8), ("b", 3.0, 0.7), ("c", 4.0, 0.6), ("b", 5.0, 0.5))]  # fmt: skip
    assert [(moment.video_id, moment.peak_s) for moment in by_video(moments)] == [
        ("a", 1.0),
        ("b", 3.0),
        ("c", 4.0),
        ("a", 2.0),
        ("b", 5.0),
    ]
    assert by_video(moments[:2]) == tuple(moments[:2])
