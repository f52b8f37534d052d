"""From scores over time to moments. Owns the decision what counts as one hit; pure, knows no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.extents import Likeness, reach, smoothed
from core.found import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from core.found import Curve
    from core.model import Floats

WORTH_SHOWING = 0.4
"""A moment whose rise over the lowest ground is a smaller share of the best moment's is a tail, not a hit."""
_FLAT = 0.02
"""Less than this between the lowest and the highest cosine is noise."""
_GAP_S = 2.0
_GAP_LOOKS = 1
"""Hits of one shot that lie no further apart than one of these are one moment."""


class Hit(NamedTuple):
    """A moment as numbers of looks."""

    first: int
    peak: int
    last: int


def baseline(scores: Floats) -> float:
    """Give what is usual for this film and query: the median score."""
    return float(np.median(scores))


def ground(scores: Floats) -> float:
    """Give the level from which rises are measured: the median, or the middle of the range if that is lower.

    A scene may fill half of a film or more; then the median lies within it.
    """
    return min(baseline(scores), (float(scores.min()) + float(scores.max())) / 2)


def find_moments(curve: Curve, most: int) -> list[Moment]:
    """Give at most that many moments of one film, best first; never none, unless no look may be an answer.

    Peaks with non-maximum suppression: the highest look makes a moment, which takes its surroundings; then the highest
    of what is left, and so on, as long as it rises above the ground. Peaks are raw; how far they reach is told from the
    smoothed curve (core/extents.py). Moments close to each other that show the same shot are one. A film in which
    hardly anything changes is one moment.
    """
    counts = curve.counts
    if not counts.any():
        return []
    left = np.where(counts, curve.scores.astype(np.float64), -np.inf)
    if np.ptp(curve.scores[counts]) < _FLAT:
        return [_moment(curve, Hit(*_around(counts, curve.best)))]
    likeness = _likeness(curve)
    floor, smooth = ground(curve.scores[counts]), smoothed(curve.scores, likeness)
    hits: list[Hit] = []
    while len(hits) < most:
        peak = int(left.argmax())
        if hits and not left[peak] > floor:
            break
        first, last = reach(smooth, np.isfinite(left), peak, float(left[peak]), floor)
        hits = _joined(curve, likeness, hits, Hit(first, peak, last))
        for hit in hits:
            left[hit.first : hit.last + 1] = -np.inf
    return [_moment(curve, hit) for hit in hits]


def rank(films: Iterable[tuple[Curve, list[Moment]]], most: int) -> tuple[Moment, ...]:
    """Merge the moments of several films (at least one), best first, without the irrelevant tail.

    All rises are measured from one ground, so that a film that is all about the query is not its own yardstick.
    """
    known = list(films)
    lowest = min(ground(curve.scores) for curve, _ in known)
    ordered = sorted((moment for _, moments in known for moment in moments), key=lambda moment: -moment.score)
    least = lowest + WORTH_SHOWING * (ordered[0].score - lowest)
    return tuple(moment for moment in ordered if moment.score >= least)[:most]


def by_film(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """Put the best moment of each film first, then the others; each in the order that they come in.

    Who searches a whole library wants to know first which films show it.
    """
    first = {moment.video_id: moment for moment in reversed(moments)}
    leading = [moment for moment in moments if first[moment.video_id] is moment]
    return (*leading, *(moment for moment in moments if first[moment.video_id] is not moment))


def _joined(curve: Curve, likeness: Likeness | None, hits: list[Hit], new: Hit) -> list[Hit]:
    """Add a hit, or let the hit that shows the same shot close by reach over it; that one's peak is the higher."""
    for number, known in enumerate(hits):
        if likeness and _close(curve, known, new) and _same_shot(likeness, known, new):
            joined = Hit(min(known.first, new.first), known.peak, max(known.last, new.last))
            apart = not curve.counts[joined.first : joined.last + 1].all()
            if not apart and not any(joined.first < hit.peak < joined.last for hit in hits if hit is not known):
                return [*hits[:number], joined, *hits[number + 1 :]]
    return [*hits, new]


def _close(curve: Curve, one: Hit, other: Hit) -> bool:
    earlier, later = sorted((one, other), key=lambda hit: hit.first)
    looks = later.first - earlier.last - 1
    return looks <= _GAP_LOOKS or float(curve.times_s[later.first] - curve.times_s[earlier.last]) <= _GAP_S


def _same_shot(likeness: Likeness, one: Hit, other: Hit) -> bool:
    return bool(likeness.same_shot(np.array([one.peak]), np.array([other.peak]))[0])


def _around(counts: npt.NDArray[np.bool_], peak: int) -> tuple[int, int, int]:
    """Give the first of the looks around a peak that count, the peak itself and the last of them."""
    others = np.flatnonzero(~counts)
    before, after = others[others < peak], others[others > peak]
    return (int(before[-1]) + 1 if len(before) else 0), peak, (int(after[0]) if len(after) else len(counts)) - 1


def _likeness(curve: Curve) -> Likeness | None:
    vectors = curve.vectors
    return Likeness(vectors) if vectors is not None and len(vectors) == len(curve.scores) else None


def _moment(curve: Curve, hit: Hit) -> Moment:
    times_s, last = curve.times_s, hit.last
    end_s = float(times_s[last + 1]) if last + 1 < len(times_s) else max(curve.video.duration_s, float(times_s[last]))
    peak_s, score = float(times_s[hit.peak]), float(curve.scores[hit.peak])
    return Moment(curve.video.id, float(times_s[hit.first]), end_s, peak_s, score, among=curve.among(hit.peak))
