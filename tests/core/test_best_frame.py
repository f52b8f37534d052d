"""Where extra frames are decoded in search of a video's best frame, and which of them counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.query import Query, Stretch
from core.model.results import Curve, Moment
from core.model.video import Video, View
from core.refinement.best_frame import (
    COARSELY,
    BestFrame,
    BestFrameFinder,
    PeakPlace,
    close_by,
    enough,
    led,
    places,
    worth_showing,
)
from core.refinement.extra_frames import ExtraFrames, unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def curve(scores: Sequence[float], every_s: float = 2.0) -> Curve:
    times_s = np.arange(len(scores), dtype=np.float64) * every_s
    return Curve(Video("v", "", "A video", len(scores) * every_s, 64, 48), times_s, np.array(scores, np.float32))


def moment(start_s: float, end_s: float, peak_s: float, score: float) -> Moment:
    return Moment("v", start_s, end_s, peak_s, score)


def test_given_a_curve_when_places_are_ordered_then_best_frames_first() -> None:
    found = places(curve([0.1, 0.3, 0.2, 0.1, 0.15]))
    assert [(place.start_s, place.end_s) for place in found] == [(2, 4), (0, 2), (4, 6), (6, 8), (8, 10)]


def test_given_repeated_frames_when_placed_then_there_is_no_place() -> None:
    assert [place.start_s for place in places(curve([0.3, 0.3, 0.3, 0.1]))] == [4, 6]


def test_given_a_source_when_placed_then_it_is_left_out() -> None:
    asked = replace(curve([0.1, 0.9, 0.2, 0.1, 0.15]), source=Stretch("v", 1.0, 4.5))
    assert [place.start_s for place in places(asked)] == [6, 8]


def test_given_a_place_when_decoded_then_at_most_8_frames_a_second() -> None:
    assert PeakPlace(4.0, 5.0, 0.1).times_s() == pytest.approx([4 + step / 8 for step in range(8)])
    assert len(PeakPlace(0.0, 60.0, 0.1).times_s()) <= 17


@given(scores=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200), every_s=st.floats(0.05, 60))
def test_given_any_curve_when_searched_then_bounded_and_within_the_video(scores: list[float], every_s: float) -> None:
    video = curve(scores, every_s)
    chosen = enough(places(video))
    assert sum(len(place.times_s()) for place in chosen) <= COARSELY + 17
    assert all(0 <= place.start_s < place.end_s <= video.video.duration_s + 1e-6 for place in chosen)
    assert all(place.holds(time_s) for place in chosen for time_s in place.times_s())


def test_given_the_best_frames_when_closing_in_then_each_is_decoded_once() -> None:
    known = {1.0: 0.3, 1.125: 0.4, 1.25: 0.1, 9.0: 0.2}
    times_s = close_by(known, dict.fromkeys(known, 0.125), 2)
    assert times_s == sorted(set(times_s))
    assert times_s[0] == pytest.approx(0.88)
    assert times_s[-1] == pytest.approx(1.245)
    assert unknown([1.0, 1.0004, 1.04, 9.0], known) == [2]


def test_given_a_best_frame_when_a_moment_holds_it_then_it_comes_first() -> None:
    video, moments = curve([0.1, 0.3, 0.1, 0.28, 0.1]), (moment(2, 4, 2, 0.3), moment(6, 8, 6, 0.28))
    found = led(moments, video, BestFrame(7.5, 0.4))
    assert found == (replace(moments[1], peak_s=7.5, score=0.4), moments[0])
    assert led(moments, video, BestFrame(7.5, 0.3)) == moments


def test_given_a_best_frame_when_no_moment_holds_it_then_it_makes_one() -> None:
    video, moments = curve([0.1, 0.3, 0.1, 0.1, 0.12, 0.1]), (moment(2, 4, 2, 0.3), moment(8, 10, 8, 0.12))
    first, second = led(moments, video, BestFrame(7.0, 0.5))
    assert (first.start_s, first.end_s, first.peak_s, first.score) == (6, 8, 7, 0.5)
    assert second == moments[0]


def test_given_a_source_frame_when_more_is_asked_then_it_is_elsewhere() -> None:
    video, known = curve([0.1, 0.99, 0.1, 0.1, 0.12, 0.1]), moment(8, 10, 8, 0.12)
    first, second = led((known, known), video, BestFrame(7.0, 0.5))
    assert 4 <= first.start_s <= 6
    assert (first.end_s, first.peak_s, first.score) == (8, 7, 0.5)
    assert second == known


def test_given_another_videos_frame_when_led_then_no_moment_holds_it() -> None:
    other = replace(moment(2, 4, 2, 0.35), video_id="w")
    first, second = led((other, moment(6, 8, 6, 0.28)), curve([0.1, 0.3, 0.1, 0.28, 0.1]), BestFrame(3.0, 0.4))
    assert (first.video_id, first.peak_s, second) == ("v", 3.0, other)


@pytest.mark.parametrize(
    ("peak_s", "score", "shown"),
    [(2.2, 0.3001, False), (2.2, 0.303, True), (3.5, 0.3005, True), (3.5, 0.30001, False), (3.5, 0.2, False)],
)
def test_given_a_better_frame_when_clearly_so_or_aside_then_it_is_shown(
    peak_s: float, score: float, *, shown: bool
) -> None:
    known = moment(2, 4, 2, 0.3)
    assert worth_showing(known, replace(known, peak_s=peak_s, score=score), 100.0, 0.25) is shown


class Trembling(ExtraFrames):
    """A video whose every frame is as much like another as `alike` says; one of them scores higher by `gain`."""

    def __init__(self, alike: float, gain: float) -> None:
        self._other = np.array([alike, np.sqrt(1 - alike**2)], np.float32)
        self._gain = gain

    async def at(
        self, _query: Query, video: Video, times_s: Sequence[float], known: Collection[float] = ()
    ) -> Curve | None:
        left = [time_s for time_s in times_s if time_s not in known]
        higher = [abs(time_s - 2.5) < 0.01 for time_s in left]
        vectors = np.array([self._other if one else (1.0, 0.0) for one in higher], np.float32)
        scores = np.array([0.3 + self._gain * one for one in higher], np.float32)
        return Curve(video, np.array(left), scores, vectors=vectors)


@pytest.mark.parametrize(("alike", "gain", "shown"), [(0.999, 0.002, False), (0.999, 0.01, True), (0.9, 0.002, True)])
async def test_given_a_still_shot_when_scores_tremble_then_the_frame_stays(
    alike: float, gain: float, *, shown: bool
) -> None:
    video, query = curve([0.1, 0.3, 0.1]), Query("a dog", View("local", "home", frozenset({"main"})))
    found = await BestFrameFinder(Trembling(alike, gain), lambda: 0.0).best(query, video)
    assert (found is not None and found.time_s == pytest.approx(2.5, abs=0.01)) is shown
