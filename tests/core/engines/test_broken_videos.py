"""What is seen of videos that break off, hide their length, or are none; each says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from core.engines.video.container import UnreadableError
from core.errors import FileMissing, NotAVideo, NoVideoStream
from core.model.video import Sampling
from tests.core.engines.conftest import PREPROCESS
from tests.support import clips
from tests.support.clips import Shape

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from core.errors import AppError
    from tests.conftest import MakeClip
    from tests.core.engines.conftest import ReadSamples

pytestmark = pytest.mark.slow

TOLERANCE = 8
"""Levels of 255 that chroma subsampling and compression may cost."""


def test_given_longer_sound_when_read_then_it_is_not_truncated(make_clip: MakeClip, read_samples: ReadSamples) -> None:
    seen = read_samples(make_clip("song.mp4", [("red", 1)], Shape(sound_s=12.0)))
    assert not seen.ended.truncated
    assert seen.opened.duration_s == pytest.approx(12.0, abs=0.1)


def test_given_slides_that_stand_long_when_read_then_it_is_not_truncated(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    shape = Shape(times_s=[0.0, 10.0, 20.0, 30.0])
    assert not read_samples(make_clip("slides.mp4", [("red", 40)], shape)).ended.truncated


@pytest.mark.parametrize(
    ("name", "shape"),
    [("cut.mp4", Shape(faststart=True, patterned=True)), ("cut.mkv", Shape(patterned=True))],
    ids=["mp4", "mkv"],
)
def test_given_a_cut_off_file_when_read_then_its_frames_and_truncated(
    make_clip: MakeClip, read_samples: ReadSamples, name: str, shape: Shape
) -> None:
    path = clips.cut(make_clip(name, [("red", 10), ("blue", 10)], shape), 0.6)
    seen = read_samples(path)
    assert seen.ended.truncated
    assert 6 < seen.ended.reached_s < 16
    assert len(seen.frames) == pytest.approx(seen.ended.reached_s, abs=1.5)


def test_given_damage_in_the_middle_when_read_then_the_rest_is_read(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    path = make_clip("scratched.ts", [("red", 10), ("blue", 10)], Shape(patterned=True))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    seen = read_samples(path)
    assert seen.ended.reached_s > 19
    assert not seen.ended.truncated


def test_given_no_declared_length_when_read_then_it_is_measured(tmp_path: Path, read_samples: ReadSamples) -> None:
    whole = clips.make_clip(tmp_path / "whole.mkv", [("red", 3)])
    path = tmp_path / "live.mkv"
    with av.open(path, "w", options={"live": "1"}) as container, av.open(whole) as source:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    with av.open(path) as container:
        assert container.duration is None
    assert read_samples(path).opened.duration_s == pytest.approx(3.0, abs=0.1)


def test_given_sound_alone_when_read_then_no_video_stream(tmp_path: Path, read_samples: ReadSamples) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_samples(clips.make_sound(tmp_path / "song.m4a", 1.0))
    assert raised.value.flaw == "no_video_stream"


def test_given_a_record_with_a_cover_when_read_then_no_video_stream(tmp_path: Path, read_samples: ReadSamples) -> None:
    cover = cv2.imencode(".jpg", np.zeros((50, 50, 3), np.uint8))[1].tobytes()
    body = b"\0image/jpeg\0\3\0" + cover
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    silence = (b"\xff\xfb\x90\xc4" + bytes(413)) * 50
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3\3\0\0" + size + frame + silence)
    with pytest.raises(UnreadableError) as raised:
        read_samples(path)
    assert raised.value.flaw == "no_video_stream"


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 100_000, b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n"])
def test_given_garbage_when_read_then_not_a_video(tmp_path: Path, read_samples: ReadSamples, data: bytes) -> None:
    path = tmp_path / "garbage.mp4"
    path.write_bytes(data)
    with pytest.raises(UnreadableError) as raised:
        read_samples(path)
    assert raised.value.flaw == "not_a_video"


def test_given_no_decodable_frame_when_read_then_no_frames(make_clip: MakeClip, read_samples: ReadSamples) -> None:
    path = make_clip("noise.mp4", [("red", 2)], Shape(faststart=True))
    head, mark, body = path.read_bytes().partition(b"mdat")
    path.write_bytes(head + mark + bytes(len(body)))
    with pytest.raises(UnreadableError) as raised:
        read_samples(path)
    assert raised.value.flaw == "no_frames"


def test_given_a_missing_file_when_read_then_missing(tmp_path: Path, read_samples: ReadSamples) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_samples(tmp_path / "nothing.mp4")
    assert raised.value.flaw == "missing"


@pytest.mark.parametrize(
    ("name", "error"),
    [("song.m4a", NoVideoStream), ("garbage.mp4", NotAVideo), ("nothing.mp4", FileMissing)],
)
async def test_given_no_video_when_read_then_the_flaw_is_named(
    reader: ChildFrameReader, tmp_path: Path, name: str, error: type[AppError]
) -> None:
    clips.make_sound(tmp_path / "song.m4a", 1.0)
    (tmp_path / "garbage.mp4").write_bytes(b"no video")
    with pytest.raises(error):
        await anext(reader.frames(tmp_path / name, Sampling(), PREPROCESS))
    with pytest.raises(error):
        await reader.still(tmp_path / name, 0.0, 100)
