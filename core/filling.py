"""A curve with a value for each second, where the looks lie further apart. Owns that arithmetic; pure.

For showing alone: moments and verdicts are told from the looks themselves (core/moments.py).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.sharpening import alone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.found import Curve, Moment
    from core.model import Floats, Seconds

EACH_S = 1.0
_SLACK = 0.1
"""Looks lie on frames, so two of one second may be a little more than a second apart."""
_SAME_S = 1e-3


def each_second(curve: Curve, moments: Iterable[Moment] = ()) -> Curve:
    """Give the curve with values at most a second apart, from its first look to its film's end.

    Between two looks it is the straight line from one to the other, so that no value lies above both or below both;
    after the last look its value stays, for as long as looks may lie apart. The curve also goes through the peaks of
    moments that were looked at later. Without its looks' vectors, which are none of such values.
    """
    peaks = [_peaks(curve, moments, part) for part in range(max(1, len(curve.lines)))]
    times_s = np.unique(np.concatenate([_times(curve), *(np.array([*some], np.float64) for some in peaks)]))
    scores = [line.scores for line in curve.lines] or [curve.scores]
    filled = [_line(curve.times_s, one, some, times_s) for one, some in zip(scores, peaks, strict=True)]
    shown = next((new for old, new in zip(scores, filled, strict=True) if old is curve.scores), filled[0])
    lines = tuple(replace(line, scores=one) for line, one in zip(curve.lines, filled, strict=False))
    return replace(curve, times_s=times_s, scores=shown, lines=lines, vectors=None)


def _times(curve: Curve) -> Seconds:
    """Give the times of the looks and those between them."""
    looks = curve.times_s
    apart_s = float(np.diff(looks).max()) if len(looks) > 1 else EACH_S
    end_s = min(curve.video.duration_s, float(looks[-1]) + apart_s)
    after = np.arange(float(looks[-1]) + EACH_S, end_s, EACH_S)
    wide = np.flatnonzero(np.diff(looks) > EACH_S * (1 + _SLACK))
    between = [time_s for at in wide for time_s in _between(float(looks[at]), float(looks[at + 1]))]
    return np.concatenate([looks, np.array(between, np.float64), after])


def _between(start_s: float, end_s: float) -> Iterator[float]:
    """Give times within an interval that part it evenly into pieces of a second or a little more or less."""
    pieces = math.ceil((end_s - start_s) / EACH_S - _SLACK)
    return (start_s + (end_s - start_s) * piece / pieces for piece in range(1, pieces))


def _peaks(curve: Curve, moments: Iterable[Moment], part: int) -> dict[float, float]:
    """Return time and score of the peaks for a text; those of the looks are at their very times.

    Of texts side by side each has its own score at each peak: the nearest look may lie beyond a cut.
    """
    return {
        _at(curve, one.peak_s): one.among[part] if part < len(one.among) else one.score
        for moment in moments
        for one in alone(moment)
        if one.video_id == curve.video.id and (one.part == part or part < len(one.among))
    }


def _at(curve: Curve, time_s: float) -> float:
    """Give the time of the look that lies there, or else that time."""
    look_s = float(curve.times_s[curve.at(time_s)])
    return look_s if abs(look_s - time_s) <= _SAME_S else time_s


def _line(looks_s: Seconds, scores: Floats, peaks: dict[float, float], times_s: Seconds) -> Floats:
    known = {**dict(zip(looks_s.tolist(), scores.tolist(), strict=True)), **peaks}
    known_s = sorted(known)
    values: Floats = np.interp(times_s, known_s, [known[time_s] for time_s in known_s]).astype(np.float32)
    return values
