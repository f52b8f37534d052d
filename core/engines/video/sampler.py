"""Samples a video: the times of the grid, which packets must be decoded for them, and what is sent of each frame.

Keyframes alone are decoded where they are close together, else all packets. Each group of pictures is judged by
itself, so no container index is needed. Runs in the child.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from core.engines.sandbox import protocol
from core.engines.video import frame as pictures
from core.engines.video.allowance import THUMBNAIL_PX
from core.engines.video.container import UnreadableError
from core.model.video import TIME_SLACK_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    import numpy.typing as npt
    from av import Packet, VideoFrame
    from av.stream import Stream

    from core.engines.video.open_video import OpenVideo, TimedFrame
    from core.model.video import Pixels, Preprocess, Sampling

    VideoPacket = Packet[Stream]

_JITTER_S = 0.9
_SAME_S = 1e-6
_MOST_WAITING = 2000
"""Packets that say nothing of their time are held back no longer than this."""
_CELLS = 16
"""Across and down: a face in the distance fills one."""
_THUMBNAIL_QUALITY = 75
_MOST_THUMBNAILS = 600


@dataclass(slots=True)
class SamplingGrid:
    """Picks frames one by one: each that is the first at or after the next grid time."""

    duration_s: float
    sampling: Sampling
    _next_s: float = 0.0

    @property
    def next_s(self) -> float:
        """Return the next grid time."""
        return self._next_s

    def wants(self, time_s: float, early_s: float = 0.0) -> bool:
        """Return whether the frame at this time is sampled, and move on when it is.

        A frame that comes up to `early_s` before a grid time stands for it. The times of the frames that are wanted
        rise strictly, whatever the frames' order.
        """
        if not self.due(time_s, early_s):
            return False
        step_s = self._step_s(time_s)
        self._next_s = (math.floor((time_s + TIME_SLACK_S) / step_s) + 1) * step_s
        return True

    def due(self, time_s: float, early_s: float = 0.0) -> bool:
        """Return whether a frame at this time would be sampled, without moving on."""
        return time_s + early_s + TIME_SLACK_S >= self._next_s

    def is_last(self, time_s: float, sampled_s: float) -> bool:
        """Return whether a time that comes before the last sampled one lies in the same step."""
        return time_s < sampled_s and self._next_s - self._step_s(time_s) <= time_s + TIME_SLACK_S < self._next_s

    def _step_s(self, time_s: float) -> float:
        """Return the interval; past the end that the file declares, a short video's dense grid makes no sense."""
        if time_s > self.duration_s:
            return self.sampling.interval_s
        return self.sampling.step_s(self.duration_s)


class FellBackError(Exception):
    """The timeline starts anew: its times can be told only where every frame is decoded."""


@dataclass(slots=True)
class KeyframeSampler:
    """Decodes the frames that are sampled, and few others. Each group of pictures is judged by itself, as packets come.

    A keyframe needs no other frame. What follows it is held back until the next one comes, and then dropped; when
    that takes longer than the gap allows, it is decoded after all.
    """

    video: OpenVideo
    grid: SamplingGrid
    plan: SamplingGrid
    """The same grid once more: it follows the packets, for how far the decoder lags behind depends on the machine."""
    gap_s: float
    """How far apart keyframes may stand; 0 decodes everything."""
    until_s: float | None = None
    """The time of an earlier reading's last frame: its group of pictures is met once more, to judge as it did."""
    _sampled_s: float = 0.0
    """The time of the last sampled frame, as far as the packets tell."""
    _decoded_s: float = 0.0
    _dropped_s: float = 0.0
    """How far the packets went that were not needed."""
    _waiting: list[VideoPacket] = field(default_factory=list)
    _key: VideoPacket | None = None
    """The keyframe of this group, while the rest of it waits; None while all is decoded."""
    _keys: set[int | None] = field(default_factory=set)
    """The timestamps of keyframes that are in the decoder and will be sampled."""
    _latest_s: float = 0.0
    _skipped: bool = False
    """The group before this one was not decoded, so what refers to it cannot be either."""

    @classmethod
    def of(cls, video: OpenVideo, length_s: float, sampling: Sampling, until_s: float | None = None) -> KeyframeSampler:
        """Sample a video of this length; from the frame with that time on, where an earlier reading ended with it."""
        grid, plan = SamplingGrid(length_s, sampling), SamplingGrid(length_s, sampling)
        gap_s = sampling.keyframe_gap_s(length_s) if video.keyframes_tell_times else 0.0
        sampler = cls(video, grid, plan, gap_s, until_s)
        if until_s is not None:
            grid.wants(until_s)
        return sampler

    def frames(self) -> Iterator[TimedFrame]:
        """Yield the frames that the grid wants with their times, in order. Raises OverLimitError, FellBackError."""
        for packet in self.video.packets():
            if packet is None or self.video.shows(packet):
                yield from self._taken(packet)

    @property
    def reached_s(self) -> float:
        """Return how far the video goes: what was dropped after the last decoded frame counts too.

        But not more of it than may stand between two keyframes: after that, keyframes failed to decode.
        """
        return max(self._decoded_s, min(self._dropped_s, self._decoded_s + self.gap_s))

    def _taken(self, packet: VideoPacket | None) -> Iterator[TimedFrame]:
        if packet is None or not packet.size:  # the end: what the decoder still holds comes out
            self._drop()
            yield from self._through(packet)
        elif packet.is_discard:
            yield from self._hidden(packet)
        elif self.gap_s > 0 and packet.is_keyframe:
            yield from self._key_frame(packet)
        elif self._key is None:
            self._pass(packet)
            yield from self._through(packet)
        else:
            self._waiting.append(packet)
            if self._too_far(packet):
                yield from self._release()

    def _hidden(self, packet: VideoPacket) -> Iterator[TimedFrame]:
        """Take a picture that an edit list hides: others may need it, so what follows a hidden keyframe is decoded."""
        if packet.is_keyframe:
            self._drop()
        if self._key is None:
            yield from self._through(packet)
        else:
            self._waiting.append(packet)

    def _key_frame(self, packet: VideoPacket) -> Iterator[TimedFrame]:
        time_s = self._rising_s(packet)
        held = self._waiting[0] if self._waiting else None
        if time_s is not None and held is not None and held is self._key and time_s - self._sampled_s > self.gap_s:
            yield from self._sample(held)  # it came soon after a sampled frame, and would leave a hole
        self._drop()
        self._key = packet
        if time_s is None or self.plan.wants(time_s) or self._ended(time_s):
            yield from self._sample(packet)
        else:
            self._waiting.append(packet)

    def _sample(self, packet: VideoPacket) -> Iterator[TimedFrame]:
        self._keys.add(packet.pts)
        self._sampled_s = self._time_s(packet) or 0.0
        yield from self._through(packet)

    def _drop(self) -> None:
        """Drop what waits: the next keyframe came soon enough."""
        self._skipped = bool(self._waiting)
        times_s = (self._time_s(packet) for packet in self._waiting)
        self._dropped_s = max(self._dropped_s, *(time_s or 0.0 for time_s in times_s), 0.0)
        self._waiting.clear()
        self._key = None

    def _release(self) -> Iterator[TimedFrame]:
        """Decode what waits, but for pictures that lean on a group that was dropped."""
        key, waiting = self._key, self._waiting
        self._key, self._waiting = None, []
        for packet in waiting:
            if not (self._skipped and key is not None and _leads(packet, key)):
                self._pass(packet)
                yield from self._through(packet)

    def _pass(self, packet: VideoPacket) -> None:
        """Note which of the packets that are all decoded is sampled: the first picture after each grid time.

        Pictures that others lean on come before those, so an earlier one of the same step may still follow.
        """
        time_s = self._time_s(packet)
        if time_s is not None and (self.plan.wants(time_s) or self.plan.is_last(time_s, self._sampled_s)):
            self._sampled_s = time_s

    def _ended(self, time_s: float) -> bool:
        """Return whether the earlier reading ended with a frame at this time."""
        return self.until_s is not None and abs(time_s - self.until_s) <= _SAME_S

    def _too_far(self, packet: VideoPacket) -> bool:
        if self._key is None or self._key.pts is None or packet.pts is None:
            return len(self._waiting) > _MOST_WAITING
        return float((packet.pts - self._key.pts) * self.video.clock.time_base) > self.gap_s

    def _time_s(self, packet: VideoPacket) -> float | None:
        """Guess the time of a packet's picture; None where nothing tells."""
        return self.video.clock.estimate_s(packet)

    def _rising_s(self, packet: VideoPacket) -> float | None:
        """Return the same for packets in their order, which must rise. Raises FellBackError."""
        time_s = self._time_s(packet)
        if time_s is not None and time_s < self._latest_s - _JITTER_S:
            raise FellBackError
        self._latest_s = max(self._latest_s, time_s or 0.0)
        return time_s

    def _through(self, packet: VideoPacket | None) -> Iterator[TimedFrame]:
        for time_s, frame in self.video.decoded(packet):
            self._decoded_s = max(self._decoded_s, time_s)
            early_s = self.gap_s if self._planned(frame) else 0.0
            is_known = self.until_s is not None and time_s <= self.until_s + _SAME_S
            if not is_known and self.grid.wants(time_s, early_s):
                self.plan.wants(time_s)
                yield time_s, frame

    def _planned(self, frame: VideoFrame) -> bool:
        if frame.pts not in self._keys:
            return False
        self._keys.discard(frame.pts)
        if not frame.key_frame:
            self.gap_s = 0.0  # the container calls frames keyframes that are none: trust it no more
        return frame.key_frame


def _leads(packet: VideoPacket, key: VideoPacket) -> bool:
    return packet.pts is not None and key.pts is not None and packet.pts < key.pts


@dataclass(frozen=True, slots=True, eq=False)
class ColourGrid:
    """Mean colours over a grid."""

    cells: npt.NDArray[np.float32]
    """(16, 16, 3) float32, levels of 0 to 255."""

    @classmethod
    def of(cls, pixels: Pixels) -> ColourGrid:
        """Return the grid of (H, W, 3) uint8 RGB."""
        cells = cv2.resize(pixels.astype(np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        return cls(np.asarray(cells, np.float32))

    def difference(self, other: ColourGrid) -> float:
        """Return by how many levels of 255 the cell differs that differs most."""
        return float(np.abs(self.cells - other.cells).max())


class SampleSender:
    """Sends the sampled frames of one video; one nearly identical to the frame before is marked as its repeat."""

    def __init__(
        self, out: BinaryIO, pixel_aspect: Fraction | None, preprocess: Preprocess, sampling: Sampling, length_s: float
    ) -> None:
        self._out = out
        self._converter = pictures.FrameConverter(pixel_aspect)
        self._preprocess = preprocess
        self._sameness = sampling.sameness
        self._length_s = length_s
        self._stride = -(-sampling.expected_frames(length_s) // _MOST_THUMBNAILS)
        self._grid: ColourGrid | None = None
        self._is_opened = False
        self.sent = 0
        """How many frames this reading and an earlier one, which it goes on from, have sent."""
        self.last_s: float | None = None
        """The time of the last of them."""

    def started(self, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """Send "opened" once, which needs a frame for its size; yield all frames. Raises UnreadableError."""
        first = next(frames, None)
        if first is None and not self._is_opened:
            raise UnreadableError("no_frames")
        if first is None:
            return
        if not self._is_opened:
            self._open(first[1])
        yield first
        yield from frames

    def _open(self, frame: VideoFrame) -> None:
        self._is_opened = True
        width_px, height_px = self._converter.size_px(frame)
        header = {"kind": "opened", "duration_s": self._length_s, "width_px": width_px, "height_px": height_px}
        protocol.send(self._out, header)

    def send_all(self, frames: Iterator[TimedFrame]) -> None:
        """Send frames."""
        for time_s, frame in frames:
            self.send(time_s, frame)

    def send(self, time_s: float, frame: VideoFrame) -> None:
        """Send a frame; without its pixels where they are still those that were sent last."""
        pixels = self._converter.for_encoder(frame, self._preprocess)
        data = b"" if self._repeats(pixels) else pixels.tobytes()
        protocol.send(self._out, {"kind": "frame", "time_s": time_s}, data, self._thumbnail(frame))
        self.sent += 1
        self.last_s = time_s

    def _repeats(self, pixels: Pixels) -> bool:
        grid = ColourGrid.of(pixels)
        if self._grid is not None and grid.difference(self._grid) <= self._sameness:
            return True
        self._grid = grid
        return False

    def _thumbnail(self, frame: VideoFrame) -> bytes:
        """Return a small JPEG for every n-th frame and nothing for the others; n grows should a video not end."""
        if self.sent >= 2 * _MOST_THUMBNAILS * self._stride:
            self._stride *= 2
        if self.sent % self._stride:
            return b""
        return pictures.jpeg(self._converter.small(frame, THUMBNAIL_PX), _THUMBNAIL_QUALITY)
