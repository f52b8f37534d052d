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
    from tests.core.engines.conftest import ReadSamples

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
def test_given_a_stopped_reading_when_resumed_then_the_rest_of_it(
    make_clip: MakeClip, read_samples: ReadSamples, name: str
) -> None:
    path = make_clip(name, SCENES, SHAPES[name])
    whole = read_samples(path)
    for count in (1, 6, len(whole.frames) - 1, len(whole.frames)):
        rest = read_samples(path, after=ResumePoint(whole.times_s[count - 1], count))
        assert rest.times_s == whole.times_s[count:]
        for one, other in zip(rest.frames, whole.frames[count:], strict=True):
            assert np.array_equal(one.pixels, other.pixels)
            assert one.thumbnail == other.thumbnail
        assert (rest.opened, rest.ended) == (whole.opened, whole.ended)


@pytest.mark.parametrize("gop", [7, 12])
def test_given_any_stop_when_resumed_then_the_same_keyframes(
    make_clip: MakeClip, read_samples: ReadSamples, gop: int
) -> None:
    """Samples are closer together than keyframes: whether one is a sample depends on those before it."""
    path = make_clip("dense.mp4", [("red", 1.6), ("green", 1.4)], Shape(size=(96, 64), gop=gop, patterned=True))
    whole = read_samples(path, Sampling(0.1, 4))
    for count in range(1, len(whole.frames)):
        rest = read_samples(path, Sampling(0.1, 4), after=ResumePoint(whole.times_s[count - 1], count))
        assert rest.times_s == whole.times_s[count:]


def test_given_a_timeline_that_falls_back_when_resumed_then_it_goes_on(
    tmp_path: Path, make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    first, second = make_clip("first.ts", [("red", 4)]), make_clip("second.ts", [("blue", 4)])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    whole = read_samples(joined, Sampling(0.5, 1))
    assert whole.times_s[-1] > 6
    for count in (3, 4, 5):
        after = ResumePoint(whole.times_s[count - 1], count)
        assert read_samples(joined, Sampling(0.5, 1), after=after).times_s == whole.times_s[count:]


def test_given_a_late_stop_when_resumed_then_the_start_is_not_decoded(
    make_clip: MakeClip, read_samples: ReadSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("long.mp4", [("red", 20), ("blue", 4)])
    whole = read_samples(path)
    decoded: list[float] = []
    real = decode.OpenVideo.frames

    def noting(video: decode.OpenVideo, *, from_keyframe: bool = False) -> Iterator[tuple[float, av.VideoFrame]]:
        for time_s, frame in real(video, from_keyframe=from_keyframe):
            decoded.append(time_s)
            yield time_s, frame

    monkeypatch.setattr(decode.OpenVideo, "frames", noting)
    read_samples(path, after=ResumePoint(whole.times_s[20], 21))
    assert len([time_s for time_s in decoded if time_s < 19]) <= 2
