"""Frames that are asked for by time are the frames with those times, each once."""

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
def test_given_times_when_sought_then_the_frames_shown_then(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, [("red", 5)], VIDEOS[name])
    assert numbers(path, [2.4, 2.6, 2.81, 3.0]) == [60, 65, 70, 75]


@pytest.mark.slow
@pytest.mark.parametrize("name", VIDEOS)
def test_given_times_far_apart_when_sought_then_each_frame(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, [("red", 14)], VIDEOS[name])
    assert numbers(path, [0.4, 0.6, 6.0, 6.2, 13.0, 13.01, 13.96]) == [10, 15, 150, 155, 325, 349]


@pytest.mark.slow
def test_given_times_beyond_the_ends_when_sought_then_no_frame_twice(make_clip: MakeClip) -> None:
    path = make_clip("bars.mp4", [("red", 1)], Shape(patterned=True))
    assert numbers(path, [0.0, 0.01, 0.04]) == [0, 1]
    assert numbers(path, [0.9, 0.96, 1.4, 2.0]) == [22, 24]


@pytest.mark.slow
async def test_given_times_when_a_child_is_asked_then_the_encoders_input(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    path = make_clip("bars.mp4", [("red", 2)], Shape(patterned=True))
    samples = await reader.frames_at(path, [0.8, 1.0, 1.2], PREPROCESS)
    assert [sample.time_s for sample in samples] == pytest.approx([0.8, 1.0, 1.2])
    assert {sample.pixels.shape for sample in samples} == {(PREPROCESS.size_px, PREPROCESS.size_px, 3)}
