"""A reading that goes on where an earlier one stopped gives what one reading would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.engines.video import open_video as decode
from core.model.video import Sampling
from core.ports.video import ResumePoint
from tests.support.clips import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import av

    from tests.conftest import MakeClip
    from tests.core.engines.conftest import LookAt

pytestmark = pytest.mark.slow

SCENES = [("red", 3.0), ("green", 3.0), ("blue", 2.0)]
SHAPES = {
    "plain.mp4": Shape(patterned=True),
    "one-keyframe.mp4": Shape(gop=400, patterned=True),
    "b-frames.mp4": Shape(b_frames=3, gop=50, patterned=True),
    "late.mp4": Shape(start_s=10.0, patterned=True),
    "stream.ts": Shape(patterned=True),
    "matroska.mkv": Shape(gop=60, patterned=True),
    "web.webm": Shape(codec="libvpx", gop=40, patterned=True),
    "uneven.mkv": Shape(times_s=[n / 25 + (n % 7) / 200 for n in range(200)], patterned=True),
    "old.avi": Shape(codec="mpeg4", gop=30, patterned=True),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_the_rest_is_the_rest_of_one_reading(make_clip: MakeClip, look_at: LookAt, name: str) -> None:
    path = make_clip(name, SCENES, SHAPES[name])
    whole = look_at(path)
    for count in (1, 6, len(whole.looks) - 1, len(whole.looks)):
        rest = look_at(path, after=ResumePoint(whole.times_s[count - 1], count))
        assert rest.times_s == whole.times_s[count:]
        for one, other in zip(rest.looks, whole.looks[count:], strict=True):
            assert np.array_equal(one.pixels, other.pixels)
            assert one.thumbnail == other.thumbnail
        assert (rest.opened, rest.ended) == (whole.opened, whole.ended)


@pytest.mark.parametrize("gop", [7, 12])
def test_wherever_a_reading_stops_the_same_keyframes_are_looks_afterwards(
    make_clip: MakeClip, look_at: LookAt, gop: int
) -> None:
    """Looks are closer together than keyframes: whether one is a look depends on those before it."""
    path = make_clip("dense.mp4", [("red", 1.6), ("green", 1.4)], Shape(size=(96, 64), gop=gop, patterned=True))
    whole = look_at(path, Sampling(0.1, 4))
    for count in range(1, len(whole.looks)):
        rest = look_at(path, Sampling(0.1, 4), after=ResumePoint(whole.times_s[count - 1], count))
        assert rest.times_s == whole.times_s[count:]


def test_a_timeline_that_falls_back_is_gone_on_with_where_it_was_left(
    tmp_path: Path, make_clip: MakeClip, look_at: LookAt
) -> None:
    first, second = make_clip("first.ts", [("red", 4)]), make_clip("second.ts", [("blue", 4)])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    whole = look_at(joined, Sampling(0.5, 1))
    assert whole.times_s[-1] > 6
    for count in (3, 4, 5):
        after = ResumePoint(whole.times_s[count - 1], count)
        assert look_at(joined, Sampling(0.5, 1), after=after).times_s == whole.times_s[count:]


def test_what_comes_long_before_is_not_decoded_again(
    make_clip: MakeClip, look_at: LookAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("long.mp4", [("red", 20), ("blue", 4)])
    whole = look_at(path)
    decoded: list[float] = []
    real = decode.OpenVideo.frames

    def noting(video: decode.OpenVideo, *, from_keyframe: bool = False) -> Iterator[tuple[float, av.VideoFrame]]:
        for time_s, frame in real(video, from_keyframe=from_keyframe):
            decoded.append(time_s)
            yield time_s, frame

    monkeypatch.setattr(decode.OpenVideo, "frames", noting)
    look_at(path, after=ResumePoint(whole.times_s[20], 21))
    assert len([time_s for time_s in decoded if time_s < 19]) <= 2
