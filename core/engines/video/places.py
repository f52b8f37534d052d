"""Where a video's keyframes lie, for containers that have no index or ambiguous timestamps. Runs in the child."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    from av import Packet
    from av.stream import Stream


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
        """Give a keyframe at or before a timestamp; the first for earlier ones, None where there is none."""
        index = bisect_right(self._rising, ticks, key=lambda place: place.ticks)
        return self._rising[max(0, index - 1 - self.early)] if self._rising else None

    def knows(self, packet: Packet[Stream]) -> bool:
        """Tell whether a packet is one of these keyframes: after a seek, some other may be taken for one."""
        return packet.pts in self._known
