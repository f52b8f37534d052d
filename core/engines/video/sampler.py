"""Which packets must be decoded to sample a video: keyframes alone where they are close together, else all.

Runs in the child. Each group of pictures is judged by itself, so no container index is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.engines.video.sampling import SamplingGrid, keyframe_gap_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import Packet, VideoFrame
    from av.stream import Stream

    from core.engines.video.open_video import OpenVideo
    from core.model.video import Sampling

    VideoPacket = Packet[Stream]
    TimedFrame = tuple[float, VideoFrame]

_JITTER_S = 0.9
_SAME_S = 1e-6
_MOST_WAITING = 2000
"""Packets that say nothing of their time are held back no longer than this."""


class FellBackError(Exception):
    """The timeline starts anew: its times can be told only where every frame is decoded."""


@dataclass(slots=True)
class Skimmer:
    """Gives the looks. Each group of pictures is judged by itself, as the packets come.

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
    """The time of an earlier reading's last look: its group of pictures is met once more, to judge as it did."""
    _looked_s: float = 0.0
    """The time of the last look, as far as the packets tell."""
    _decoded_s: float = 0.0
    _dropped_s: float = 0.0
    """How far the packets went that were not needed."""
    _waiting: list[VideoPacket] = field(default_factory=list)
    _key: VideoPacket | None = None
    """The keyframe of this group, while the rest of it waits; None while all is decoded."""
    _keys: set[int | None] = field(default_factory=set)
    """The timestamps of keyframes that are in the decoder and will be looks."""
    _latest_s: float = 0.0
    _skipped: bool = False
    """The group before this one was not decoded, so what refers to it cannot be either."""

    @classmethod
    def of(cls, video: OpenVideo, length_s: float, sampling: Sampling, until_s: float | None = None) -> Skimmer:
        """Skim a video of this length; from the look with that time on, where an earlier reading ended with it."""
        grid, plan = SamplingGrid(length_s, sampling), SamplingGrid(length_s, sampling)
        gap_s = keyframe_gap_s(length_s, sampling) if video.keyframes_tell_times else 0.0
        skimmer = cls(video, grid, plan, gap_s, until_s)
        if until_s is not None:
            grid.wants(until_s)
        return skimmer

    def looks(self) -> Iterator[TimedFrame]:
        """Give the frames that the grid wants with their times, in order. Raises OverLimitError, FellBackError."""
        for packet in self.video.packets():
            if packet is None or self.video.shows(packet):
                yield from self._taken(packet)

    @property
    def reached_s(self) -> float:
        """Tell how far the video goes: what was dropped after the last decoded frame counts too.

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
        if time_s is not None and held is not None and held is self._key and time_s - self._looked_s > self.gap_s:
            yield from self._look_at(held)  # it came soon after a look, and would leave a hole
        self._drop()
        self._key = packet
        if time_s is None or self.plan.wants(time_s) or self._ended(time_s):
            yield from self._look_at(packet)
        else:
            self._waiting.append(packet)

    def _look_at(self, packet: VideoPacket) -> Iterator[TimedFrame]:
        self._keys.add(packet.pts)
        self._looked_s = self._time_s(packet) or 0.0
        yield from self._through(packet)

    def _drop(self) -> None:
        """Do without what waits: the next keyframe came soon enough."""
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
        """Note where the looks are among packets that are all decoded: the first picture after each grid time is one.

        Pictures that others lean on come before those, so an earlier one of the same step may still follow.
        """
        time_s = self._time_s(packet)
        if time_s is not None and (self.plan.wants(time_s) or self.plan.is_last(time_s, self._looked_s)):
            self._looked_s = time_s

    def _ended(self, time_s: float) -> bool:
        """Tell whether the earlier reading ended with a look at this time."""
        return self.until_s is not None and abs(time_s - self.until_s) <= _SAME_S

    def _too_far(self, packet: VideoPacket) -> bool:
        if self._key is None or self._key.pts is None or packet.pts is None:
            return len(self._waiting) > _MOST_WAITING
        return float((packet.pts - self._key.pts) * self.video.clock.time_base) > self.gap_s

    def _time_s(self, packet: VideoPacket) -> float | None:
        """Guess the time of a packet's picture; None where nothing tells."""
        return self.video.clock.estimate_s(packet)

    def _rising_s(self, packet: VideoPacket) -> float | None:
        """Give the same for packets in their order. Raises FellBackError."""
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
