"""Where "more like this" looks no further: at the very shot that it was asked of. Owns how far that shot reaches; pure.

A shot is like itself, which says nothing of the rest of the film: it is no answer, and its verdict does not count.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.extents import ALIKE, Likeness
from core.likening import LEAST_LOOKS
from core.question import Stretch

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.found import Curve
    from core.question import Example

NEAR_S = 2.0
"""What is that close to the moment that more is wanted like is that moment still."""


def elsewhere(curve: Curve, picture: Example | None) -> Curve:
    """Give a curve that knows which of its looks are where a picture was found, if it was found in that film.

    That is its moment with what is close to it, and from there on all that the film shows in the same shot.
    """
    source = picture.source if picture else None
    if picture is None or source is None or source.video_id != curve.video.id:
        return curve
    start_s, end_s = max(0.0, source.start_s - NEAR_S), source.end_s + NEAR_S
    looks = curve.vectors
    if looks is not None and len(looks) >= LEAST_LOOKS and (likeness := Likeness(looks)).tells:
        alike = looks @ picture.vector >= likeness.cosine(ALIKE)
        first_s, last_s = _reach(curve, alike, source.start_s, source.end_s)
        start_s, end_s = min(start_s, first_s), max(end_s, last_s)
    return replace(curve, source=Stretch(source.video_id, start_s, end_s))


def _reach(curve: Curve, alike: npt.NDArray[np.bool_], start_s: float, end_s: float) -> tuple[float, float]:
    """Give an interval with the looks right before and after it that go on being alike, (N,)."""
    times_s = curve.times_s
    before, after = np.flatnonzero(~alike & (times_s < start_s)), np.flatnonzero(~alike & (times_s >= end_s))
    first = int(before[-1]) + 1 if len(before) else 0
    last_s = float(times_s[after[0]]) if len(after) else max(curve.video.duration_s, float(times_s[-1]) + NEAR_S)
    return min(start_s, *times_s[first : first + 1].tolist()), max(end_s, last_s)
