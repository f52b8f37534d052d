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
    from tests.core.engines.conftest import LookAt, Seen

pytestmark = pytest.mark.slow

FPS = 10


def frames(seconds: int) -> Iterator[Pixels]:
    """Give pictures no two of which are alike."""
    for number in range(seconds * FPS):
        yield numbered(plain((160, 96), (128, 128, 128)), number)


def video(path: Path, seconds: int, gop: int) -> Path:
    return write_video(path, frames(seconds), Shape((160, 96), fps=FPS, gop=gop))


def assert_true(seen: Seen) -> None:
    for look in seen.looks:
        assert read_number(look.pixels) == round(look.time_s * FPS)


@pytest.mark.parametrize("name", ["dense.mp4", "dense.mkv", "dense.ts"])
def test_keyframes_alone_are_looked_at_where_they_stand_close(tmp_path: Path, look_at: LookAt, name: str) -> None:
    seen = look_at(video(tmp_path / name, 40, 2 * FPS))
    assert 20 <= len(seen.looks) <= 24, "one each two seconds, and at cuts"
    assert np.diff(seen.times_s).max() <= 2.1
    assert not seen.ended.truncated
    assert seen.ended.reached_s == pytest.approx(40, abs=0.2)
    assert_true(seen)


def test_keyframes_closer_than_needed_give_a_look_a_second(tmp_path: Path, look_at: LookAt) -> None:
    seen = look_at(video(tmp_path / "intra.mp4", 40, 1))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)
    assert_true(seen)


@pytest.mark.parametrize("name", ["sparse.mp4", "sparse.mkv", "sparse.ts"])
def test_a_video_of_few_keyframes_is_looked_at_each_second(tmp_path: Path, look_at: LookAt, name: str) -> None:
    seen = look_at(video(tmp_path / name, 40, 25 * FPS))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)
    assert_true(seen)


def test_an_operator_can_have_each_second_looked_at(tmp_path: Path, look_at: LookAt) -> None:
    seen = look_at(video(tmp_path / "dense.mp4", 40, 2 * FPS), Sampling(keyframe_gap=0))
    assert seen.times_s == pytest.approx(list(range(40)), abs=0.01)


def test_a_short_video_gets_its_looks_whatever_its_keyframes(tmp_path: Path, look_at: LookAt) -> None:
    assert len(look_at(video(tmp_path / "short.mp4", 20, 2 * FPS)).looks) == 20


def test_each_part_of_a_video_is_judged_by_itself(tmp_path: Path, look_at: LookAt) -> None:
    joined = tmp_path / "joined.ts"
    parts = [video(tmp_path / f"{gop}.ts", 40, gop) for gop in (2 * FPS, 40 * FPS)]
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    times_s = np.array(look_at(joined).times_s)
    assert ((times_s > 4) & (times_s < 36)).sum() <= 20
    assert ((times_s > 44) & (times_s < 76)).sum() >= 31


def test_a_container_that_calls_every_frame_a_keyframe_is_found_out(tmp_path: Path, look_at: LookAt) -> None:
    shape = Shape((160, 96), fps=FPS, gop=25 * FPS, b_frames=0, codec="mpeg4")
    whole, lying = write_video(tmp_path / "true.mp4", frames(40), shape), tmp_path / "lying.mp4"
    with av.open(whole) as source, av.open(lying, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream, packet.is_keyframe = stream, True
                target.mux(packet)
    seen = look_at(lying)
    assert len(seen.looks) >= 38
    for look in seen.looks[4:]:
        assert_true_enough(look.pixels, look.time_s)


def assert_true_enough(pixels: Pixels, time_s: float) -> None:
    assert abs(read_number(pixels) - time_s * FPS) < FPS


def test_a_slide_that_stands_still_costs_one_encode_and_has_a_look_each_second(tmp_path: Path, look_at: LookAt) -> None:
    slide = numbered(plain((160, 96), (200, 60, 30)), 1234)
    seen = look_at(write_video(tmp_path / "slide.mp4", iter([slide] * 20 * FPS), Shape((160, 96), fps=FPS, gop=FPS)))
    assert seen.times_s == pytest.approx(list(range(20)), abs=0.01)
    assert [look.repeats for look in seen.looks] == [False] + [True] * 19


def test_what_creeps_is_seen_anew_once_it_has_moved(tmp_path: Path, look_at: LookAt) -> None:
    def fading() -> Iterator[Pixels]:
        for number in range(40 * FPS):
            yield plain((160, 96), (number // 4 + 50, 100, 100))

    looks = look_at(write_video(tmp_path / "fade.mp4", fading(), Shape((160, 96), fps=FPS, gop=FPS))).looks
    last = looks[0]
    for look in looks:
        last = last if look.repeats else look
        assert abs(look.time_s - last.time_s) * FPS / 4 <= 12
