"""Which moments of a video are looked at."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engines.video.sampling import SamplingGrid, expected_looks, interval_s
from core.model.video import Sampling


def kept(times_s: list[float], duration_s: float, sampling: Sampling | None = None) -> list[float]:
    grid = SamplingGrid(duration_s, sampling or Sampling())
    return [time_s for time_s in times_s if grid.wants(time_s)]


def test_a_long_video_gets_one_look_a_second() -> None:
    assert kept([frame / 25 for frame in range(2500)], 100.0) == [float(second) for second in range(100)]


def test_a_short_clip_gets_sixteen_looks() -> None:
    assert len(kept([frame / 25 for frame in range(50)], 2.0)) == 16


def test_a_frame_that_passes_several_grid_times_is_looked_at_once() -> None:
    assert kept([0.0, 5.5, 5.6, 6.0], 100.0) == [0.0, 5.5, 6.0]


def test_the_first_frame_at_or_after_a_grid_time_is_the_look() -> None:
    assert kept([0.0, 0.99, 1.01, 1.5, 2.0], 100.0) == [0.0, 1.01, 2.0]


def test_a_time_that_lost_its_last_digit_still_counts_as_on_the_grid() -> None:
    assert kept([0.0, 0.9999999, 1.0333], 100.0) == [0.0, 0.9999999]


def test_a_video_that_goes_on_past_its_declared_length_is_not_looked_at_densely() -> None:
    times_s = [frame / 25 for frame in range(2500)]
    assert len(kept(times_s, 1.0)) <= 16 + 100


@pytest.mark.parametrize(
    ("duration_s", "looks"), [(0.0, 1), (-1.0, 1), (1.0, 16), (15.9, 16), (16.0, 16), (16.5, 17), (7200.0, 7200)]
)
def test_the_expected_number_of_looks_follows_the_length(duration_s: float, looks: int) -> None:
    assert expected_looks(duration_s, Sampling()) == looks


def test_a_video_of_no_known_length_is_looked_at_once_a_second() -> None:
    assert interval_s(0.0, Sampling()) == 1.0


@given(
    times_s=st.lists(st.floats(0, 1e5), min_size=1, max_size=200),
    duration_s=st.floats(0, 1e5),
    every_s=st.floats(0.05, 60),
    at_least=st.integers(0, 64),
)
def test_whatever_the_order_of_frames_the_looks_rise_strictly_and_begin_with_the_first(
    times_s: list[float], duration_s: float, every_s: float, at_least: int
) -> None:
    looks = kept(times_s, duration_s, Sampling(every_s, at_least))
    assert looks[0] == times_s[0]
    assert all(before < after for before, after in itertools.pairwise(looks))


@given(fps=st.integers(10, 120), seconds=st.integers(16, 200))
def test_a_video_without_gaps_gets_exactly_the_expected_looks(fps: int, seconds: int) -> None:
    times_s = [frame / fps for frame in range(fps * seconds)]
    assert len(kept(times_s, float(seconds))) == expected_looks(float(seconds), Sampling())
