"""What colours come out of videos that do not keep to the usual ones: HDR, wide gamuts, matrices that nobody knows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt
import pytest

from core.engines.video import clip as clipping
from core.engines.video.colours import Mapping, to_bt709
from core.model.video import Sampling
from tests.core.engines.conftest import LIMITS
from tests.support import clips
from tests.support.clips import COLOURS, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from core.model.video import Pixels
    from tests.conftest import MakeClip
    from tests.core.engines.conftest import CutStill, ReadMessages, ReadSamples

Light = npt.NDArray[np.float64]

BT709_IN_BT2020 = np.array(((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)))
"""ITU-R BT.2087."""
BARS = {
    "red": (191, 0, 0),
    "green": (0, 191, 0),
    "blue": (0, 0, 191),
    "grey": (104, 104, 104),
    "white": (191, 191, 191),
}
"""The bars of 75 %, as a usual screen shows them."""
SIZE = (160, 96)
TOLERANCE = 10


@dataclass(frozen=True)
class Wide:
    """A video in BT.2020, as its encoder names it."""

    transfer: int
    """1 BT.709, 14 BT.2020 of 10 bit, 16 PQ, 18 HLG."""
    codec: str
    pixel_format: str
    depth: int
    tolerance: int = 10
    """Levels of 255."""


VIDEOS = {
    "hlg.mp4": Wide(18, "libx265", "yuv420p10le", 10),
    "hlg8.mp4": Wide(18, "libx264", "yuv420p", 8),
    "hlg12.mp4": Wide(18, "libx265", "yuv420p12le", 12),
    "pq.mp4": Wide(16, "libx265", "yuv420p10le", 10),
    "pq.mkv": Wide(16, "ffv1", "yuv420p12le", 12),
    "pq8.mp4": Wide(16, "libx264", "yuv420p", 8, tolerance=20),  # so coarse are 8 bits for 10,000 nits
    "wide.mp4": Wide(1, "libx264", "yuv420p", 8),
    "wide10.mp4": Wide(14, "libx265", "yuv420p10le", 10),
}


def encoded(light: Light, transfer: int) -> Light:
    """Give the signal of linear light, 1 for paper white of 203 nits, as standards write it."""
    match transfer:
        case 16:
            power = (light * 203 / 10_000) ** (2610 / 16384)
            c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
            return np.asarray(((c1 + c2 * power) / (1 + c3 * power)) ** (2523 / 32))
        case 18:
            scene = (light * 203 / 1000) ** (1 / 1.2)
            bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
            return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)
        case _:
            return np.asarray(light ** (1 / 2.4))


def planes(rgb: Sequence[int], wide: Wide) -> list[int]:
    """Give luma and both chromas of a colour of 0 to 255, in whole numbers of the video's depth."""
    light = (np.array(rgb) / 255) ** 2.4 @ BT709_IN_BT2020.T
    red, green, blue = encoded(light, wide.transfer)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    scale = 1 << (wide.depth - 8)
    values = (16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8814, 128 + 224 * (red - luma) / 1.4746)
    return [round(value * scale) for value in values]


def write_wide(path: Path, rgb: Sequence[int], wide: Wide) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream(wide.codec, rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, wide.pixel_format
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, wide.transfer, 1
        for index in range(5):
            frame = av.VideoFrame(*SIZE, wide.pixel_format)
            for plane, value in zip(frame.planes, planes(rgb, wide), strict=True):
                kind = np.uint8 if wide.depth == 8 else np.uint16
                plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, value, kind).tobytes())
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = 9, 9, wide.transfer, 1
            frame.pts, frame.time_base = index, Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, messages: ReadMessages, form: str = "mp4") -> av.VideoFrame:
    """Give the first frame of a cut."""
    out = io.BytesIO()
    wish = {"start_s": 0.0, "end_s": 0.8, "form": form, "max_px": 160, "max_fps": 60, "sound": False}
    clipping.send_clip(path, {"wish": {**wish, "max_bytes": 10_000_000}, "limits": LIMITS}, out)
    with av.open(io.BytesIO(messages(out.getvalue())[-1].part(0)), "r") as container:
        return next(container.decode(video=0))


def rgb(frame: av.VideoFrame, matrix: int | None = None) -> Pixels:
    """Give a frame's pixels by a matrix as FFmpeg's scaler numbers it; 1 is BT.709, 5 is BT.601."""
    return np.asarray(frame.to_ndarray(format="rgb24", src_colorspace=matrix), np.uint8)


def off_by(pixels: Pixels, rgb: Sequence[int]) -> int:
    height, width = pixels.shape[:2]
    return int(np.abs(pixels[height // 2, width // 2].astype(int) - rgb).max())


@pytest.mark.slow
@pytest.mark.parametrize("colour", BARS)
@pytest.mark.parametrize("name", VIDEOS)
def test_given_a_wide_gamut_when_seen_then_the_colours_that_are_meant(
    tmp_path: Path, read_samples: ReadSamples, cut_still: CutStill, messages: ReadMessages, name: str, colour: str
) -> None:
    path = write_wide(tmp_path / name, BARS[colour], VIDEOS[name])
    frame, tolerance = cut(path, messages), VIDEOS[name].tolerance
    assert off_by(read_samples(path).frames[0].pixels, BARS[colour]) <= tolerance
    assert off_by(cut_still(path, 0.4)[1], BARS[colour]) <= tolerance
    assert off_by(rgb(frame, 1), BARS[colour]) <= tolerance
    labels = (int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range))
    assert labels == (1, 1, 1, 1)


@pytest.mark.slow
def test_given_hdr_when_a_preview_is_made_then_it_shows_the_colours_meant(
    tmp_path: Path, messages: ReadMessages
) -> None:
    path = write_wide(tmp_path / "hlg.mp4", BARS["red"], VIDEOS["hlg.mp4"])
    assert off_by(rgb(cut(path, messages, "gif")), BARS["red"]) <= TOLERANCE


def test_given_light_brighter_than_paper_when_mapped_then_in_order() -> None:
    nits = np.array([[203.0] * 3, [400.0] * 3, [1000.0] * 3])
    levels = to_bt709(encoded(nits / 203, 16), Mapping("pq", "bt2020"))[:, 0] * 255
    assert 235 < levels[0] < levels[1] < levels[2] <= 255
    assert np.diff(levels).min() > 3


@pytest.mark.slow
def test_given_a_usual_video_when_cut_then_its_colours_are_told_and_kept(
    make_clip: MakeClip, messages: ReadMessages
) -> None:
    for matrix in (1, 6):
        frame = cut(make_clip("usual.mp4", [("green", 1)], Shape(colorspace=matrix)), messages)
        assert int(frame.colorspace) == matrix
        source = 1 if matrix == 1 else 5
        assert off_by(rgb(frame, source), COLOURS["green"]) <= 6


def relabelled(path: Path, matrix: int, primaries: int = 2, transfer: int = 2) -> Path:
    """Write a video in BT.601 that names these."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 6, 6, 6
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(clips.plain(SIZE, COLOURS["green"]), "rgb24")
            made = frame.reformat(format="yuv420p", dst_colorspace=5)
            made.pts, made.time_base = index, Fraction(1, 5)
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    for element, value in ((b"\x55\xb1", matrix), (b"\x55\xbb", primaries), (b"\x55\xba", transfer)):
        assert data.count(element + b"\x81\x06") == 1
        data = data.replace(element + b"\x81\x06", element + b"\x81" + bytes([value]))
    path.write_bytes(data)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("matrix", [0, 2, 3, 8, 11, 12, 15, 100])
def test_given_an_unknown_matrix_when_seen_then_the_nearest_is_taken(
    tmp_path: Path, read_samples: ReadSamples, cut_still: CutStill, messages: ReadMessages, matrix: int
) -> None:
    path = relabelled(tmp_path / "odd.mkv", matrix)
    assert off_by(read_samples(path, Sampling(0.2, 1)).frames[0].pixels, COLOURS["green"]) <= TOLERANCE
    assert off_by(cut_still(path, 0.4)[1], COLOURS["green"]) <= TOLERANCE
    frame = cut(path, messages)
    assert off_by(rgb(frame, 5), COLOURS["green"]) <= TOLERANCE
    assert int(frame.colorspace) == 6


@pytest.mark.slow
@pytest.mark.parametrize(("primaries", "transfer"), [(3, 3), (22, 19), (100, 100)])
def test_given_reserved_primaries_when_seen_then_they_are_passed_over(
    tmp_path: Path, cut_still: CutStill, messages: ReadMessages, primaries: int, transfer: int
) -> None:
    path = relabelled(tmp_path / "odd.mkv", 6, primaries, transfer)
    assert off_by(cut_still(path, 0.4)[1], COLOURS["green"]) <= TOLERANCE
    assert off_by(rgb(cut(path, messages), 5), COLOURS["green"]) <= TOLERANCE


@pytest.mark.slow
async def test_given_an_unknown_matrix_when_read_by_a_real_child_then_it_lives(
    tmp_path: Path, reader: ChildFrameReader
) -> None:
    path = relabelled(tmp_path / "odd.mkv", 8)
    assert (await reader.still(path, 0.4, 160)).time_s == pytest.approx(0.4)


@pytest.mark.slow
async def test_given_hdr_when_a_child_reads_then_its_sandbox_allows_the_tables(
    tmp_path: Path, reader: ChildFrameReader
) -> None:
    path = write_wide(tmp_path / "hlg.mp4", BARS["red"], VIDEOS["hlg.mp4"])
    assert (await reader.still(path, 0.4, 160)).width_px == 160
