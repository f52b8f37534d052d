"""Where between two looks of the index the best frame may lie, and which of some further looks counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.closer import SAME_SCORE
from core.extents import shot_span

if TYPE_CHECKING:
    from core.extents import Likeness
    from core.found import Curve, Moment
    from core.model import FrameIndex

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


def sharpened(moment: Moment, curve: Curve, likeness: Likeness | None) -> Moment:
    """Return the moment with the best of further looks as its peak, or as it is where they do not fit to it.

    A better frame beyond a cut belongs to another moment; what tells shots apart is None where nothing does.
    """
    again = curve.exactly_at(moment.peak_s)
    if again is None or abs(float(curve.scores[again]) - moment.score) > SAME_SCORE:
        return moment
    first, last = 0, len(curve.times_s) - 1
    if likeness is not None and curve.vectors is not None:
        first, last = shot_span(curve.times_s, curve.vectors, again, likeness)
    best = first + int(curve.scores[first : last + 1].argmax())
    peak_s, score = float(curve.times_s[best]), float(curve.scores[best])
    if score <= moment.score:
        return moment
    return replace(moment, start_s=min(moment.start_s, peak_s), peak_s=peak_s, score=score, among=curve.among(best))


class Cuts(NamedTuple):
    """Where the cuts lie that a moment reaches to: each after the one time, and at the other at the latest."""

    before: tuple[float, float] | None
    """Where its shot begins; None where the moment begins later than that."""
    after: tuple[float, float] | None
    """Where its shot ends; None where the moment ends earlier than that."""


def cuts_around(moment: Moment, frames: FrameIndex, likeness: Likeness) -> Cuts:
    """Return the cuts on both sides of a moment's peak, as far as the moment reaches to them.

    `frames` are all that are known of the film: those of the index, and those that were looked at later.
    """
    times_s = frames.times_s
    first, last = shot_span(times_s, frames.vectors, frames.nearest(moment.peak_s), likeness)
    begins = first > 0 and moment.start_s <= times_s[first]
    ends = last + 1 < len(times_s) and moment.end_s > times_s[last]
    return Cuts(
        (float(times_s[first - 1]), float(times_s[first])) if begins else None,
        (float(times_s[last]), float(times_s[last + 1])) if ends else None,
    )


def alone(moment: Moment) -> tuple[Moment, ...]:
    """Return the moments that a moment stands for, each with its own score: itself, or both of a pair."""
    return ends(moment, moment.then) if moment.then else (moment,)


def ends(pair: Moment, then: Moment) -> tuple[Moment, Moment]:
    """Give the two moments of a pair as they are by themselves: each with its own score."""
    return replace(pair, score=2 * pair.score - then.score, then=None), then


def paired(first: Moment, then: Moment) -> Moment:
    """Give two moments as a pair, whose score is the mean of both."""
    return replace(first, score=(first.score + then.score) / 2, then=then)
