"""Where between two looks of the index the best frame may lie, and which of some further looks counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.closer import SAME_SCORE

if TYPE_CHECKING:
    from core.found import Curve, Moment
    from core.model import Seconds

EVERY_S = 0.2
"""Between two further looks, so that what is found is at most half of that away from the best."""
MOST_LOOKS = 12
"""For one moment; where looks lie further apart than usual, the further ones do so too."""
WORTH_A_LOOK = 0.25
"""Where the looks beside a peak are that close to it, there is nothing to be found between them; as odds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The open interval (start_s, end_s) around a peak in which nothing has been looked at but the peak."""

    start_s: float
    peak_s: float
    end_s: float

    def times_s(self) -> list[float]:
        """Give where to look, rising; the peak is among them, so that the looks can be compared with it."""
        step_s = max(EVERY_S, (self.end_s - self.start_s) / MOST_LOOKS)
        before = np.arange(self.peak_s - step_s, self.start_s + 1e-6, -step_s)[::-1]
        after = np.arange(self.peak_s + step_s, self.end_s - 1e-6, step_s)
        return [max(0.0, float(time_s)) for time_s in (*before, self.peak_s, *after)]


def gap(curve: Curve, moment: Moment, logit_scale: float) -> Gap | None:
    """Give what lies around a moment's peak, or None where no look between could find more."""
    times_s, scores = curve.times_s, curve.scores
    at = int(np.abs(times_s - moment.peak_s).argmin())
    start_s = float(times_s[at - 1]) if at else float(times_s[0])
    end_s = float(times_s[at + 1]) if at + 1 < len(times_s) else max(curve.video.duration_s, float(times_s[-1]))
    beside = scores[max(0, at - 1) : at + 2]
    drop = float(scores[at] - beside.min())
    if logit_scale * drop < WORTH_A_LOOK or abs(float(times_s[at]) - moment.peak_s) > EVERY_S / 2:
        return None
    return Gap(start_s, float(times_s[at]), end_s)


def sharpened(moment: Moment, times_s: Seconds, curve: Curve) -> Moment:
    """Give the moment with the best of further looks as its peak, or as it is where they do not fit to it."""
    again = np.abs(times_s - moment.peak_s)
    if again.min() > 1e-3 or abs(float(curve.scores[int(again.argmin())]) - moment.score) > SAME_SCORE:
        return moment
    best = int(curve.scores.argmax())
    peak_s, score = float(times_s[best]), float(curve.scores[best])
    if score <= moment.score:
        return moment
    return replace(moment, start_s=min(moment.start_s, peak_s), peak_s=peak_s, score=score)


def ends(pair: Moment, then: Moment) -> tuple[Moment, Moment]:
    """Give the two moments of a pair as they are by themselves: each with its own score."""
    return replace(pair, score=2 * pair.score - then.score, then=None), then


def paired(first: Moment, then: Moment) -> Moment:
    """Give two moments as a pair, whose score is the mean of both."""
    return replace(first, score=(first.score + then.score) / 2, then=then)
