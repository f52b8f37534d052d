"""Scales and converts the frames of a clip to its size and colours. Runs in the child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from core.engines.video import colours
from core.engines.video.flaws import UnreadableError
from core.engines.video.frame import Developer, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from av import VideoFrame

    from core.model.video import Pixels


class Timed(NamedTuple):
    """A frame, and what its video says of all."""

    time_s: float
    """Since the start of the video."""
    frame: VideoFrame
    pixel_aspect: Fraction | None
    usual_s: float
    """How long a frame of that video stands."""


MOST_FPS = 60


_LEAST_BITS_A_PIXEL = 0.04
"""With fewer, a smaller picture looks better."""


_LONGEST_FRAME_S = 0.1


_BT709, _UNSPECIFIED = 1, 2


_TOLD = frozenset({1, 4, 5, 6})
"""Primaries and transfer functions of television, the same numbers for both."""


_LEAST_PX = 16


@dataclass(frozen=True, slots=True)
class ClipAim:
    """What is to be made: of [start_s, end_s), at most that wide or high, about that large."""

    start_s: float
    end_s: float
    max_px: int
    max_bytes: int

    @property
    def length_s(self) -> float:
        """Give how long it is."""
        return self.end_s - self.start_s


class Rendition(NamedTuple):
    """What a clip says of its colours, as ITU-T H.273 numbers it."""

    matrix: int
    primaries: int
    transfer: int


class Tailor:
    """Brings the frames of one video to the size of a clip."""

    def __init__(self, frames: Iterator[Timed], aim: ClipAim, bits_a_second: float | None) -> None:
        """Take the first frame, for the size. Raises UnreadableError where there is none."""
        first = next(frames, None)
        if first is None:
            raise UnreadableError("no_frames")
        self._first, self._rest, self._aim = first, frames, aim
        self._developer = Developer(first.pixel_aspect)
        self._aspect = first.pixel_aspect
        self._reformatter = VideoReformatter()
        self.size_px = _size_px(self._developer.size_px(first.frame), aim.max_px, bits_a_second)
        self.frame_s = min(_LONGEST_FRAME_S, max(1 / MOST_FPS, first.usual_s))
        self.look = _look(first.frame)

    def pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Give each picture, yuv420p, with its time since the start; the last one stands until the end."""
        last_s, last = 0.0, self._fitted(self._first)
        yield last_s, last
        for one in self._rest:
            last_s, last = max(0.0, one.time_s - self._aim.start_s), self._fitted(one)
            yield last_s, last
        if self._aim.length_s - last_s > 3 * self.frame_s:
            yield self._aim.length_s - self.frame_s, last

    def _fitted(self, one: Timed) -> VideoFrame:
        """Bring a frame to the size of the clip; one of another shape than the first gets black bars."""
        frame = one.frame
        width, height = self.size_px
        alike = _look(frame) == self.look and one.pixel_aspect == self._first.pixel_aspect
        if is_plain(frame) and alike and (frame.width, frame.height) == self._first_px:
            return self._reformatter.reformat(
                frame,
                width,
                height,
                "yuv420p",
                src_color_range=ColorRange.JPEG if colours.is_full(frame) else ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
            )
        if one.pixel_aspect != self._aspect:
            self._aspect, self._developer = one.pixel_aspect, Developer(one.pixel_aspect)
        upright = av.VideoFrame.from_ndarray(self._rgb(frame), "rgb24")
        return self._reformatter.reformat(
            upright,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709 if self.look.matrix == _BT709 else Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
        )

    def _rgb(self, frame: VideoFrame) -> Pixels:
        return self._developer.fitted(frame, self.size_px)

    @property
    def _first_px(self) -> tuple[int, int]:
        return self._first.frame.width, self._first.frame.height


def _look(frame: VideoFrame) -> Rendition:
    """Give what a clip that begins with this frame says of its colours: a plain one's stay what they are."""
    if not is_plain(frame):
        return Rendition(_BT709, _BT709, _BT709)
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    named = primaries if primaries in _TOLD else _UNSPECIFIED, transfer if transfer in _TOLD else _UNSPECIFIED
    return Rendition(colours.named(frame), *named)


def _size_px(shown_px: tuple[int, int], max_px: int, bits_a_second: float | None) -> tuple[int, int]:
    """Give an even width and height, no larger than the video itself."""
    scale = min(1.0, max_px / max(shown_px))
    if bits_a_second is not None:
        wanted = shown_px[0] * shown_px[1] * scale**2 * 25 * _LEAST_BITS_A_PIXEL
        scale *= min(1.0, (bits_a_second / wanted) ** 0.5)
    width, height = (max(_LEAST_PX, round(side * scale / 2) * 2) for side in shown_px)
    return width, height
