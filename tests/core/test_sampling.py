"""Which moments of a video are looked at."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engines.video.sampler import SamplingGrid
from core.model.video import Sampling


def kept(times_s: list[float], duration_s: float, sampling: Sampling | None = None) -> list[float]:
    grid = SamplingGrid(duration_s, sampling or Sampling())
    return [time_s for time_s in times_s if grid.wants(time_s)]


def test_given_a_long_video_when_sampled_then_one_frame_a_second() -> None:
    assert kept([frame / 25 for frame in range(2500)], 100.0) == [float(second) for second in range(100)]


def test_given_a_short_clip_when_sampled_then_sixteen_frames() -> None:
    assert len(kept([frame / 25 for frame in range(50)], 2.0)) == 16


def test_given_a_frame_past_several_grid_times_when_sampled_then_once() -> None:
    assert kept([0.0, 5.5, 5.6, 6.0], 100.0) == [0.0, 5.5, 6.0]


def test_given_a_grid_time_when_sampled_then_the_first_frame_from_it_on() -> None:
    assert kept([0.0, 0.99, 1.01, 1.5, 2.0], 100.0) == [0.0, 1.01, 2.0]


def test_given_a_rounded_time_when_sampled_then_it_is_on_the_grid() -> None:
    assert kept([0.0, 0.9999999, 1.0333], 100.0) == [0.0, 0.9999999]


def test_given_a_video_longer_than_declared_when_sampled_then_not_densely() -> None:
    times_s = [frame / 25 for frame in range(2500)]
    assert len(kept(times_s, 1.0)) <= 16 + 100


@pytest.mark.parametrize(
    ("duration_s", "looks"), [(0.0, 1), (-1.0, 1), (1.0, 16), (15.9, 16), (16.0, 16), (16.5, 17), (7200.0, 7200)]
)
def test_given_a_length_when_expected_then_the_frames_follow_it(duration_s: float, looks: int) -> None:
    assert Sampling().expected_frames(duration_s) == looks


def test_given_no_known_length_when_sampled_then_one_frame_a_second() -> None:
    assert Sampling().step_s(0.0) == 1.0


@given(
    times_s=st.lists(st.floats(0, 1e5), min_size=1, max_size=200),
    duration_s=st.floats(0, 1e5),
    every_s=st.floats(0.05, 60),
    at_least=st.integers(0, 64),
)
def test_given_any_order_when_sampled_then_times_rise_from_the_first(
    times_s: list[float], duration_s: float, every_s: float, at_least: int
) -> None:
    looks = kept(times_s, duration_s, Sampling(every_s, at_least))
    assert looks[0] == times_s[0]
    assert all(before < after for before, after in itertools.pairwise(looks))


@given(fps=st.integers(10, 120), seconds=st.integers(16, 200))
def test_given_no_gaps_when_sampled_then_exactly_the_expected_frames(fps: int, seconds: int) -> None:
    times_s = [frame / fps for frame in range(fps * seconds)]
    assert len(kept(times_s, float(seconds))) == Sampling().expected_frames(float(seconds))
