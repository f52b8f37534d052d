"""What is seen of videos of many kinds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from core.model.video import Sampling
from tests.support import clips
from tests.support.clips import COLOURS, Shape

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import Pixels
    from tests.conftest import MakeClip
    from tests.core.engines.conftest import CutStill, ReadSamples

pytestmark = pytest.mark.slow

TOLERANCE = 8
"""Levels of 255 that chroma subsampling and compression may cost."""


def assert_colour(pixels: Pixels, name: str, tolerance: int = TOLERANCE) -> None:
    middle = pixels[pixels.shape[0] // 4, pixels.shape[1] // 2].astype(int)
    assert np.abs(middle - COLOURS[name]).max() <= tolerance, f"{middle} is not {name}"


def test_given_colours_when_sampled_then_each_frame_has_its_own(colour_video: Path, read_samples: ReadSamples) -> None:
    seen = read_samples(colour_video)
    assert seen.opened.duration_s == pytest.approx(9.0)
    assert (seen.opened.width_px, seen.opened.height_px) == (160, 120)
    assert len(seen.frames) == seen.opened.expected_frames == 16
    for sample in seen.frames:
        assert_colour(sample.pixels, ("red", "green", "blue")[int(sample.time_s // 3)])
    assert not seen.ended.truncated


def test_given_red_when_sampled_then_red(make_clip: MakeClip, read_samples: ReadSamples) -> None:
    red, _, blue = read_samples(make_clip("red.mp4", [("red", 1)])).frames[0].pixels[32, 32]
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_given_a_sideways_video_when_sampled_then_upright(
    make_clip: MakeClip, cut_still: CutStill, read_samples: ReadSamples, rotation: int
) -> None:
    path = make_clip("turned.mp4", [("grey", 1)], Shape((160, 96), rotation=rotation, patterned=True))
    flat = make_clip("flat.mp4", [("grey", 1)], Shape((160, 96), patterned=True))
    _, turned = cut_still(path, 0.4)
    _, plain = cut_still(flat, 0.4)
    assert np.abs(turned.astype(int) - np.rot90(plain, rotation // 90)).max() <= 40
    opened = read_samples(path).opened
    assert (opened.height_px, opened.width_px) == turned.shape[:2]


def test_given_a_mirrored_video_when_cut_then_as_players_show_it(make_clip: MakeClip, cut_still: CutStill) -> None:
    _, mirrored = cut_still(make_clip("m.mp4", [("grey", 1)], Shape((160, 96), mirrored=True, patterned=True)), 0.4)
    _, plain = cut_still(make_clip("p.mp4", [("grey", 1)], Shape((160, 96), patterned=True)), 0.4)
    assert np.abs(mirrored.astype(int) - plain[:, ::-1]).max() <= 40


def test_given_a_variable_rate_when_sampled_then_the_frames_own_times(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    times_s = [0.0, 0.4, 0.9, 1.3, 4.75, 4.8, 5.2, 9.9, 10.6, 11.1, 20.0]
    seen = read_samples(make_clip("vfr.mp4", [("red", 21)], Shape(times_s=times_s, b_frames=0)))
    assert seen.times_s == pytest.approx([0.0, 1.3, 4.75, 5.2, 9.9, 10.6, 11.1, 20.0], abs=1e-6)


def test_given_a_late_first_frame_when_sampled_then_times_from_it(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    seen = read_samples(make_clip("late.ts", [("red", 2)], Shape(start_s=30.0)), Sampling(0.5, 1, keyframe_gap=0))
    assert seen.times_s == pytest.approx([0.0, 0.52, 1.0, 1.52], abs=0.03)
    assert seen.times_s[0] == 0.0


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("gray.mkv", Shape(codec="ffv1", pixel_format="gray")),
        ("deep.mkv", Shape(codec="ffv1", pixel_format="yuv444p10le")),
        ("ten.mp4", Shape(codec="libx265", pixel_format="yuv420p10le")),
        ("bgr0.mkv", Shape(codec="ffv1", pixel_format="bgr0")),
        ("bgra.mkv", Shape(codec="ffv1", pixel_format="bgra")),
        ("motion.avi", Shape(codec="mjpeg", pixel_format="yuvj420p")),
        ("old.avi", Shape(codec="mpeg4")),
        ("web.webm", Shape(codec="libvpx-vp9")),
        ("new.mp4", Shape(codec="libsvtav1")),
        ("web8.webm", Shape(codec="libvpx")),
        ("stream.flv", Shape()),
        ("dvd.mpg", Shape(codec="mpeg2video", container="vob")),
        ("odd.mp4", Shape((161, 121), pixel_format="yuv444p")),
        ("full.mp4", Shape(colorspace=6, full_range=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_given_any_pixel_format_when_sampled_then_colours_survive(
    make_clip: MakeClip, read_samples: ReadSamples, name: str, shape: Shape
) -> None:
    colours = ("grey", "white") if shape.pixel_format == "gray" else ("red", "yellow")
    seen = read_samples(make_clip(name, [(colours[0], 1), (colours[1], 1)], shape))
    assert (seen.opened.width_px, seen.opened.height_px) == shape.size
    assert seen.opened.duration_s == pytest.approx(2.0, abs=0.2)
    assert_colour(seen.frames[0].pixels, colours[0])
    assert_colour(seen.frames[-1].pixels, colours[1])
    assert not seen.ended.truncated


def test_given_an_animated_picture_when_sampled_then_it_is_a_video(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    seen = read_samples(make_clip("moving.gif", [("white", 1), ("black", 1)], Shape(codec="gif", pixel_format="rgb8")))
    assert_colour(seen.frames[0].pixels, "white")
    assert_colour(seen.frames[-1].pixels, "black")
    assert seen.opened.duration_s == pytest.approx(2.0, abs=0.05)


def test_given_transparency_when_sampled_then_it_is_over_black(tmp_path: Path, read_samples: ReadSamples) -> None:
    path = tmp_path / "ghost.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgra"
        half = np.full((32, 32, 4), (200, 100, 50, 128), dtype=np.uint8)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(half, "rgba")))
        container.mux(stream.encode(None))
    assert np.abs(read_samples(path).frames[0].pixels[16, 16].astype(int) - (100, 50, 25)).max() <= 1


@pytest.mark.parametrize("colorspace", [1, 6])
@pytest.mark.parametrize("size", [(160, 120), (1280, 720)], ids=["small", "hd"])
@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_given_a_named_matrix_when_sampled_then_colours_come_by_it(
    make_clip: MakeClip, read_samples: ReadSamples, colorspace: int, size: tuple[int, int], colour: str
) -> None:
    path = make_clip("named.mp4", [(colour, 0.2)], Shape(size, colorspace=colorspace))
    assert_colour(read_samples(path).frames[0].pixels, colour, tolerance=4)


@pytest.mark.parametrize(("size", "matrix"), [((160, 120), 5), ((1280, 720), 1)], ids=["small", "hd"])
def test_given_no_matrix_when_sampled_then_the_size_decides(
    tmp_path: Path, read_samples: ReadSamples, size: tuple[int, int], matrix: int
) -> None:
    path = tmp_path / "nameless.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(clips.plain(size, COLOURS["green"]), "rgb24")
            made = frame.reformat(format="yuv420p", dst_colorspace=matrix)
            made.colorspace = 2
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    assert_colour(read_samples(path).frames[0].pixels, "green", tolerance=4)


def test_given_oblong_pixels_when_sampled_then_as_players_stretch_them(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    path = make_clip("wide.mp4", [("red", 1)], Shape((180, 144), pixel_aspect=Fraction(16, 11)))
    opened = read_samples(path).opened
    assert (opened.width_px, opened.height_px) == (262, 144)


def test_given_many_frames_when_sampled_then_at_most_600_thumbnails(
    make_clip: MakeClip, read_samples: ReadSamples
) -> None:
    path = make_clip("long.mp4", [("red", 30), ("blue", 22)], Shape((320, 180)))
    seen = read_samples(path, Sampling(0.04, 1))
    made = [sample for sample in seen.frames if sample.thumbnail is not None]
    assert len(seen.frames) == 1300
    assert len(made) == 434
    assert made[0] is seen.frames[0]
    picture = cv2.imdecode(np.frombuffer(made[0].thumbnail or b"", np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (135, 240, 3)
