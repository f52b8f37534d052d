"""What a decoding child may send about one video: how much, in which order, within which bounds. Runs in the parent.

A child that a video has taken over may lie about lengths, times, sizes and counts, or never end. Of pictures it may
send JPEGs alone, no larger than allowed: Pillow's other formats start programs or unpack bombs.
"""

from __future__ import annotations

import io
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.engines.sandbox.protocol import GarbledError
from core.ports.video import SampledFrame, VideoEnded, VideoOpened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engines.sandbox.protocol import ChildMessage
    from core.limits import VideoLimits
    from core.model.video import Sampling
    from core.ports.video import Reading

_FORMATS = ("JPEG",)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, *_BOMBS)
THUMBNAIL_PX = 240
"""How wide or high a small picture of a frame is at most."""
THUMBNAIL_BYTES = 1 << 16
"""Noise of that size takes 45 KB."""
_BYTES_A_PIXEL = 2
"""Noise takes 1.1 at the quality that stills have."""
SLACK_S = 60.0
"""Beyond the longest video: what is left of it after the last frame that was read."""
_SLACK_FRAMES = 16
_PATIENCE = 4
"""Times the allowed processor time that a video's child is waited for: one that sleeps does not work."""
_FRAMES_A_STEP = 2
"""A keyframe that comes a little early may stand for its step, and then be followed by another."""
_MOST_SQUEEZE = 10
"""Pixels are shown at most so much wider than high."""
_MOST_THUMBNAILS = 2400
"""Twice as many as a video whose length is wrong by half gets."""


def bounded(value: float, most: float, least: float = 0.0) -> float:
    """Return the value if it lies within these, both included. Raises GarbledError."""
    if not least <= value <= most:
        raise GarbledError(f"{value:g} is not within {least:g} to {most:g}")
    return value


def frame_bytes(size_px: int) -> int:
    """Return how many bytes a frame's parts may have together."""
    return size_px * size_px * 3 + THUMBNAIL_BYTES


@dataclass(slots=True)
class Allowance:
    """One reading of a video, message by message."""

    limits: VideoLimits
    size_px: int
    sampling: Sampling | None = None
    """None where nothing but some times of the video is asked for, `most_frames` at most."""
    most_frames: int = 0
    last: SampledFrame | float | None = None
    """The last frame, or its time where an earlier reading gave it."""
    before: int = 0
    """How many frames that one gave."""
    waited_s: float = 0.0
    """How long its child was waited for, all in all. It may stand still while others ask, and have little of a core."""
    _opened: VideoOpened | None = field(default=None)
    _frames: int = 0
    _thumbnails: int = 0

    @property
    def most_bytes(self) -> int:
        """Return how many bytes the parts of the next message may have together."""
        return frame_bytes(self.size_px)

    def reading(self, message: ChildMessage) -> Reading | None:
        """Return what a message says, or None where it is of another kind. Raises GarbledError."""
        bounded(self.waited_s, SLACK_S + _PATIENCE * self.limits.decode_s)
        match message.kind:
            case "opened":
                return self._open(message)
            case "frame":
                return self._frame(message)
            case "ended":
                reached_s = bounded(message.number("reached_s"), self.limits.duration_s + SLACK_S)
                return VideoEnded(message.header.get("truncated") is True, reached_s)
        return None

    def _open(self, message: ChildMessage) -> VideoOpened:
        """Take the video's length and size; how many frames that makes is for us to say."""
        if self._opened is not None or self.sampling is None:
            raise GarbledError("opened, again or unasked")
        duration_s = bounded(message.number("duration_s"), self.limits.duration_s + SLACK_S)
        width_px, height_px = whole_size_px(message, _MOST_SQUEEZE * self.limits.frame_px)
        self._opened = VideoOpened(duration_s, width_px, height_px, self.sampling.expected_frames(duration_s))
        return self._opened

    def _frame(self, message: ChildMessage) -> SampledFrame:
        time_s = bounded(message.number("time_s"), self.limits.duration_s + SLACK_S, -SLACK_S)
        last_s = self.last.time_s if isinstance(self.last, SampledFrame) else self.last
        if last_s is not None and time_s <= last_s:
            raise GarbledError(f"a frame at {time_s:g} s comes after one at {last_s:g} s")
        self._count(time_s)
        data, thumbnail = message.part(0), self._thumbnail(message.part(1))
        if not data and isinstance(self.last, SampledFrame):
            self.last = SampledFrame(time_s, self.last.pixels, thumbnail, repeats=True)
            return self.last
        if len(data) != self.size_px * self.size_px * 3:
            raise GarbledError(f"a frame of {len(data)} bytes is not {self.size_px} px square")
        pixels = np.frombuffer(data, dtype=np.uint8).reshape(self.size_px, self.size_px, 3)
        self.last = SampledFrame(time_s, pixels, thumbnail)
        return self.last

    def _count(self, time_s: float) -> None:
        """Count a frame: up to this time, the video's length allows some, and its limit some. Raises GarbledError."""
        self._frames += 1
        most = self.most_frames if self.sampling is None else self._most_frames(time_s, self.sampling)
        if self.before + self._frames > most:
            raise GarbledError(f"{self.before + self._frames} frames until {time_s:g} s are too many")

    def _most_frames(self, time_s: float, sampling: Sampling) -> int:
        if self._opened is None:
            raise GarbledError("a frame of a video that was not opened")
        claimed_s = self._opened.duration_s
        within = max(0.0, min(time_s, claimed_s)) / sampling.step_s(claimed_s)
        beyond = max(0.0, time_s - claimed_s) / sampling.interval_s
        return _SLACK_FRAMES + _FRAMES_A_STEP * int(within + beyond)

    def _thumbnail(self, data: bytes) -> bytes | None:
        """Take a small picture. Raises GarbledError."""
        if not data:
            return None
        self._thumbnails += 1
        if self.sampling is None or self._thumbnails > _MOST_THUMBNAILS:
            raise GarbledError("too many small pictures")
        if len(data) > THUMBNAIL_BYTES:
            raise GarbledError(f"a small picture of {len(data)} bytes")
        checked_jpeg(data, THUMBNAIL_PX)
        return data


def whole_size_px(message: ChildMessage, most_px: float) -> tuple[int, int]:
    """Return the width and height that a message names, together at most so many pixels. Raises GarbledError."""
    width_px, height_px = (int(bounded(message.number(key), most_px, 1)) for key in ("width_px", "height_px"))
    bounded(width_px * height_px, most_px, 1)
    return width_px, height_px


def checked_jpeg(data: bytes, most_px: int) -> tuple[int, int]:
    """Return the width and height of a JPEG that is at most so wide and high. Raises GarbledError."""
    try:
        return _jpeg_size_px(data, most_px)
    except NoPictureError as error:
        raise GarbledError(str(error)) from error


def messages(most: int) -> Iterator[int]:
    """Count messages that say nothing but how far it is. Raises GarbledError beyond so many."""
    yield from range(most)
    raise GarbledError(f"more than {most} messages")


class NoPictureError(Exception):
    """The bytes are no JPEG, or of one that is too large."""


def most_jpeg_bytes(most_px: int) -> int:
    """Return how many bytes a JPEG may have that is at most so many pixels wide and high."""
    return THUMBNAIL_BYTES + _BYTES_A_PIXEL * most_px * most_px


def _jpeg_size_px(data: bytes, most_px: int) -> tuple[int, int]:
    """Return width and height, from the JPEG's header alone. Raises NoPictureError."""
    with opened_jpeg(data, most_px) as picture:
        return picture.size


@contextmanager
def opened_jpeg(data: bytes, most_px: int) -> Iterator[Image.Image]:
    """Open a JPEG of at most this width and height; its size is judged first. Raises NoPictureError."""
    if len(data) > most_jpeg_bytes(most_px):
        raise NoPictureError(f"{len(data)} bytes are too many for {most_px} px")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if max(picture.size) > most_px:
                raise NoPictureError(f"{picture.size} is wider or higher than {most_px} px")
            yield picture
    except _UNREADABLE as error:
        raise NoPictureError("no JPEG") from error
