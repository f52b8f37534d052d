"""Times of frames whose timestamps are missing or disorderly."""

from __future__ import annotations

from fractions import Fraction

import av

from core.engines.clock import Clock


def frame(pts: int | None) -> av.VideoFrame:
    made = av.VideoFrame(2, 2, "rgb24")
    made.pts = pts
    made.dts = None
    return made


def times_s(*stamps: int | None) -> list[float]:
    clock = Clock(Fraction(1, 10), step_ticks=2)
    return [clock.time_s(frame(pts)) for pts in stamps]


def test_times_are_exact_fractions_from_the_first_frame() -> None:
    assert times_s(7, 8, 10) == [0.0, 0.1, 0.3]


def test_frames_without_timestamps_follow_at_the_usual_rate() -> None:
    assert times_s(None, None, None) == [0.0, 0.2, 0.4]
    assert times_s(5, None, 9) == [0.0, 0.2, 0.4]


def test_a_timeline_that_starts_anew_goes_on_where_it_was() -> None:
    assert times_s(0, 2, 50, 0, 2, None) == [0.0, 0.2, 5.0, 5.2, 5.4, 5.6]


def test_a_small_step_back_is_left_as_it_is() -> None:
    assert times_s(0, 4, 3, 6) == [0.0, 0.4, 0.3, 0.6]
