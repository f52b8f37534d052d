"""Which stretches of a similarity curve are moments, and which moments answer each form of query. Pure."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple, assert_never

import numpy as np

from core.errors import NothingElse, NotInOrder
from core.model.results import Moment
from core.search.shots import Likeness, reach, smoothed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from core.model.query import Query
    from core.model.results import Curve
    from core.model.video import Floats


def chosen(curves: Sequence[Curve], query: Query, most: int) -> tuple[Moment, ...]:
    """Return the moments of at least one video, best first; at most that many, but one for each text side by side.

    Raises NotInOrder, NothingElse.
    """
    others = [curve for curve in curves if curve.counts.any()]
    if not others:
        raise NothingElse
    asked = query.asked
    match asked.form:
        case "one":
            found = [(curve, find_moments(curve, most)) for curve in others]
            if not (ranked := by_video(rank(found, most * len(found)))[:most]):
                raise NothingElse
            return ranked
        case "sequence":
            return ordered(others, most, asked.window_s)
        case "comparison":
            return beside(others, most)
        case _:
            assert_never(asked.form)


def shown_first(moments: Sequence[Moment], videos: Mapping[str, Curve]) -> tuple[Moment, ...]:
    """Put the moments of videos that probably do not show it behind the others; else the order stays.

    What is a high score in one video is none in another.
    """
    return tuple(sorted(moments, key=lambda moment: videos[moment.video_id].verdict == "absent"))


WORTH_SHOWING = 0.4
"""A moment whose rise over the lowest ground is a smaller share of the best moment's is a tail, not a hit."""
_FLAT = 0.02
"""Less than this between the lowest and the highest cosine is noise."""
_GAP_S = 2.0
_GAP_FRAMES = 1
"""Hits of one shot that lie no further apart than one of these are one moment."""


class Hit(NamedTuple):
    """A moment as numbers of frames."""

    first: int
    peak: int
    last: int


def baseline(scores: Floats) -> float:
    """Return what is usual for this video and query: the median score."""
    return float(np.median(scores))


def ground(scores: Floats) -> float:
    """Return the level from which rises are measured: the median, or the middle of the range if that is lower.

    A scene may fill half of a video or more; then the median lies within it.
    """
    return min(baseline(scores), (float(scores.min()) + float(scores.max())) / 2)


def find_moments(curve: Curve, most: int) -> list[Moment]:
    """Return at most that many moments of one video, best first; never none, unless no frame may be an answer.

    Peaks with non-maximum suppression: the highest frame makes a moment, which takes its surroundings; then the highest
    of what is left, and so on, as long as it rises above the ground. Peaks are raw; how far they reach is told from the
    smoothed curve (core/search/shots.py). Moments close to each other that show the same shot are one. A video in which
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


def rank(videos: Iterable[tuple[Curve, list[Moment]]], most: int) -> tuple[Moment, ...]:
    """Merge the moments of several videos (at least one), best first, without the irrelevant tail.

    All rises are measured from one ground, so that a video that is all about the query is not its own yardstick.
    """
    known = list(videos)
    lowest = min(ground(curve.scores) for curve, _ in known)
    ordered = sorted((moment for _, moments in known for moment in moments), key=lambda moment: -moment.score)
    least = lowest + WORTH_SHOWING * (ordered[0].score - lowest)
    return tuple(moment for moment in ordered if moment.score >= least)[:most]


def by_video(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """Put the best moment of each video first, then the others; each in the order that they come in.

    Who searches a whole library wants to know first which videos show it.
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
    frames = later.first - earlier.last - 1
    return frames <= _GAP_FRAMES or float(curve.times_s[later.first] - curve.times_s[earlier.last]) <= _GAP_S


def _same_shot(likeness: Likeness, one: Hit, other: Hit) -> bool:
    return bool(likeness.same_shot(np.array([one.peak]), np.array([other.peak]))[0])


def _around(counts: npt.NDArray[np.bool_], peak: int) -> tuple[int, int, int]:
    """Return the first of the frames around a peak that count, the peak itself and the last of them."""
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


_CANDIDATES = 60
"""Moments of each text in each video that may become part of a pair."""


def ordered(curves: Sequence[Curve], most: int, window_s: float) -> tuple[Moment, ...]:
    """Return at most that many pairs of moments, best first: the first's moment, with what follows it as `then`.

    The second begins after the first began, and at most `window_s` after the first ended. Both stand out among the
    moments of their text. The score is the mean of both. Raises NotInOrder where there is no such pair.
    """
    firsts, seconds = (_standing_out(curves, part) for part in (0, 1))
    by_video = {curve.video.id: curve for curve in curves}
    pairs = [pair for first in firsts if (pair := _pair(by_video[first.video_id], first, seconds, window_s))]
    if not pairs:
        raise NotInOrder(curves[0].lines[0].text, curves[0].lines[1].text, window_s)
    return tuple(sorted(pairs, key=lambda pair: -pair.score)[:most])


def beside(curves: Sequence[Curve], most: int) -> tuple[Moment, ...]:
    """Return the best moment of each text in their order, then the second best of each, and so on; at most that many.

    Each text has one at least, however many there are.
    """
    parts = range(len(curves[0].lines))
    columns = [_ranked([curve.of(part) for curve in curves], part, most) for part in parts]
    rows = [[moment for moment in row if moment] for row in zip_longest(*columns)]
    return tuple(moment for row in rows for moment in row)[: max(most, len(columns))]


def probabilities(among: Sequence[float], logit_scale: float) -> Floats:
    """Return softmax(logit_scale * cosine) of one frame's similarity to each of several texts, as (T,) float32.

    Radford et al. 2021, section 3.1.2: how CLIP chooses among texts.
    """
    scores = np.array(among, np.float64)
    powers = np.exp(logit_scale * (scores - scores.max()))
    shares: Floats = (powers / powers.sum()).astype(np.float32)
    return shares


def _ranked(curves: Sequence[Curve], part: int, most: int) -> tuple[Moment, ...]:
    moments = rank([(curve, find_moments(curve, most)) for curve in curves], most)
    return tuple(replace(moment, part=part) for moment in moments)


def _standing_out(curves: Sequence[Curve], part: int) -> tuple[Moment, ...]:
    return _ranked([curve.of(part) for curve in curves], part, _CANDIDATES)


def _pair(curve: Curve, first: Moment, seconds: Sequence[Moment], window_s: float) -> Moment | None:
    """Return the first moment with the best one that follows it, or None where none does."""
    following = [
        second
        for second in seconds
        if second.video_id == first.video_id
        and first.start_s < second.start_s <= first.end_s + window_s
        and second.peak_s > first.start_s
    ]
    if not following:
        return None
    second = max(following, key=lambda moment: moment.score)
    earlier = _before(curve.of(0), first, second.peak_s)
    return replace(earlier, score=(earlier.score + second.score) / 2, then=second)


def _before(curve: Curve, first: Moment, time_s: float) -> Moment:
    """Return a moment with its best frame before a time: what goes on while the second begins still came first."""
    if first.peak_s < time_s:
        return first
    within = np.flatnonzero((curve.times_s >= first.start_s) & (curve.times_s < time_s))
    best = int(within[curve.scores[within].argmax()])
    return replace(first, peak_s=float(curve.times_s[best]), score=float(curve.scores[best]), among=curve.among(best))
