"""Tells the time of a film's frames by what the container says of them.

Runs in the decoding child. Owns that arithmetic; must not open or decode anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from av import Packet, VideoFrame
    from av.stream import Stream

_JUMP_BACK_S = 1.0
"""A timeline that falls back further than this starts anew (joined recordings); less is jitter."""


@dataclass(slots=True)
class Clock:
    """Tells each frame's time in seconds since the first frame."""

    time_base: Fraction
    step_ticks: int
    """A frame's usual length, for frames that say nothing."""
    first_ticks: int | None = None
    _last_ticks: int | None = None
    _shift_ticks: int = 0

    def time_s(self, frame: VideoFrame) -> float:
        """Give the time of the next frame in decoding order."""
        ticks = self._ticks(frame) + self._shift_ticks
        if self._last_ticks is not None and self._seconds(self._last_ticks - ticks) > _JUMP_BACK_S:
            self._shift_ticks += self._last_ticks + self.step_ticks - ticks
            ticks = self._last_ticks + self.step_ticks
        self._last_ticks = ticks
        if self.first_ticks is None:
            self.first_ticks = ticks
        return self._seconds(ticks - self.first_ticks)

    def estimate_s(self, packet: Packet[Stream]) -> float | None:
        """Guess the time that the picture in a packet will have, before it is decoded; None where nothing tells."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None or self.first_ticks is None:
            return None
        return self._seconds(ticks + self._shift_ticks - self.first_ticks)

    def shows_before(self, packet: Packet[Stream], time_s: float) -> bool:
        """Tell whether the picture in a packet is sure to be shown before this time."""
        at_s = None if packet.pts is None else self.estimate_s(packet)
        return at_s is not None and at_s < time_s

    @property
    def step_s(self) -> float:
        """Give how long a frame of the film usually stands."""
        return self._seconds(self.step_ticks)

    def ticks_at(self, time_s: float) -> int:
        """Give the timestamp that a time has in the file, for seeking."""
        return (self.first_ticks or 0) + round(time_s / self.time_base)

    def after_seek(self) -> Clock:
        """Give a clock that starts from the same zero at any place of the film."""
        return Clock(self.time_base, self.step_ticks, self.first_ticks)

    def _ticks(self, frame: VideoFrame) -> int:
        if frame.pts is not None:
            return frame.pts
        if frame.dts is not None:
            return frame.dts
        return 0 if self._last_ticks is None else self._last_ticks - self._shift_ticks + self.step_ticks

    def _seconds(self, ticks: int) -> float:
        return ticks * self.time_base.numerator / self.time_base.denominator
