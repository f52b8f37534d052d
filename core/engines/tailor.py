"""Brings the frames of a stretch to the size of a clip. Runs in the decoding child; owns pixel sizes and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from core.engines.flaws import UnreadableError
from core.engines.pictures import Developer, is_plain, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame

    from core.engines.clipping import Timed

MOST_FPS = 60
_LEAST_BITS_A_PIXEL = 0.04
"""With fewer, a smaller picture looks better."""
_LONGEST_FRAME_S = 0.1
_BT709, _BT601 = 1, 6
_SD_HEIGHT_PX = 576
_LEAST_PX = 16


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be made: of [start_s, end_s), at most that wide or high, about that large."""

    start_s: float
    end_s: float
    max_px: int
    max_bytes: int

    @property
    def length_s(self) -> float:
        """Give how long it is."""
        return self.end_s - self.start_s


class Tailor:
    """Brings the frames of one film to the size of a clip."""

    def __init__(self, frames: Iterator[Timed], aim: Aim, bits_a_second: float | None) -> None:
        """Take the first frame, for the size. Raises UnreadableError where there is none."""
        first = next(frames, None)
        if first is None:
            raise UnreadableError("no_frames")
        self._first, self._rest, self._aim = first, frames, aim
        self._developer = Developer(first.pixel_aspect)
        self._reformatter = VideoReformatter()
        self.size_px = _size_px(self._shown_px(), aim.max_px, bits_a_second)
        self.frame_s = min(_LONGEST_FRAME_S, max(1 / MOST_FPS, first.usual_s))
        self.is_sd = first.frame.height <= _SD_HEIGHT_PX

    def pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Give each picture, yuv420p, with its time since the start; the last one stands until the end."""
        last_s, last = 0.0, self._fitted(self._first.frame)
        yield last_s, last
        for one in self._rest:
            last_s, last = max(0.0, one.time_s - self._aim.start_s), self._fitted(one.frame)
            yield last_s, last
        if self._aim.length_s - last_s > 3 * self.frame_s:
            yield self._aim.length_s - self.frame_s, last

    @property
    def colorspace(self) -> int:
        """Give the matrix of the pictures, as films number it."""
        named = int(self._first.frame.colorspace)
        if not is_plain(self._first.frame):
            return _BT709
        return named if named in {_BT709, 5, _BT601} else _BT601 if self.is_sd else _BT709

    def _shown_px(self) -> tuple[int, int]:
        frame = self._first.frame
        if is_plain(frame):
            return max(1, round(frame.width * squeeze(self._first.pixel_aspect))), frame.height
        height, width = self._developer.rgb(frame).shape[:2]
        return width, height

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        width, height = self.size_px
        if is_plain(frame):
            full = int(frame.color_range) == int(ColorRange.JPEG)
            return self._reformatter.reformat(
                frame,
                width,
                height,
                "yuv420p",
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
            )
        upright = av.VideoFrame.from_ndarray(self._developer.rgb(frame), "rgb24")
        return self._reformatter.reformat(
            upright,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )


def _size_px(shown_px: tuple[int, int], max_px: int, bits_a_second: float | None) -> tuple[int, int]:
    """Give an even width and height, no larger than the film itself."""
    scale = min(1.0, max_px / max(shown_px))
    if bits_a_second is not None:
        wanted = shown_px[0] * shown_px[1] * scale**2 * 25 * _LEAST_BITS_A_PIXEL
        scale *= min(1.0, (bits_a_second / wanted) ** 0.5)
    width, height = (max(_LEAST_PX, round(side * scale / 2) * 2) for side in shown_px)
    return width, height
