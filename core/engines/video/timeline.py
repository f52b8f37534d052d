"""The times of a video: one clock for reading, seeking and cutting, where a timeline jumps, and where keyframes lie.

Packets are stamped anew as they leave the container, so that the decoder gives the right times however it reorders
frames. Runs in the child.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from av.video.frame import PictureType

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.stream import Stream

_JUMP_BACK_S = 1.0
"""A timeline that falls back further than this starts anew (joined recordings); less is jitter."""
_TOGETHER_S = 5.0
"""Sound and pictures that jump within this of each other have jumped at the same place."""
_MOST_FED = 512


@dataclass(slots=True)
class Clock:
    """Tells each frame's time in seconds since the start of the container, as players count."""

    time_base: Fraction
    step_ticks: int
    """A frame's usual length, for frames that say nothing."""
    zero_ticks: int | None = None
    """The timestamp of the start; None until the first packet tells."""
    zero_rest_s: float = 0.0
    """What the start lies after that timestamp: other streams count in other units."""
    _last_ticks: int | None = None
    _shift_ticks: int = 0

    @classmethod
    def starting(cls, time_base: Fraction, step_ticks: int, start_s: Fraction | None) -> Clock:
        """Return a clock whose zero is that many seconds after the timestamp 0, or at the first packet for None."""
        if start_s is None:
            return cls(time_base, step_ticks)
        ticks = round(start_s / time_base)
        rest_s = start_s - ticks * time_base
        # The container's start is told in microseconds: a smaller rest is its rounding.
        return cls(time_base, step_ticks, ticks, 0.0 if abs(rest_s) < Fraction(2, 1_000_000) else float(rest_s))

    def time_s(self, frame: VideoFrame) -> float:
        """Return the time of the next frame in the order of display."""
        ticks = self._ticks(frame) + self._shift_ticks
        if self._last_ticks is not None and self._seconds(self._last_ticks - ticks) > _JUMP_BACK_S:
            self._shift_ticks += self._last_ticks + self.step_ticks - ticks
            ticks = self._last_ticks + self.step_ticks
        self._last_ticks = ticks
        return self._since_zero_s(ticks)

    def hear(self, packet: Packet[Stream]) -> None:
        """Take the first packet's time for zero where the container does not say when it starts."""
        if self.zero_ticks is None:
            self.zero_ticks = packet.pts if packet.pts is not None else packet.dts

    def estimate_s(self, packet: Packet[Stream]) -> float | None:
        """Guess the time that the picture in a packet will have, before it is decoded; None where nothing tells."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        return None if ticks is None else self._since_zero_s(ticks + self._shift_ticks)

    @property
    def step_s(self) -> float:
        """Return how long a frame of the video usually stands."""
        return self._seconds(self.step_ticks)

    @property
    def zero_s(self) -> float:
        """Return the time in the container that is zero here."""
        return self._seconds(self.zero_ticks or 0) + self.zero_rest_s

    def ticks_at(self, time_s: float) -> int:
        """Return the timestamp that a time has in the file, for seeking."""
        return (self.zero_ticks or 0) + round((time_s + self.zero_rest_s) / self.time_base)

    def after_seek(self) -> Clock:
        """Return a clock with the same zero for any place of the video."""
        return Clock(self.time_base, self.step_ticks, self.zero_ticks, self.zero_rest_s)

    def _ticks(self, frame: VideoFrame) -> int:
        if frame.pts is not None:
            return frame.pts
        if frame.dts is not None:
            return frame.dts
        if self._last_ticks is None:
            return self.zero_ticks or 0
        return self._last_ticks - self._shift_ticks + self.step_ticks

    def _since_zero_s(self, ticks: int) -> float:
        """Return the seconds since zero; a frame that comes before the start stands at it."""
        if self.zero_ticks is None:
            self.zero_ticks = ticks
        return max(0.0, self._seconds(ticks - self.zero_ticks) - self.zero_rest_s)

    def _seconds(self, ticks: int) -> float:
        return ticks * self.time_base.numerator / self.time_base.denominator


@dataclass(slots=True)
class _Track:
    """How far one stream has come, in its own units."""

    base: Fraction
    base_s: float
    shift_ticks: int
    last_ticks: int | None = None
    next_ticks: int | None = None
    """When its next packet is due."""


@dataclass(slots=True)
class Jumps:
    """Stamps packets so that a timeline which starts anew, or jumps on or back, goes on where it was."""

    back: bool
    """Whether the timeline may fall back: not in containers that list all their frames."""
    onward_s: float = float("inf")
    """A longer gap in all streams is a jump."""
    shift_s: Fraction = Fraction(0)
    """What is added to the file's own times at present."""
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _latest_s: float | None = None

    @property
    def possible(self) -> bool:
        """Return whether packets must be checked."""
        return self.back or self.onward_s < float("inf")

    def shift_of_s(self, stream_index: int) -> Fraction:
        """Return what is added to the times of one stream at present."""
        track = self._tracks.get(stream_index)
        return self.shift_s if track is None else track.shift_ticks * track.base

    def after_seek(self, shift_s: Fraction) -> Jumps:
        """Return the same at another place, where so much is added."""
        return Jumps(self.back, self.onward_s, shift_s)

    def mend(self, packet: Packet[Stream]) -> None:
        """Stamp the next packet of pictures or sound."""
        track = self._tracks.get(packet.stream.index)
        if track is None:
            base = packet.time_base
            track = self._tracks[packet.stream.index] = _Track(base, float(base), round(self.shift_s / base))
        if packet.dts is not None:
            self._judge(packet.dts, packet.duration or 0, track)
        if track.shift_ticks:
            packet.dts = None if packet.dts is None else packet.dts + track.shift_ticks
            packet.pts = None if packet.pts is None else packet.pts + track.shift_ticks

    def _judge(self, dts: int, duration: int, track: _Track) -> None:
        ticks = dts + track.shift_ticks
        if self._fell_back(ticks, track) or self._went_on(ticks, track):
            track.shift_ticks += self._moved_ticks(ticks, track)
            self.shift_s = track.shift_ticks * track.base
            ticks = dts + track.shift_ticks
        track.last_ticks, track.next_ticks = ticks, ticks + duration
        end_s = track.next_ticks * track.base_s
        self._latest_s = end_s if self._latest_s is None else max(self._latest_s, end_s)

    def _fell_back(self, ticks: int, track: _Track) -> bool:
        return self.back and track.last_ticks is not None and (track.last_ticks - ticks) * track.base_s > _JUMP_BACK_S

    def _went_on(self, ticks: int, track: _Track) -> bool:
        if track.next_ticks is None or self._latest_s is None:
            return False
        return ticks * track.base_s > self._latest_s + self.onward_s

    def _moved_ticks(self, ticks: int, track: _Track) -> int:
        """Return what mends a jump: what mended it in the other streams, should they have jumped at the same place."""
        own = (track.next_ticks or 0) - ticks
        others = round(self.shift_s / track.base) - track.shift_ticks
        return others if 0 < (others - own) * track.base_s < _TOGETHER_S else own


@dataclass(slots=True)
class Ranks:
    """Times of frames in files that number their packets and do not stamp them: the n-th frame shown is number n.

    The numbers are those of the order of decoding. What is neither a B-frame nor behind one is shown after as many
    B-frames as overtake it, which is how many come out of the decoder before it with a higher number.
    """

    step_ticks: int | None
    """What one packet stands for, where packets have no number either; None where their DTS is the number."""
    reorders: bool
    """Whether frames are shown in another order than they are decoded in."""
    synced: bool = True
    """False after a seek: which of the first frames were lost is not known."""
    _fed: list[int] = field(default_factory=list)
    _early: list[int] = field(default_factory=list)
    _place: int | None = None
    """The number of the last frame that was shown."""
    _met: bool = False

    def after_seek(self) -> Ranks:
        """Return the same at another place."""
        return Ranks(self.step_ticks, self.reorders, synced=not self.reorders)

    def feed(self, packet: Packet[Stream]) -> None:
        """Stamp the next packet with its number."""
        if self.step_ticks is not None:
            packet.dts = self._fed[-1] + self.step_ticks if self._fed else 0
        packet.pts = packet.dts
        if packet.dts is not None:
            self._fed.append(packet.dts)
        if len(self._fed) > 2 * _MOST_FED:
            del self._fed[:_MOST_FED]

    def shown_ticks(self, frame: VideoFrame) -> int | None:
        """Return the number that the next frame in the order of display has there; None where that is not known."""
        own = frame.pts
        if own is None or not self._fed:
            return own
        if frame.pict_type == PictureType.B:
            self.reorders = True
            self._early.append(own)
            if self._place is not None:
                self._place = self._after(self._place, 1)
            elif self.synced:
                self._place = self._fed[0]
            return self._place
        overtaking = sum(number > own for number in self._early)
        self._early.clear()
        synced, self.synced = self.synced or self._met or not self.reorders, self.synced or self._met
        self._met = True
        self._place = self._after(own, overtaking) if synced else None
        return self._place

    def _after(self, number: int, count: int) -> int:
        place = bisect_left(self._fed, number) + count
        return self._fed[min(place, len(self._fed) - 1)]


class FramePlace(NamedTuple):
    """A keyframe."""

    ticks: int
    """Its timestamp, as mended."""
    byte: int
    """Where its packet begins in the file."""
    shift_s: Fraction
    """What was added to the file's own times there."""


@dataclass(slots=True)
class Places:
    """The keyframes of one video, and its length."""

    length_s: float = 0.0
    """From the start of the container to the end of the last packet of pictures or sound."""
    early: int = 0
    """How many keyframes to land too early: where packets hold parts of pictures, the first one's time is not known."""
    _rising: list[FramePlace] = field(default_factory=list)
    _known: set[int] = field(default_factory=set)

    def note(self, packet: Packet[Stream], shift_s: Fraction) -> None:
        """Take the next packet of the video's pictures; keyframes whose times do not rise are left out."""
        if not packet.is_keyframe or packet.pts is None or packet.pos is None or packet.pos < 0:
            return
        if not self._rising or packet.pts > self._rising[-1].ticks:
            self._rising.append(FramePlace(packet.pts, packet.pos, shift_s))
            self._known.add(packet.pts)

    def before(self, ticks: int) -> FramePlace | None:
        """Return a keyframe at or before a timestamp; the first for earlier ones, None where there is none."""
        index = bisect_right(self._rising, ticks, key=lambda place: place.ticks)
        return self._rising[max(0, index - 1 - self.early)] if self._rising else None

    def knows(self, packet: Packet[Stream]) -> bool:
        """Return whether a packet is one of these keyframes: after a seek, some other may be taken for one."""
        return packet.pts in self._known
