"""Which frames of a video are decoded and encoded at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from core.model.video import Sampling
from tests.support.clips import Shape, numbered, plain, read_number, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.video import Pixels
    from tests.core.engines.conftest import ReadSamples, Seen

pytestmark = pytest.mark.slow

FPS = 10


def frames(seconds: int) -> Iterator[Pixels]:
    """Give pictures no two of which are alike."""
    for number in range(seconds * FPS):
        yield numbered(plain((160, 96), (128, 128, 128)), number)


def video(path: Path, seconds: int, gop: int) -> Path:
    return write_video(path, frames(seconds), Shape((160, 96), fps=FPS, gop=gop))


def assert_true(seen: Seen) -> None:
    for sample in seen.frames:
        assert read_number(sample.pixels) == round(sample.time_s * FPS)


@pytest.mark.parametrize("name", ["dense.mp4", "dense.mkv", "dense.ts"])
def test_given_close_keyframes_when_sampled_then_they_alone(
    tmp_path: Path, read_samples: ReadSamples, name: str
) -> None:
    seen = read_samples(video(tmp_path / name, 40, 2 * FPS))
    assert 20 <= len(seen.frames) <= 24, "one each two seconds, and at cuts"
    assert np.diff(seen.times_s).max() <= 2.1
    assert not seen.ended.truncated
    assert seen.ended.reached_s == pytest.approx(40, abs=0.2)
    assert_true(seen)


def test_given_denser_keyframes_when_sampled_then_one_a_second(tmp_path: Path, read_samples: ReadSamples) -> None:
    seen = read_samples(video(tmp_path / "intra.mp4", 40, 1))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)
    assert_true(seen)


@pytest.mark.parametrize("name", ["sparse.mp4", "sparse.mkv", "sparse.ts"])
def test_given_few_keyframes_when_sampled_then_each_second(
    tmp_path: Path, read_samples: ReadSamples, name: str
) -> None:
    seen = read_samples(video(tmp_path / name, 40, 25 * FPS))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)
    assert_true(seen)


def test_given_keyframes_off_when_sampled_then_each_second(tmp_path: Path, read_samples: ReadSamples) -> None:
    seen = read_samples(video(tmp_path / "dense.mp4", 40, 2 * FPS), Sampling(keyframe_gap=0))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)


def test_given_a_short_video_when_sampled_then_its_least_frames(tmp_path: Path, read_samples: ReadSamples) -> None:
    assert len(read_samples(video(tmp_path / "short.mp4", 20, 2 * FPS)).frames) == 20


def test_given_mixed_keyframes_when_sampled_then_each_part_by_itself(tmp_path: Path, read_samples: ReadSamples) -> None:
    joined = tmp_path / "joined.ts"
    parts = [video(tmp_path / f"{gop}.ts", 40, gop) for gop in (2 * FPS, 40 * FPS)]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    times_s = np.array(read_samples(joined).times_s)
    assert ((times_s > 4) & (times_s < 36)).sum() <= 20
    assert ((times_s > 44) & (times_s < 76)).sum() >= 31


def test_given_false_keyframes_when_sampled_then_they_are_noticed(tmp_path: Path, read_samples: ReadSamples) -> None:
    shape = Shape((160, 96), fps=FPS, gop=25 * FPS, b_frames=0, codec="mpeg4")
    whole, lying = write_video(tmp_path / "true.mp4", frames(40), shape), tmp_path / "lying.mp4"
    with av.open(whole) as source, av.open(lying, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream, packet.is_keyframe = stream, True
                target.mux(packet)
    seen = read_samples(lying)
    assert len(seen.frames) >= 38
    for sample in seen.frames[4:]:
        assert_true_enough(sample.pixels, sample.time_s)


def assert_true_enough(pixels: Pixels, time_s: float) -> None:
    assert abs(read_number(pixels) - time_s * FPS) < FPS


def test_given_a_still_slide_when_sampled_then_repeats_are_marked(tmp_path: Path, read_samples: ReadSamples) -> None:
    slide = numbered(plain((160, 96), (200, 60, 30)), 1234)
    seen = read_samples(
        write_video(tmp_path / "slide.mp4", iter([slide] * 20 * FPS), Shape((160, 96), fps=FPS, gop=FPS))
    )
    assert seen.times_s == pytest.approx(list(range(20)), abs=0.01)
    assert [sample.repeats for sample in seen.frames] == [False] + [True] * 19


def test_given_slow_change_when_sampled_then_new_once_it_moved(tmp_path: Path, read_samples: ReadSamples) -> None:
    def fading() -> Iterator[Pixels]:
        for number in range(40 * FPS):
            yield plain((160, 96), (number // 4 + 50, 100, 100))

    samples = read_samples(write_video(tmp_path / "fade.mp4", fading(), Shape((160, 96), fps=FPS, gop=FPS))).frames
    last = samples[0]
    for sample in samples:
        last = last if sample.repeats else sample
        assert abs(sample.time_s - last.time_s) * FPS / 4 <= 12
