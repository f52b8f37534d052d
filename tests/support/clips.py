"""Makes small videos on the fly, for tests: colours, cuts, rotation, variable frame rate, odd formats."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.model.video import Pixels

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 20, 20),
    "green": (20, 180, 40),
    "blue": (30, 40, 200),
    "yellow": (230, 220, 30),
    "white": (250, 250, 250),
    "black": (5, 5, 5),
    "grey": (128, 128, 128),
    "purple": (130, 40, 160),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a video is written."""

    size: tuple[int, int] = (160, 120)
    """Width and height in px, as stored."""
    fps: int = 25
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    container: str | None = None
    """FFmpeg's name; by the suffix otherwise."""
    gop: int = 25
    b_frames: int | None = None
    rotation: int = 0
    """Degrees counterclockwise that a player must turn the pictures by."""
    mirrored: bool = False
    """A player must show left and right exchanged."""
    colorspace: int | None = None
    """AVCOL_SPC: 1 is BT.709, 6 is BT.601 (SMPTE 170M)."""
    full_range: bool = False
    pixel_aspect: Fraction | None = None
    times_s: Sequence[float] | None = None
    """Each frame's time, for a variable frame rate."""
    start_s: float = 0.0
    """Time of the first frame in the file."""
    faststart: bool = False
    sound_s: float = 0.0
    """Length of a sound track beside the pictures."""
    patterned: bool = False
    """Draw the frame's number as bars, so that no two frames are alike."""


def plain(size: tuple[int, int], colour: tuple[int, int, int]) -> Pixels:
    """Give a frame of one colour, (H, W, 3) uint8 RGB."""
    return np.full((size[1], size[0], 3), colour, dtype=np.uint8)


def numbered(picture: Pixels, number: int) -> Pixels:
    """Draw a number as twelve black or white bars over the lower half."""
    marked = picture.copy()
    height, width = marked.shape[:2]
    for bit in range(12):
        left, right = bit * width // 12, (bit + 1) * width // 12
        marked[height // 2 :, left:right] = 255 if number >> bit & 1 else 0
    return marked


def read_number(picture: Pixels) -> int:
    """Give the number that `numbered` drew, from a picture of any size."""
    height, width = picture.shape[:2]
    row = picture[height * 3 // 4].mean(axis=1)
    return sum(int(row[(2 * bit + 1) * width // 24] > 128) << bit for bit in range(12))


def make_clip(path: Path, colours: Sequence[tuple[str, float]], shape: Shape | None = None) -> Path:
    """Write a video that shows each colour for its seconds, one hard cut after the other."""
    shape = shape or Shape()
    return write_video(path, _frames(colours, shape), shape)


def write_video(path: Path, pictures: Iterator[Pixels], shape: Shape) -> Path:
    """Write pictures, each (H, W, 3) uint8 RGB, as a video, on a thread that ends with it.

    Where root calls SVT-AV1, it makes the calling thread go before all others of the machine, and leaves it so: a
    browser that this thread started later kept the machine to itself for minutes.
    """
    with ThreadPoolExecutor(1) as own:
        return own.submit(_write_video, path, pictures, shape).result()


def _write_video(path: Path, pictures: Iterator[Pixels], shape: Shape) -> Path:
    options = {"movflags": "faststart"} if shape.faststart else {}
    with av.open(path, "w", format=shape.container, options=options) as container:
        stream = _stream(container, shape)
        sound = container.add_stream("aac", rate=48000) if shape.sound_s else None
        for index, picture in enumerate(pictures):
            frame = _frame(picture, shape)
            frame.pts = _ticks(index, shape)
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_sound(container, sound, shape.sound_s)
    return path


def make_sound(path: Path, seconds: float) -> Path:
    """Write a sound file without pictures."""
    with av.open(path, "w") as container:
        _write_sound(container, container.add_stream("aac", rate=48000), seconds)
    return path


def cut(path: Path, share: float) -> Path:
    """Cut a file off after a share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _frames(colours: Sequence[tuple[str, float]], shape: Shape) -> Iterator[Pixels]:
    ends_s = np.cumsum([seconds for _, seconds in colours])
    count = len(shape.times_s) if shape.times_s is not None else round(ends_s[-1] * shape.fps)
    for index in range(count):
        time_s = shape.times_s[index] if shape.times_s is not None else index / shape.fps
        scene = min(int(np.searchsorted(ends_s, time_s + 1e-9, side="right")), len(colours) - 1)
        picture = plain(shape.size, COLOURS[colours[scene][0]])
        yield numbered(picture, index) if shape.patterned else picture


def _stream(container: av.container.OutputContainer, shape: Shape) -> av.VideoStream:
    stream = container.add_stream(shape.codec, rate=shape.fps)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height = shape.size
    stream.pix_fmt = shape.pixel_format
    context = stream.codec_context
    context.gop_size = shape.gop
    context.time_base = Fraction(1, 1000 if shape.times_s is not None else shape.fps)
    if shape.b_frames is not None:
        context.max_b_frames = shape.b_frames
    if shape.colorspace is not None:
        context.colorspace = shape.colorspace
        context.color_range = 2 if shape.full_range else 1
    if shape.pixel_aspect is not None:
        context.sample_aspect_ratio = shape.pixel_aspect
    if shape.rotation or shape.mirrored:
        stream.set_display_rotation(shape.rotation, hflip=shape.mirrored)
    return stream


def _frame(picture: Pixels, shape: Shape) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    if shape.colorspace is None:
        return frame.reformat(format=shape.pixel_format)
    # swscale numbers its matrices differently: 5 is BT.601, 1 BT.709.
    matrix = {1: 1, 6: 5, 9: 9}[shape.colorspace]
    made = frame.reformat(
        format=shape.pixel_format, dst_colorspace=matrix, dst_color_range=2 if shape.full_range else 1
    )
    made.colorspace = shape.colorspace
    return made


def _ticks(index: int, shape: Shape) -> int:
    if shape.times_s is not None:
        return round((shape.times_s[index] + shape.start_s) * 1000)
    return index + round(shape.start_s * shape.fps)


def _write_sound(container: av.container.OutputContainer, stream: av.stream.Stream, seconds: float) -> None:
    assert isinstance(stream, av.AudioStream)
    for index in range(math.ceil(seconds * 48000 / 1024)):
        samples = np.zeros((1, 1024), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 48000
        frame.pts = index * 1024
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
