"""Searches a video's best frame between the sampled ones: where it may lie, which further frame counts, where cuts lie.

The best places are decoded first, within a budget of time. The numbers were chosen on synthetic videos and hold on
others (bench/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.model.answer import ASIDE_S
from core.model.results import SAME_FRAME_S, Moment
from core.model.video import FrameIndex
from core.refinement.close_up import SAME_SCORE
from core.refinement.extra_frames import unknown
from core.search.moments import find_moments
from core.search.shots import shot_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.model.query import Query
    from core.model.results import Curve
    from core.model.video import Floats
    from core.refinement.extra_frames import ExtraFrames
    from core.search.shots import Likeness

EVERY_S = 0.125
"""Between two frames in a place; in a longer place they lie further apart."""
CLOSELY_S = 0.04
"""Between two frames around one of the best: hardly a video has more frames that differ."""
COARSELY = 70
"""Frames that the best places get together."""
CLOSE = 5
"""Around so many of the best frames all frames are decoded."""
_MOST_FRAMES = 16
_TOLD = 8
_BETTER = 1e-4
"""Less is the rounding of vectors as they are kept."""
STILL = 0.995
"""Two frames that are so much alike (cosine) show the same: of still pictures coded by x264 at CRF 18 to 28 all were
(0.9989 at least), of the demo video's frames, half a second apart, a tenth reaches 0.988."""
TREMBLE = 0.006
"""So far coding lifts a score in such a shot: 99 % of gains over the first frame are less at CRF 23, 9 of 10 at 28."""


class BestFrame(NamedTuple):
    """A frame and its score."""

    time_s: float
    score: float
    frames: FrameIndex | None = None
    """All frames that were decoded on the way to it."""


@dataclass(frozen=True, slots=True)
class PeakPlace:
    """The interval [start_s, end_s) from one frame to the next."""

    start_s: float
    end_s: float
    score: float
    """Of the frame at its start."""

    @property
    def step_s(self) -> float:
        """Return how far apart its frames lie."""
        return max(EVERY_S, (self.end_s - self.start_s) / _MOST_FRAMES)

    def times_s(self) -> list[float]:
        """Return where to look, rising; first at the start, so that the score there can be compared."""
        return [float(time_s) for time_s in np.arange(self.start_s, self.end_s - SAME_FRAME_S, self.step_s)]

    def holds(self, time_s: float) -> bool:
        """Tell whether a frame lies in it."""
        return self.start_s - SAME_FRAME_S <= time_s < self.end_s - SAME_FRAME_S


def places(curve: Curve) -> list[PeakPlace]:
    """Return the places beside the best frames, the most promising first; none that reaches where more is wanted like.

    A frame that repeats the one before has its very score: nothing has changed between them, and there is no place.
    """
    frames_s, scores = curve.times_s, curve.scores
    apart_s = float(np.diff(frames_s).max()) if len(frames_s) > 1 else 1.0
    ends_s = np.append(frames_s[1:], min(max(curve.video.duration_s, frames_s[-1]), frames_s[-1] + apart_s))
    ends = np.append(scores[1:], -np.inf)
    higher, lower = np.maximum(scores, ends), np.minimum(scores, ends)
    there = (scores != ends) & (ends_s - frames_s > CLOSELY_S)
    if curve.source is not None:
        there &= (ends_s <= curve.source.start_s) | (frames_s >= curve.source.end_s)
    order = [int(at) for at in np.lexsort((-lower, -higher)) if there[at]]
    return [PeakPlace(float(frames_s[at]), float(ends_s[at]), float(scores[at])) for at in order]


def enough(places: Sequence[PeakPlace]) -> list[PeakPlace]:
    """Return the first places, as many as are worth looking at."""
    frames = np.cumsum([len(place.times_s()) for place in places])
    return list(places[: 1 + int(np.searchsorted(frames, COARSELY))])


def close_by(known: Mapping[float, float], step_s: Mapping[float, float], most: int) -> list[float]:
    """Return the times around the best of some frames (scores by time) up to the frames beside them, rising."""
    best = sorted(known, key=lambda time_s: -known[time_s])[:most]
    around = {
        round(time_s + side * steps * CLOSELY_S, 6)
        for time_s in best
        for side in (-1, 1)
        for steps in range(1, 1 + int((step_s[time_s] + SAME_FRAME_S) / CLOSELY_S))
    }
    return sorted(time_s for time_s in around if time_s > 0)


def worth_showing(known: Moment, refined: Moment, logit_scale: float, clearly: float) -> bool:
    """Tell whether a frame is to be shown in the place of another: it is better, and clearly so, or another to people.

    `clearly` are odds.
    """
    gain, aside_s = refined.score - known.score, abs(refined.peak_s - known.peak_s)
    return logit_scale * gain >= clearly or (gain > _BETTER and aside_s > ASIDE_S)


def same_picture(known: Floats, other: Floats, gain: float) -> bool:
    """Tell whether a frame (D,) shows what a known one does, and scores higher only as coding makes stills tremble."""
    return gain < TREMBLE and float(known @ other) >= STILL


def led(moments: Sequence[Moment], curve: Curve, found: BestFrame) -> tuple[Moment, ...]:
    """Return the moments (of one text) with the one that holds the best frame first; at most as many as before.

    Where none of them holds it, a moment is told from the curve as if the sampled frame before it had its score.
    """
    if found.score <= moments[0].score + _BETTER:
        return tuple(moments)
    holding = next((one for one in moments if _holds(one, curve.video.id, found.time_s)), None)
    first = replace(holding or _around(curve, found), peak_s=found.time_s, score=found.score)
    others = (one for one in moments if one is not holding and not _holds(first, one.video_id, one.peak_s))
    return (first, *others)[: len(moments)]


def _holds(moment: Moment, video_id: str, time_s: float) -> bool:
    return moment.video_id == video_id and moment.start_s <= time_s < moment.end_s


def _around(curve: Curve, found: BestFrame) -> Moment:
    """Tell a moment from the curve as if the sampled frame before it had its score; else it ends with that frame."""
    scores, at = curve.scores.copy(), max(0, int(np.searchsorted(curve.times_s, found.time_s + SAME_FRAME_S)) - 1)
    scores[at] = found.score
    told = find_moments(replace(curve, scores=scores), _TOLD)
    ends_s = np.append(curve.times_s[at + 1 :], max(curve.video.duration_s, found.time_s + CLOSELY_S))
    alone = Moment(curve.video.id, float(curve.times_s[at]), float(ends_s[0]), found.time_s, found.score)
    return next((one for one in told if _holds(one, curve.video.id, found.time_s)), alone)


SHARPEN_EVERY_S = 0.2
"""Between two extra frames, so that what is found is at most half of that away from the best."""
MOST_FRAMES = 12
"""For one moment; where frames lie further apart than usual, the further ones do so too."""
WORTH_DECODING = 0.25
"""Where the frames beside a peak are that close to it, there is nothing to be found between them; as odds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The open interval (start_s, end_s) around a peak in which no frame but the peak is known."""

    start_s: float
    peak_s: float
    end_s: float

    def times_s(self) -> list[float]:
        """Return where to look, rising; the peak is among them, so that the frames can be compared with it."""
        step_s = max(SHARPEN_EVERY_S, (self.end_s - self.start_s) / MOST_FRAMES)
        before = np.arange(self.peak_s - step_s, self.start_s + 1e-6, -step_s)[::-1]
        after = np.arange(self.peak_s + step_s, self.end_s - 1e-6, step_s)
        return [max(0.0, float(time_s)) for time_s in (*before, self.peak_s, *after)]


def gap(curve: Curve, moment: Moment, logit_scale: float) -> Gap | None:
    """Return what lies around a moment's peak, or None where no frame between could find more."""
    times_s, scores = curve.times_s, curve.scores
    at = int(np.abs(times_s - moment.peak_s).argmin())
    start_s = float(times_s[at - 1]) if at else float(times_s[0])
    end_s = float(times_s[at + 1]) if at + 1 < len(times_s) else max(curve.video.duration_s, float(times_s[-1]))
    beside = scores[max(0, at - 1) : at + 2]
    drop = float(scores[at] - beside.min())
    if logit_scale * drop < WORTH_DECODING or abs(float(times_s[at]) - moment.peak_s) > SHARPEN_EVERY_S / 2:
        return None
    return Gap(start_s, float(times_s[at]), end_s)


def sharpened(moment: Moment, curve: Curve, likeness: Likeness | None) -> Moment:
    """Return the moment with the best of extra frames as its peak, or as it is where they do not fit to it.

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

    `frames` are all that are known of the video: those of the index, and those that were decoded later.
    """
    times_s = frames.times_s
    first, last = shot_span(times_s, frames.vectors, frames.nearest(moment.peak_s), likeness)
    begins = first > 0 and moment.start_s <= times_s[first]
    ends = last + 1 < len(times_s) and moment.end_s > times_s[last]
    return Cuts(
        (float(times_s[first - 1]), float(times_s[first])) if begins else None,
        (float(times_s[last]), float(times_s[last + 1])) if ends else None,
    )


BUDGET_S = 4.0
"""What a search may take. A frame takes ViT-B-32 70 ms on two cores: then the three best places are decoded."""
_SHARE = 0.7
"""Of that for the first step."""


@dataclass(slots=True, eq=False)
class _FrameSearch:
    """One hunt under way."""

    query: Query
    curve: Curve
    began_s: float
    scores: dict[float, float] = field(default_factory=dict)
    """By time, of the extra frames."""
    frames: dict[float, Floats] = field(default_factory=dict)
    """By time likewise, (D,) each."""
    steps_s: dict[float, float] = field(default_factory=dict)
    """How far each of them is from those beside it."""


class BestFrameFinder:
    """Hunts for best frames."""

    def __init__(self, extra_frames: ExtraFrames, clock_s: Callable[[], float]) -> None:
        """Take a clock that stands still while a hunt has to wait."""
        self._extra_frames = extra_frames
        self._clock_s = clock_s

    async def best(self, query: Query, curve: Curve) -> BestFrame | None:
        """Return the best frame found between the frames of a video's curve (of one text); None without any.

        Raises AppError.
        """
        search = _FrameSearch(query, curve, self._clock_s())
        await self._coarsely(search, enough(places(curve)))
        await self._closely(search)
        best_s = max(search.scores, key=lambda time_s: search.scores[time_s], default=None)
        if best_s is None or self._is_the_same(search, best_s):
            return None
        return BestFrame(best_s, search.scores[best_s], _frames(search))

    def _is_the_same(self, search: _FrameSearch, best_s: float) -> bool:
        """Tell whether the best frame is that of the index's best frame over again, as a camera at rest shows it."""
        frame = search.curve.best
        again_s = min(search.frames, key=lambda time_s: abs(time_s - search.curve.times_s[frame]), default=None)
        if again_s is None or best_s not in search.frames or unknown([again_s], [search.curve.times_s[frame]]):
            return False
        known = search.frames[again_s]
        gain = search.scores[best_s] - float(search.curve.scores[frame])
        return same_picture(known, search.frames[best_s], gain)

    async def _coarsely(self, search: _FrameSearch, places: Sequence[PeakPlace]) -> None:
        """Look at places: at one, which tells what it costs, and then at as many as may be."""
        progress_of, count = 0, 1
        while count > 0 and progress_of < len(places):
            await self._frame(search, places[progress_of : progress_of + count])
            progress_of = min(len(places), progress_of + count)
            spent_s = self._clock_s() - search.began_s
            count = int((_SHARE * BUDGET_S - spent_s) * progress_of / max(spent_s, 1e-6))

    async def _frame(self, search: _FrameSearch, places: Sequence[PeakPlace]) -> None:
        times_s = sorted(time_s for place in places for time_s in place.times_s())
        seen = await self._extra_frames.at(search.query, search.curve.video, times_s)
        if seen is None:
            return
        scores = dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
        for place in places:
            there = {time_s: score for time_s, score in scores.items() if place.holds(time_s)}
            if there and abs(there[min(there)] - place.score) <= SAME_SCORE:
                search.scores |= there
                search.frames |= _embeddings(seen)
                search.steps_s |= dict.fromkeys(there, place.step_s)

    async def _closely(self, search: _FrameSearch) -> None:
        """Decode all frames around the best ones, around as many of them as may be."""
        spent_s = self._clock_s() - search.began_s
        frames = (BUDGET_S - spent_s) * len(search.scores) / max(spent_s, 1e-6)
        for most in range(CLOSE, 0, -1):
            times_s = close_by(search.scores, search.steps_s, most)
            if len(times_s) <= frames:
                seen = await self._extra_frames.at(search.query, search.curve.video, times_s, search.scores)
                if seen is not None:
                    search.scores |= dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
                    search.frames |= _embeddings(seen)
                return


def _frames(search: _FrameSearch) -> FrameIndex | None:
    times_s = sorted(search.frames)
    return FrameIndex(np.array(times_s), np.array([search.frames[time_s] for time_s in times_s])) if times_s else None


def _embeddings(seen: Curve) -> dict[float, Floats]:
    return {} if seen.vectors is None else dict(zip(seen.times_s.tolist(), seen.vectors, strict=True))
