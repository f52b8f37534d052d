"""Which moments answer a question of several texts: pairs in order, or some of each text. Owns that decision; pure."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from core.errors.asking import NotInOrder
from core.moments import find_moments, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.found import Curve, Moment
    from core.model import Floats

_CANDIDATES = 60
"""Moments of each text in each film that may become part of a pair."""


def ordered(curves: Sequence[Curve], most: int, window_s: float) -> tuple[Moment, ...]:
    """Give at most that many pairs of moments, best first: the first's moment, with what follows it as `then`.

    The second begins after the first began, and at most `window_s` after the first ended. Both stand out among the
    moments of their text. The score is the mean of both. Raises NotInOrder where there is no such pair.
    """
    firsts, seconds = (_standing_out(curves, part) for part in (0, 1))
    by_film = {curve.video.id: curve for curve in curves}
    pairs = [pair for first in firsts if (pair := _pair(by_film[first.video_id], first, seconds, window_s))]
    if not pairs:
        raise NotInOrder(curves[0].lines[0].text, curves[0].lines[1].text, window_s)
    return tuple(sorted(pairs, key=lambda pair: -pair.score)[:most])


def beside(curves: Sequence[Curve], most: int) -> tuple[Moment, ...]:
    """Give the best moment of each text in their order, then the second best of each, and so on; at most that many.

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
    """Give the first moment with the best one that follows it, or None where none does."""
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
    """Give a moment with its best look before a time: what goes on while the second begins still came first."""
    if first.peak_s < time_s:
        return first
    within = np.flatnonzero((curve.times_s >= first.start_s) & (curve.times_s < time_s))
    best = int(within[curve.scores[within].argmax()])
    return replace(first, peak_s=float(curve.times_s[best]), score=float(curve.scores[best]), among=curve.among(best))
