"""Searches a video's best frame by decoding further frames, best places first, within a budget of time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.model.video import FrameIndex
from core.refinement import peaks as hunting
from core.refinement.peaks import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from core.concurrency import ForegroundPriority
    from core.model.query import Query
    from core.model.results import Curve
    from core.model.video import Floats, Pixels, Video
    from core.ports.library import Encoder, Media
    from core.ports.video import Glancer, SampledFrame
    from core.search.searcher import Searcher

_FRAME_S = 0.04
"""Frames nearer to each other than that are not told apart when a cut is looked for."""


_MOST_FRAMES = 50


_CELLS = 16


_AT_ONCE = 16
"""Looks that are encoded before it is asked again whether somebody waits: a second's work for ViT-B-32 on two cores."""


class ExtraFrames:
    """Takes further looks while nobody waits for an answer."""

    def __init__(
        self, media: Media, reader: Glancer, encoder: Encoder, searcher: Searcher, courtesy: ForegroundPriority
    ) -> None:
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._searcher = searcher
        self._courtesy = courtesy

    async def at(
        self, query: Query, video: Video, times_s: Sequence[float], known: Collection[float] = ()
    ) -> Curve | None:
        """Give the curve of the frames at these rising times, but for those whose very times are known.

        None where there is nothing to look at: the file is gone, or seeking does not lead there. Raises AppError.
        """
        path = await self._media.path(video.id)
        if path is None or not times_s:
            return None
        await self._courtesy.idle()
        looks = await self._reader.glances(path, times_s, (await self._encoder.ready()).preprocess)
        looks = tuple(looks[at] for at in unknown([look.time_s for look in looks], known))
        if not looks:
            return None
        vectors = np.concatenate(
            [await self._encoded(looks[at : at + _AT_ONCE]) for at in range(0, len(looks), _AT_ONCE)]
        )
        index = FrameIndex(np.array([look.time_s for look in looks]), vectors)
        return await self._searcher.compared(query, video, index)

    async def frame(self, video_id: str, time_s: float) -> FrameIndex | None:
        """Return the embedding of the frame at a time, for somebody who waits for it; None where the file is gone.

        Raises AppError.
        """
        path = await self._media.path(video_id)
        if path is None:
            return None
        preprocess = (await self._encoder.ready()).preprocess
        frames = await self._reader.glances(path, [time_s], preprocess, at_once=True)
        if not frames:
            return None
        return FrameIndex(np.array([frames[0].time_s]), await self._encoder.images(frames[0].pixels[None]))

    async def scores(self, query: Query, video: Video, time_s: float) -> tuple[float, ...] | None:
        """Return the similarity of the frame at a time to each of several texts, likewise; raises AppError."""
        frame = await self.frame(video.id, time_s)
        return (await self._searcher.compared(query, video, frame)).among(0) if frame else None

    async def cut(self, video_id: str, after_s: float, until_s: float) -> float:
        """Return the time of the first frame behind a cut that lies after one time, and at another at the latest.

        That is where two frames differ most. Where the file is gone it is the latest time. Raises AppError.
        """
        path = await self._media.path(video_id)
        if path is None or until_s - after_s <= _FRAME_S:
            return until_s
        times_s = np.linspace(after_s, until_s, 1 + min(_MOST_FRAMES, math.ceil((until_s - after_s) / _FRAME_S)))
        await self._courtesy.idle()
        frames = await self._reader.glances(path, times_s.tolist(), (await self._encoder.ready()).preprocess)
        if len(frames) < 2:
            return until_s
        changes = [np.abs(coarse(one.pixels) - coarse(next_.pixels)).mean() for one, next_ in pairwise(frames)]
        return float(frames[1 + int(np.argmax(changes))].time_s)

    async def _encoded(self, looks: Sequence[SampledFrame]) -> Floats:
        await self._courtesy.idle()
        return await self._encoder.looks(np.stack([look.pixels for look in looks]))


def coarse(pixels: Pixels) -> Floats:
    """Return the mean colours of a frame's (S, S, 3) uint8 pixels in a grid of at most 16 x 16 cells, as float32."""
    cells = min(_CELLS, len(pixels))
    step = len(pixels) // cells
    trimmed = pixels[: cells * step, : cells * step].astype(np.float32)
    means: Floats = trimmed.reshape(cells, step, cells, step, 3).mean(axis=(1, 3))
    return means


BUDGET_S = 4.0
"""What a hunt may take. A look takes ViT-B-32 70 ms on two cores: then the three best places are looked at."""


_SHARE = 0.7
"""Of that for the first step."""


_SAME_SCORE = 0.02
"""A look that is taken again must score as it did; else the file is another one, or its times are not to be trusted."""


@dataclass(slots=True, eq=False)
class _Hunt:
    """One hunt under way."""

    query: Query
    curve: Curve
    began_s: float
    scores: dict[float, float] = field(default_factory=dict)
    """By time, of the further looks."""
    looks: dict[float, Floats] = field(default_factory=dict)
    """By time likewise, (D,) each."""
    steps_s: dict[float, float] = field(default_factory=dict)
    """How far each of them is from those beside it."""


class BestFrameFinder:
    """Hunts for best frames."""

    def __init__(self, glances: ExtraFrames, clock_s: Callable[[], float]) -> None:
        """Take a clock that stands still while a hunt has to wait."""
        self._glances = glances
        self._clock_s = clock_s

    async def best(self, query: Query, curve: Curve) -> hunting.BestFrame | None:
        """Give the best frame of a video that was found beside the looks of its curve (of one text); None without any.

        Raises AppError.
        """
        hunt = _Hunt(query, curve, self._clock_s())
        await self._coarsely(hunt, hunting.enough(hunting.places(curve)))
        await self._closely(hunt)
        best_s = max(hunt.scores, key=lambda time_s: hunt.scores[time_s], default=None)
        if best_s is None or self._is_the_same(hunt, best_s):
            return None
        return hunting.BestFrame(best_s, hunt.scores[best_s], _frames(hunt))

    def _is_the_same(self, hunt: _Hunt, best_s: float) -> bool:
        """Tell whether the best frame is that of the index's best look over again, as a camera at rest shows it."""
        look = hunt.curve.best
        again_s = min(hunt.looks, key=lambda time_s: abs(time_s - hunt.curve.times_s[look]), default=None)
        if again_s is None or best_s not in hunt.looks or hunting.unknown([again_s], [hunt.curve.times_s[look]]):
            return False
        known = hunt.looks[again_s]
        gain = hunt.scores[best_s] - float(hunt.curve.scores[look])
        return hunting.same_picture(known, hunt.looks[best_s], gain)

    async def _coarsely(self, hunt: _Hunt, places: Sequence[hunting.PeakPlace]) -> None:
        """Look at places: at one, which tells what it costs, and then at as many as may be."""
        looked, count = 0, 1
        while count > 0 and looked < len(places):
            await self._look(hunt, places[looked : looked + count])
            looked = min(len(places), looked + count)
            spent_s = self._clock_s() - hunt.began_s
            count = int((_SHARE * BUDGET_S - spent_s) * looked / max(spent_s, 1e-6))

    async def _look(self, hunt: _Hunt, places: Sequence[hunting.PeakPlace]) -> None:
        times_s = sorted(time_s for place in places for time_s in place.times_s())
        seen = await self._glances.at(hunt.query, hunt.curve.video, times_s)
        if seen is None:
            return
        scores = dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
        for place in places:
            there = {time_s: score for time_s, score in scores.items() if place.holds(time_s)}
            if there and abs(there[min(there)] - place.score) <= _SAME_SCORE:
                hunt.scores |= there
                hunt.looks |= _looks(seen)
                hunt.steps_s |= dict.fromkeys(there, place.step_s)

    async def _closely(self, hunt: _Hunt) -> None:
        """Look at all frames around the best of the looks, around as many of them as may be."""
        spent_s = self._clock_s() - hunt.began_s
        looks = (BUDGET_S - spent_s) * len(hunt.scores) / max(spent_s, 1e-6)
        for most in range(hunting.CLOSE, 0, -1):
            times_s = hunting.close_by(hunt.scores, hunt.steps_s, most)
            if len(times_s) <= looks:
                seen = await self._glances.at(hunt.query, hunt.curve.video, times_s, hunt.scores)
                if seen is not None:
                    hunt.scores |= dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
                    hunt.looks |= _looks(seen)
                return


def _frames(hunt: _Hunt) -> FrameIndex | None:
    times_s = sorted(hunt.looks)
    return FrameIndex(np.array(times_s), np.array([hunt.looks[time_s] for time_s in times_s])) if times_s else None


def _looks(seen: Curve) -> dict[float, Floats]:
    return {} if seen.vectors is None else dict(zip(seen.times_s.tolist(), seen.vectors, strict=True))
