"""The position that a card stands at: the frame shown and the two ends of a cut, in milliseconds.

It is brought back within the video and the limits, whatever a button's id says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.model.actions import Show
    from core.model.results import Moment

LEAST_CUT_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a video; all times in milliseconds since its first frame."""

    at_ms: int
    """Of the frame that is shown."""
    in_ms: int
    """Where the cut [in_ms, out_ms) begins."""
    out_ms: int
    video_ms: int
    most_cut_ms: int
    kept: bool = True
    """Whether the video's file is still there to be cut from."""

    @classmethod
    def of(cls, wish: Show, moment: Moment, duration_s: float, most_cut_s: float, *, kept: bool = True) -> Cursor:
        """Give the place that a button asks for, brought within the video; without times, the moment itself."""
        video_ms = max(LEAST_CUT_MS, round(duration_s * 1000))
        peak_ms = _within(round(moment.peak_s * 1000), 0, video_ms)
        whole = cls(peak_ms, 0, video_ms, video_ms, max(LEAST_CUT_MS, round(most_cut_s * 1000)), kept)
        in_ms = round(moment.start_s * 1000) if wish.in_ms is None else wish.in_ms
        out_ms = round(moment.end_s * 1000) if wish.out_ms is None else wish.out_ms
        at_ms = peak_ms if wish.at_ms is None else _within(wish.at_ms, 0, video_ms)
        return replace(whole._bounded(in_ms, out_ms), at_ms=at_ms)

    @property
    def at_s(self) -> float:
        """Give the time of the frame in seconds."""
        return self.at_ms / 1000

    @property
    def ends_s(self) -> tuple[float, float]:
        """Give the two ends of the cut in seconds."""
        return self.in_ms / 1000, self.out_ms / 1000

    def beside(self, by_ms: int) -> int:
        """Give the time so far from the frame, within the video."""
        return _within(self.at_ms + by_ms, 0, self.video_ms)

    def moved(self, in_by_ms: int, out_by_ms: int) -> Cursor:
        """Give the same place with one end of the cut moved as far as the other end and the limits allow."""
        earliest, latest = max(0, self.out_ms - self.most_cut_ms), self.out_ms - LEAST_CUT_MS
        in_ms = _within(self.in_ms + in_by_ms, earliest, latest)
        earliest, latest = in_ms + LEAST_CUT_MS, min(self.video_ms, in_ms + self.most_cut_ms)
        return replace(self, in_ms=in_ms, out_ms=_within(self.out_ms + out_by_ms, earliest, latest))

    def _bounded(self, in_ms: int, out_ms: int) -> Cursor:
        """Take two ends as near as may be; a cut that is too long is shortened around the frame."""
        in_ms = _within(in_ms, 0, self.video_ms - LEAST_CUT_MS)
        out_ms = _within(out_ms, in_ms + LEAST_CUT_MS, self.video_ms)
        if out_ms - in_ms > self.most_cut_ms:
            in_ms = _within(self.at_ms - self.most_cut_ms // 2, in_ms, out_ms - self.most_cut_ms)
            out_ms = in_ms + self.most_cut_ms
        return replace(self, in_ms=in_ms, out_ms=out_ms)


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
