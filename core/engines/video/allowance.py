"""What a decoding child may send about one video: how much, in which order, within which bounds. Runs in the parent.

A child that a video has taken over may lie about lengths, times, sizes and counts, or never end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.engines.sandbox.protocol import GarbledError
from core.engines.video import jpegs
from core.engines.video.sampling import expected_frames, interval_s
from core.ports.video import SampledFrame, VideoEnded, VideoOpened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engines.sandbox.protocol import ChildMessage
    from core.limits import VideoLimits
    from core.model.video import Sampling
    from core.ports.video import Reading

SLACK_S = 60.0
"""Beyond the longest video: what is left of it after the last frame that was read."""
_SLACK_LOOKS = 16
_PATIENCE = 4
"""Times the allowed processor time that a video's child is waited for: one that sleeps does not work."""
_LOOKS_A_STEP = 2
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


def look_bytes(size_px: int) -> int:
    """Return how many bytes a look's parts may have together."""
    return size_px * size_px * 3 + jpegs.THUMBNAIL_BYTES


@dataclass(slots=True)
class Allowance:
    """One reading of a video, message by message."""

    limits: VideoLimits
    size_px: int
    sampling: Sampling | None = None
    """None where nothing but some times of the video is looked at, `most_looks` at most."""
    most_looks: int = 0
    last: SampledFrame | float | None = None
    """The last look, or its time where an earlier reading gave it."""
    before: int = 0
    """How many looks that one gave."""
    waited_s: float = 0.0
    """How long its child was waited for, all in all. It may stand still while others ask, and have little of a core."""
    _opened: VideoOpened | None = field(default=None)
    _looks: int = 0
    _thumbnails: int = 0

    @property
    def most_bytes(self) -> int:
        """Return how many bytes the parts of the next message may have together."""
        return look_bytes(self.size_px)

    def reading(self, message: ChildMessage) -> Reading | None:
        """Return what a message says, or None where it is of another kind. Raises GarbledError."""
        bounded(self.waited_s, SLACK_S + _PATIENCE * self.limits.decode_s)
        match message.kind:
            case "opened":
                return self._open(message)
            case "look":
                return self._look(message)
            case "ended":
                reached_s = bounded(message.number("reached_s"), self.limits.duration_s + SLACK_S)
                return VideoEnded(message.header.get("truncated") is True, reached_s)
        return None

    def _open(self, message: ChildMessage) -> VideoOpened:
        """Take the video's length and size; how many looks that makes is for us to say."""
        if self._opened is not None or self.sampling is None:
            raise GarbledError("opened, again or unasked")
        duration_s = bounded(message.number("duration_s"), self.limits.duration_s + SLACK_S)
        width_px, height_px = whole_size_px(message, _MOST_SQUEEZE * self.limits.frame_px)
        self._opened = VideoOpened(duration_s, width_px, height_px, expected_frames(duration_s, self.sampling))
        return self._opened

    def _look(self, message: ChildMessage) -> SampledFrame:
        time_s = bounded(message.number("time_s"), self.limits.duration_s + SLACK_S, -SLACK_S)
        last_s = self.last.time_s if isinstance(self.last, SampledFrame) else self.last
        if last_s is not None and time_s <= last_s:
            raise GarbledError(f"a look at {time_s:g} s comes after one at {last_s:g} s")
        self._count(time_s)
        data, thumbnail = message.part(0), self._thumbnail(message.part(1))
        if not data and isinstance(self.last, SampledFrame):
            self.last = SampledFrame(time_s, self.last.pixels, thumbnail, repeats=True)
            return self.last
        if len(data) != self.size_px * self.size_px * 3:
            raise GarbledError(f"a look of {len(data)} bytes is not {self.size_px} px square")
        pixels = np.frombuffer(data, dtype=np.uint8).reshape(self.size_px, self.size_px, 3)
        self.last = SampledFrame(time_s, pixels, thumbnail)
        return self.last

    def _count(self, time_s: float) -> None:
        """Count a frame: up to this time, the video's length allows some, and its limit some. Raises GarbledError."""
        self._looks += 1
        most = self.most_looks if self.sampling is None else self._most_looks(time_s, self.sampling)
        if self.before + self._looks > most:
            raise GarbledError(f"{self.before + self._looks} looks until {time_s:g} s are too many")

    def _most_looks(self, time_s: float, sampling: Sampling) -> int:
        if self._opened is None:
            raise GarbledError("a look at a video that was not opened")
        claimed_s = self._opened.duration_s
        within = max(0.0, min(time_s, claimed_s)) / interval_s(claimed_s, sampling)
        beyond = max(0.0, time_s - claimed_s) / sampling.interval_s
        return _SLACK_LOOKS + _LOOKS_A_STEP * int(within + beyond)

    def _thumbnail(self, data: bytes) -> bytes | None:
        """Take a small picture. Raises GarbledError."""
        if not data:
            return None
        self._thumbnails += 1
        if self.sampling is None or self._thumbnails > _MOST_THUMBNAILS:
            raise GarbledError("too many small pictures")
        if len(data) > jpegs.THUMBNAIL_BYTES:
            raise GarbledError(f"a small picture of {len(data)} bytes")
        checked_jpeg(data, jpegs.THUMBNAIL_PX)
        return data


def whole_size_px(message: ChildMessage, most_px: float) -> tuple[int, int]:
    """Return the width and height that a message names, together at most so many pixels. Raises GarbledError."""
    width_px, height_px = (int(bounded(message.number(key), most_px, 1)) for key in ("width_px", "height_px"))
    bounded(width_px * height_px, most_px, 1)
    return width_px, height_px


def checked_jpeg(data: bytes, most_px: int) -> tuple[int, int]:
    """Return the width and height of a JPEG that is at most so wide and high. Raises GarbledError."""
    try:
        return jpegs.size_px(data, most_px)
    except jpegs.NoPictureError as error:
        raise GarbledError(str(error)) from error


def messages(most: int) -> Iterator[int]:
    """Count messages that say nothing but how far it is. Raises GarbledError beyond so many."""
    yield from range(most)
    raise GarbledError(f"more than {most} messages")
