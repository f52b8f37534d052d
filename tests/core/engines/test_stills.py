"""Stills show the very frame that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.model.video import Sampling
from tests.support.clips import Shape, read_number

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeClip
    from tests.core.engines.conftest import CutStill, ReadSamples

pytestmark = pytest.mark.slow

VARIED = [index / 25 + (index % 7) * 0.004 + (3.0 if index > 90 else 0.0) for index in range(150)]

STAND = (30, 41, 52, 63)

VIDEOS = {
    "b_frames.mp4": Shape(b_frames=3, gop=48, patterned=True),
    "one_keyframe.mp4": Shape(gop=1000, patterned=True),
    "late.ts": Shape(b_frames=2, start_s=30.0, gop=40, patterned=True),
    "b_frames.mkv": Shape(b_frames=3, gop=48, patterned=True),
    "web.webm": Shape(codec="libvpx-vp9", patterned=True),
    "moving.gif": Shape(codec="gif", pixel_format="rgb8", patterned=True),
    "old.avi": Shape(codec="mpeg4", gop=50, patterned=True),
    "old_b.avi": Shape(codec="mpeg4", b_frames=2, gop=50, patterned=True),
    "odd.avi": Shape(b_frames=3, gop=48, patterned=True),
    "dvd.mpg": Shape(codec="mpeg2video", container="vob", b_frames=2, patterned=True),
    "stream.flv": Shape(b_frames=2, gop=40, patterned=True),
    "hevc.mp4": Shape(codec="libx265", gop=40, patterned=True),
    "varied.mp4": Shape(times_s=VARIED, gop=40, patterned=True),
}


@pytest.mark.parametrize("name", VIDEOS)
def test_given_a_sampled_time_when_cut_then_that_very_frame(
    make_clip: MakeClip, read_samples: ReadSamples, cut_still: CutStill, name: str
) -> None:
    path = make_clip(name, [("red", 3), ("green", 3)], VIDEOS[name])
    seen = read_samples(path, Sampling(0.37, 1))
    assert len(seen.frames) > 12
    for sample in seen.frames:
        still, pixels = cut_still(path, sample.time_s)
        assert still.time_s == sample.time_s
        assert read_number(pixels) == read_number(sample.pixels)


def test_given_a_time_between_frames_when_cut_then_the_earlier(make_clip: MakeClip, cut_still: CutStill) -> None:
    path = make_clip("bars.mp4", [("red", 4)], Shape(patterned=True))
    still, pixels = cut_still(path, 2.035)
    assert still.time_s == pytest.approx(2.0)
    assert read_number(pixels) == 50


@pytest.mark.parametrize("name", ["one_keyframe.mp4", "late.ts", "b_frames.mkv", "old_b.avi", "hevc.mp4", "web.webm"])
def test_given_frames_no_other_needs_when_cut_then_the_right_frame(
    make_clip: MakeClip, cut_still: CutStill, name: str
) -> None:
    path = make_clip(name, [("red", 3), ("green", 3)], VIDEOS[name])
    for number in (3, 76, 77, 78, 79, 149):
        assert read_number(cut_still(path, number / 25 + 0.017)[1]) == number


def test_given_a_long_standing_frame_when_cut_then_it_shows_throughout(
    make_clip: MakeClip, cut_still: CutStill
) -> None:
    times_s = [index / 25 + sum(index > still for still in STAND) for index in range(100)]
    path = make_clip("slides.mp4", [("red", 9)], Shape(times_s=times_s, gop=100, b_frames=3, patterned=True))
    for number in STAND:
        assert read_number(cut_still(path, times_s[number] + 0.95)[1]) == number


def test_given_a_rounded_time_when_cut_then_its_frame(make_clip: MakeClip, cut_still: CutStill) -> None:
    path = make_clip("bars.mp4", [("red", 4)], Shape(fps=30, patterned=True))
    _, pixels = cut_still(path, 2.033)
    assert read_number(pixels) == 61


def test_given_a_time_past_the_end_when_cut_then_the_last_frame(make_clip: MakeClip, cut_still: CutStill) -> None:
    still, pixels = cut_still(make_clip("bars.mp4", [("red", 4)], Shape(patterned=True)), 1e6)
    assert still.time_s == pytest.approx(3.96)
    assert read_number(pixels) == 99


def test_given_a_time_before_the_start_when_cut_then_the_first_frame(make_clip: MakeClip, cut_still: CutStill) -> None:
    still, pixels = cut_still(make_clip("bars.mp4", [("red", 1)], Shape(patterned=True)), -3.0)
    assert still.time_s == 0.0
    assert read_number(pixels) == 0


def test_given_a_size_when_cut_then_a_still_at_most_so_large(make_clip: MakeClip, cut_still: CutStill) -> None:
    path = make_clip("hd.mp4", [("red", 0.4)], Shape((1280, 720)))
    still, pixels = cut_still(path, 0.0, max_px=640)
    assert (still.width_px, still.height_px) == (640, 360)
    assert pixels.shape == (360, 640, 3)
    assert cut_still(path, 0.0, max_px=4000)[0].width_px == 1280


def test_given_a_clock_that_restarts_when_cut_then_all_is_reached(
    make_clip: MakeClip, read_samples: ReadSamples, cut_still: CutStill, tmp_path: Path
) -> None:
    first = make_clip("first.ts", [("red", 5)], Shape(patterned=True))
    second = make_clip("second.ts", [("blue", 5)], Shape(patterned=True))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    seen = read_samples(joined)
    assert seen.times_s[-1] == pytest.approx(9.0, abs=0.7)
    for sample in seen.frames[-3:]:
        _, pixels = cut_still(joined, sample.time_s)
        assert np.abs(pixels[10, 80].astype(int) - sample.pixels[5, 32]).max() < 30
