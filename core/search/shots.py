"""How far a shot reaches around a frame, and how far a moment reaches around its peak. Pure.

"More like this" leaves out the shot that it was asked of. `python -m bench.levers` measures reaches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from core.model.query import Stretch

if TYPE_CHECKING:
    from core.model.query import Example
    from core.model.results import Curve
    from core.model.video import Floats, Seconds

NEAR_S = 2.0
"""What is that close to the moment that more is wanted like is that moment still."""


def elsewhere(curve: Curve, picture: Example | None) -> Curve:
    """Return a curve that knows which of its frames are where a picture was found, if it was found in that video.

    That is its moment with what is close to it, and from there on all that the video shows in the same shot.
    """
    source = picture.source if picture else None
    if picture is None or source is None or source.video_id != curve.video.id:
        return curve
    start_s, end_s = max(0.0, source.start_s - NEAR_S), source.end_s + NEAR_S
    frames = curve.vectors
    if frames is not None and len(frames) >= LEAST_FRAMES and (likeness := Likeness(frames)).tells:
        alike = frames @ picture.vector >= likeness.cosine(ALIKE)
        first_s, last_s = _reach(curve, alike, source.start_s, source.end_s)
        start_s, end_s = min(start_s, first_s), max(end_s, last_s)
    return replace(curve, source=Stretch(source.video_id, start_s, end_s))


def _reach(curve: Curve, alike: npt.NDArray[np.bool_], start_s: float, end_s: float) -> tuple[float, float]:
    """Return an interval with the frames right before and after it that go on being alike, (N,)."""
    times_s = curve.times_s
    before, after = np.flatnonzero(~alike & (times_s < start_s)), np.flatnonzero(~alike & (times_s >= end_s))
    first = int(before[-1]) + 1 if len(before) else 0
    last_s = float(times_s[after[0]]) if len(after) else max(curve.video.duration_s, float(times_s[-1]) + NEAR_S)
    return min(start_s, *times_s[first : first + 1].tolist()), max(end_s, last_s)


Scores: TypeAlias = npt.NDArray[np.float64]
"""(N,) float64; a frame that is taken already has minus infinity."""
Numbers: TypeAlias = npt.NDArray[np.int64]
"""(n,) numbers of frames."""
ALIKE = 0.7
"""Two frames of one shot are that much alike at least, on the video's own scale."""
_SAMPLED = 256
_SLIP = 0.1
"""Less than this share of the curve's range is not worth asking whether a frame shows another shot."""
_LEAST_SPREAD = 0.02
"""Where neighbours are hardly more alike than frames far apart, the scale says nothing."""
_ROUNDS = 4
_LEAST_FLANK = 3


class Likeness:
    """How alike the frames of one video are, on a scale of its own: frames far apart are 0, neighbours are 1."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors
        some = np.linspace(0, max(0, len(vectors) - 2), min(len(vectors), _SAMPLED)).astype(int)
        beside = np.minimum(some + 1, len(vectors) - 1)
        self._near = float(np.median(self._cosines(some, beside)))
        self._far = float(np.median(self._cosines(some, np.roll(some, len(some) // 2))))

    @property
    def tells(self) -> bool:
        """Whether neighbours are so much more alike than frames far apart that this scale says anything."""
        return self._near - self._far >= _LEAST_SPREAD

    def cosine(self, share: float) -> float:
        """Return the cosine of two frames that are so much alike on this scale."""
        return self._far + share * (self._near - self._far)

    def same_shot(self, one: Numbers, other: Numbers) -> npt.NDArray[np.bool_]:
        """Tell of pairs of frames (by their numbers) whether they show the same shot."""
        if not self.tells:
            return np.ones(len(one), np.bool_)
        return np.asarray((self._cosines(one, other) - self._far) / (self._near - self._far) >= ALIKE)

    def _cosines(self, one: Numbers, other: Numbers) -> Floats:
        cosines: Floats = np.einsum("ij,ij->i", self._vectors[one], self._vectors[other])
        return cosines


def shot_span(times_s: Seconds, vectors: Floats, at: int, likeness: Likeness) -> tuple[int, int]:
    """Return the first and last frame of the shot that a frame belongs to.

    `vectors` are (N, D) float32 unit vectors at rising times (N,). A shot ends where the next frame is like neither its
    neighbour nor the frame that is asked about: a fast pan changes the one, a slow one the other.
    """
    if not likeness.tells:
        return 0, len(times_s) - 1
    least = likeness.cosine(ALIKE)
    beside = np.einsum("ij,ij->i", vectors[:-1], vectors[1:]) >= least
    alike = vectors @ vectors[at] >= least
    cuts = np.flatnonzero(~beside & ~(alike[:-1] & alike[1:]))
    before, after = cuts[cuts < at], cuts[cuts >= at]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) if len(after) else len(times_s) - 1)


def smoothed(scores: Floats, likeness: Likeness | None = None) -> Scores:
    """Return the median of each frame and its two neighbours: a frame that is off by itself counts no more, edges stay.

    Where it is known that a frame shows another shot than its neighbours, it is no slip, and counts as it is.
    """
    raw = scores.astype(np.float64)
    padded = np.pad(raw, 1, mode="edge")
    middle: Scores = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    if likeness is not None:
        off = np.flatnonzero(np.abs(middle - raw) > _SLIP * np.ptp(raw))
        steady = likeness.same_shot(np.maximum(off - 1, 0), off)
        steady &= likeness.same_shot(off, np.minimum(off + 1, len(raw) - 1))
        middle[off[~steady]] = raw[off[~steady]]
    return middle


def reach(smooth: Scores, free: npt.NDArray[np.bool_], peak: int, height: float, floor: float) -> tuple[int, int]:
    """Return the first and last frame of the hit around a peak: those nearer to its inside than to what is beside it.

    It begins as the run above the middle between the peak's height and the floor. The mean inside less the mean of the
    flanks, each as wide as the run, then gives a better middle, and so on until the run stays.
    """
    inside, outside = height, floor
    first = last = peak
    for _ in range(_ROUNDS):
        found = _run(free & (smooth >= (inside + outside) / 2), peak)
        if found == (first, last):
            break
        first, last = found
        inside = float(smooth[first : last + 1].mean())
        outside = min(_beside(smooth, first, last, floor), inside)
    return first, last


def _run(above: npt.NDArray[np.bool_], peak: int) -> tuple[int, int]:
    outside = np.flatnonzero(~above)
    before, after = outside[outside < peak], outside[outside > peak]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(above) - 1
    return first, last


def _beside(smooth: Scores, first: int, last: int, floor: float) -> float:
    wide = max(_LEAST_FLANK, last - first + 1)
    flanks = np.concatenate([smooth[max(0, first - wide) : first], smooth[last + 1 : last + 1 + wide]])
    return float(flanks.mean()) if len(flanks) else floor


LEAST_FRAMES = 8
"""Of a video with fewer nothing is known of how alike its shots are."""
