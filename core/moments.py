"""From scores over time to moments. Owns the decision what counts as one hit; pure, knows no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.model import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model import Curve, Floats

HALF_HEIGHT = 0.5
"""A moment reaches as far as the curve keeps this share of the peak's rise over the ground."""
WORTH_SHOWING = 0.4
"""A moment whose rise over the lowest ground is a smaller share of the best moment's is a tail, not a hit."""
_FLAT = 0.02
"""Less than this between the lowest and the highest cosine is noise."""


def baseline(scores: Floats) -> float:
    """Give what is usual for this film and query: the median score."""
    return float(np.median(scores))


def ground(scores: Floats) -> float:
    """Give the level from which rises are measured: the median, or the middle of the range if that is lower.

    A scene may fill half of a film or more; then the median lies within it.
    """
    return min(baseline(scores), (float(scores.min()) + float(scores.max())) / 2)


def find_moments(curve: Curve, most: int) -> list[Moment]:
    """Give at most that many moments of one film, best first; never none.

    Peaks with non-maximum suppression: the highest look makes a moment, which takes its surroundings down to half its
    rise; then the highest of what is left, and so on, as long as it rises above the ground. A film in which hardly
    anything changes is one moment.
    """
    left = curve.scores.astype(np.float64)
    if np.ptp(left) < _FLAT:
        return [_moment(curve, 0, int(left.argmax()), len(left) - 1)]
    floor = ground(curve.scores)
    found: list[Moment] = []
    while len(found) < most:
        peak = int(left.argmax())
        if found and not left[peak] > floor:
            break
        first, last = _reach(left, peak, floor)
        found.append(_moment(curve, first, peak, last))
        left[first : last + 1] = -np.inf
    return found


def rank(films: Iterable[tuple[Curve, list[Moment]]], most: int) -> tuple[Moment, ...]:
    """Merge the moments of several films (at least one), best first, without the irrelevant tail.

    All rises are measured from one ground, so that a film that is all about the query is not its own yardstick.
    """
    known = list(films)
    lowest = min(ground(curve.scores) for curve, _ in known)
    ordered = sorted((moment for _, moments in known for moment in moments), key=lambda moment: -moment.score)
    least = lowest + WORTH_SHOWING * (ordered[0].score - lowest)
    return tuple(moment for moment in ordered if moment.score >= least)[:most]


def _reach(scores: np.ndarray[tuple[int], np.dtype[np.float64]], peak: int, floor: float) -> tuple[int, int]:
    """Give the first and last look of the run around the peak that stays above half height."""
    above = scores >= floor + HALF_HEIGHT * (scores[peak] - floor)
    outside = np.flatnonzero(~above)
    before, after = outside[outside < peak], outside[outside > peak]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(scores) - 1
    return min(first, peak), max(last, peak)


def _moment(curve: Curve, first: int, peak: int, last: int) -> Moment:
    times_s = curve.times_s
    end_s = float(times_s[last + 1]) if last + 1 < len(times_s) else max(curve.video.duration_s, float(times_s[last]))
    return Moment(curve.video.id, float(times_s[first]), end_s, float(times_s[peak]), float(curve.scores[peak]))
