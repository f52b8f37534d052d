"""The times at which a video is sampled. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.model.video import Sampling

_SLACK_S = 1e-6
"""Times are fractions turned into floats: a frame this little before a grid time is on it."""
_DENSEST_S = 1e-3
"""No grid is denser, whatever length a file claims."""


def interval_s(duration_s: float, sampling: Sampling) -> float:
    """Give the seconds between two looks: shorter than usual where the video would get too few of them."""
    if duration_s <= 0 or sampling.min_looks <= 0:
        return sampling.interval_s
    return min(sampling.interval_s, max(_DENSEST_S, duration_s / sampling.min_looks))


def expected_frames(duration_s: float, sampling: Sampling) -> int:
    """Count the grid times in [0, duration_s): how many looks a video without gaps gets, at least one."""
    return max(1, math.ceil((duration_s - _SLACK_S) / interval_s(duration_s, sampling)))


def keyframe_gap_s(duration_s: float, sampling: Sampling) -> float:
    """Give how far apart keyframes may stand for a video to be looked at in them alone; 0 for never.

    A video so short that this would leave it with fewer than its least number of looks is looked at in full.
    """
    gap_s = sampling.keyframe_gap * sampling.interval_s
    return gap_s if gap_s > 0 and duration_s >= gap_s * sampling.min_looks else 0.0


@dataclass(slots=True)
class SamplingGrid:
    """Picks frames one by one: each that is the first at or after the next grid time."""

    duration_s: float
    sampling: Sampling
    _next_s: float = 0.0

    @property
    def next_s(self) -> float:
        """Give the next grid time."""
        return self._next_s

    def wants(self, time_s: float, early_s: float = 0.0) -> bool:
        """Tell whether the frame at this time is a look, and move on when it is.

        A frame that comes up to `early_s` before a grid time stands for it. The times of the frames that are wanted
        rise strictly, whatever the frames' order.
        """
        if not self.due(time_s, early_s):
            return False
        step_s = self._step_s(time_s)
        self._next_s = (math.floor((time_s + _SLACK_S) / step_s) + 1) * step_s
        return True

    def due(self, time_s: float, early_s: float = 0.0) -> bool:
        """Tell whether a frame at this time would be a look, without moving on."""
        return time_s + early_s + _SLACK_S >= self._next_s

    def is_last(self, time_s: float, look_s: float) -> bool:
        """Tell whether a time that comes before the last look's lies in the same step."""
        return time_s < look_s and self._next_s - self._step_s(time_s) <= time_s + _SLACK_S < self._next_s

    def _step_s(self, time_s: float) -> float:
        """Give the interval; past the end that the file declares, a short video's dense grid makes no sense."""
        if time_s > self.duration_s:
            return self.sampling.interval_s
        return interval_s(self.duration_s, self.sampling)
