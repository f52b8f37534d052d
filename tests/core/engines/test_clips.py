"""Clips hold the very frames of their stretch, fit their size, and come from a confined child."""

from __future__ import annotations

import io
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from core.engines.video import clip as clipping
from core.engines.video.reader import ChildClipper
from core.errors import ClipTooLarge, DecoderDied, FileMissing, NotAVideo
from core.ports.video import ClipWish
from tests.core.engines.conftest import LIMITS, messages_in
from tests.support import clips
from tests.support.clips import Shape, read_number

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.sandbox.protocol import ChildMessage
    from core.engines.video.reader import ChildFrameReader
    from tests.conftest import MakeClip

pytestmark = pytest.mark.slow

WISH = ClipWish(1.0, 2.0, "mp4", 640, 60.0, 1_000_000)

VIDEOS = {
    "b_frames.mp4": Shape(b_frames=3, gop=48, patterned=True),
    "one_keyframe.mkv": Shape(gop=1000, patterned=True),
    "late.ts": Shape(b_frames=2, start_s=30.0, gop=40, patterned=True),
    "web.webm": Shape(codec="libvpx-vp9", patterned=True),
    "moving.gif": Shape(codec="gif", pixel_format="rgb8", patterned=True),
    "old.avi": Shape(codec="mpeg4", b_frames=2, gop=50, patterned=True),
}


def made(video: Path, wish: ClipWish = WISH) -> ChildMessage:
    """Cut as the child does, without the child."""
    out = io.BytesIO()
    clipping.send_clip(video, {"wish": asdict(wish), "limits": LIMITS}, out)
    return messages_in(out.getvalue())[-1]


def shown(clip: bytes) -> list[tuple[float, int]]:
    """Give each frame's time and the number drawn into it."""
    with av.open(io.BytesIO(clip), "r") as video:
        frames = list(video.decode(video=0))
    return [(frame.time or 0.0, read_number(frame.to_ndarray(format="rgb24").astype(np.uint8))) for frame in frames]


@pytest.mark.parametrize("name", VIDEOS)
def test_given_a_stretch_when_cut_then_its_frames_and_no_others(name: str, make_clip: MakeClip) -> None:
    video = make_clip(name, [("purple", 3)], VIDEOS[name])
    frames = shown(made(video).part(0))
    assert [number for _, number in frames] == list(range(25, 50))
    assert [time_s for time_s, _ in frames] == pytest.approx([index / 25 for index in range(25)], abs=0.011)


def test_given_a_start_between_frames_when_cut_then_the_earlier_is_first(make_clip: MakeClip) -> None:
    video = make_clip("slides.mp4", [("purple", 3)], Shape(times_s=[0.0, 0.7, 1.5, 2.2], patterned=True))
    frames = shown(made(video).part(0))
    assert [number for _, number in frames] == [1, 2, 2]
    assert [time_s for time_s, _ in frames] == pytest.approx([0.0, 0.5, 0.9], abs=0.002)


def test_given_a_long_standing_frame_when_cut_then_it_is_first(make_clip: MakeClip) -> None:
    times_s = [index / 25 + sum(index > still for still in (30, 41, 52)) for index in range(80)]
    video = make_clip("stands.mp4", [("red", 9)], Shape(times_s=times_s, gop=80, b_frames=3, patterned=True))
    for number in (30, 41, 52):
        start_s = times_s[number] + 0.9
        assert shown(made(video, replace(WISH, start_s=start_s, end_s=start_s + 0.5)).part(0))[0] == (0.0, number)


def test_given_a_cut_when_written_then_its_index_is_in_front(make_clip: MakeClip) -> None:
    data = made(make_clip("film.mp4", [("red", 3)], Shape(sound_s=3.0)), replace(WISH, sound=True)).part(0)
    assert data.index(b"moov") < data.index(b"mdat")


def test_given_sound_when_cut_then_it_is_that_of_the_stretch(make_clip: MakeClip) -> None:
    video = make_clip("film.mp4", [("red", 3)], Shape(sound_s=1.5))
    with av.open(io.BytesIO(made(video, replace(WISH, sound=True)).part(0))) as clip:
        assert float(clip.streams.audio[0].duration * clip.streams.audio[0].time_base) == pytest.approx(1.0, abs=0.05)  # type: ignore[operator]
    with av.open(io.BytesIO(made(video).part(0))) as silent:
        assert not silent.streams.audio


def test_given_a_turned_video_when_cut_then_it_is_upright(make_clip: MakeClip) -> None:
    message = made(make_clip("phone.mp4", [("red", 3)], Shape(size=(160, 96), rotation=90)))
    assert (message.number("width_px"), message.number("height_px")) == (96, 160)


def test_given_a_gif_when_made_then_it_has_fewer_frames_and_loops(make_clip: MakeClip) -> None:
    video = make_clip("film.mp4", [("red", 3)], Shape(patterned=True))
    data = made(video, replace(WISH, form="gif", max_fps=5.0, max_px=80)).part(0)
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in data
    assert len(shown(data)) in {5, 6}


@pytest.mark.parametrize(("form", "share"), [("mp4", 24), ("gif", 5)])
def test_given_a_small_limit_when_cut_then_the_clip_fits(form: str, share: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (10, 180, 320, 3), dtype=np.uint8)
    video = clips.write_video(tmp_path / "noise.mp4", iter(noise), Shape(size=(320, 180), fps=10))
    wish = replace(WISH, start_s=0.0, end_s=1.0, form=form, max_fps=10.0 if form == "mp4" else 3.0)  # type: ignore[arg-type]
    whole = made(video, wish)
    small = made(video, replace(wish, max_bytes=len(whole.part(0)) // share))
    assert len(small.part(0)) <= len(whole.part(0)) // share
    assert small.number("width_px") < whole.number("width_px")


async def test_given_a_child_when_it_cuts_then_a_clip_or_an_error(
    reader: ChildFrameReader, make_clip: MakeClip, tmp_path: Path
) -> None:
    clipper, shares = ChildClipper(reader), list[float]()
    video = make_clip("film.mp4", [("red", 3)], Shape(patterned=True))
    clip = await clipper.clip(video, WISH, shares.append)
    assert len(shown(clip.data)) == 25
    first, last = await clipper.stills(video, (1.0, 1.998), 640)
    assert (first.time_s, last.time_s) == pytest.approx((1.0, 1.96))
    with pytest.raises(ClipTooLarge):
        await clipper.clip(video, replace(WISH, max_bytes=100), shares.append)
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(NotAVideo):
        await clipper.clip(text, WISH, shares.append)
    with pytest.raises(FileMissing):
        await clipper.stills(tmp_path / "nothing.mp4", (1.0,), 640)


async def test_given_a_cut_that_hangs_when_waited_for_then_it_is_given_up(
    reader: ChildFrameReader, tmp_path: Path
) -> None:
    pipe = tmp_path / "hangs.mp4"
    os.mkfifo(pipe)
    with pytest.raises(DecoderDied):
        await ChildClipper(reader, most_s=0.3).clip(pipe, WISH, lambda _: None)
