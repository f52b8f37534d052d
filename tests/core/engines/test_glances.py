"""Further looks at a video are the frames with those times, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.video.frame import FrameConverter
from core.engines.video.seek import frames_at
from core.limits import VideoLimits
from tests.core.engines.conftest import PREPROCESS
from tests.support.clips import Shape, read_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from tests.conftest import MakeClip

VIDEOS = {
    "b_frames.mp4": Shape(b_frames=3, gop=48, patterned=True),
    "one_keyframe.mp4": Shape(gop=1000, patterned=True),
    "late.ts": Shape(b_frames=2, start_s=30.0, gop=40, patterned=True),
    "web.webm": Shape(codec="libvpx-vp9", patterned=True),
}


def numbers(path: Path, times_s: Sequence[float]) -> list[int]:
    found = frames_at(path, times_s, VideoLimits())
    return [read_number(FrameConverter(aspect).rgb(frame)) for _, frame, aspect, _ in found]


@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEOS)
def test_each_time_gives_the_frame_that_is_shown_then(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, [("red", 5)], VIDEOS[name])
    assert numbers(path, [2.4, 2.6, 2.81, 3.0]) == [60, 65, 70, 75]


@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEOS)
def test_places_far_apart_are_reached_one_by_one(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, [("red", 14)], VIDEOS[name])
    assert numbers(path, [0.4, 0.6, 6.0, 6.2, 13.0, 13.01, 13.96]) == [10, 15, 150, 155, 325, 349]


@pytest.mark.slow
def test_the_ends_of_a_video_are_kept_to_and_no_frame_comes_twice(make_clip: MakeClip) -> None:
    path = make_clip("bars.mp4", [("red", 1)], Shape(patterned=True))
    assert numbers(path, [0.0, 0.01, 0.04]) == [0, 1]
    assert numbers(path, [0.9, 0.96, 1.4, 2.0]) == [22, 24]


@pytest.mark.slow
async def test_the_child_sends_them_as_the_encoder_wants_them(reader: ChildFrameReader, make_clip: MakeClip) -> None:
    path = make_clip("bars.mp4", [("red", 2)], Shape(patterned=True))
    looks = await reader.glances(path, [0.8, 1.0, 1.2], PREPROCESS)
    assert [look.time_s for look in looks] == pytest.approx([0.8, 1.0, 1.2])
    assert {look.pixels.shape for look in looks} == {(PREPROCESS.size_px, PREPROCESS.size_px, 3)}
