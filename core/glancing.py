"""Further looks at a kept film, compared with a question. Owns the order of that work; must not know where to look."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.hunting import unknown
from core.model import FrameIndex

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from core.courtesy import Courtesy
    from core.film_ports import Glancer, Look
    from core.found import Curve, Query
    from core.model import Floats, Pixels, Video
    from core.ports import Encoder, Media
    from core.search import Searcher


_FRAME_S = 0.04
"""Frames nearer to each other than that are not told apart when a cut is looked for."""
_MOST_FRAMES = 50
_CELLS = 16
_AT_ONCE = 16
"""Looks that are encoded before it is asked again whether somebody waits: a second's work for ViT-B-32 on two cores."""


class Glances:
    """Takes further looks while nobody waits for an answer."""

    def __init__(self, media: Media, reader: Glancer, encoder: Encoder, searcher: Searcher, courtesy: Courtesy) -> None:
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

    async def _encoded(self, looks: Sequence[Look]) -> Floats:
        await self._courtesy.idle()
        return await self._encoder.looks(np.stack([look.pixels for look in looks]))


def coarse(pixels: Pixels) -> Floats:
    """Return the mean colours of a frame's (S, S, 3) uint8 pixels in a grid of at most 16 x 16 cells, as float32."""
    cells = min(_CELLS, len(pixels))
    step = len(pixels) // cells
    trimmed = pixels[: cells * step, : cells * step].astype(np.float32)
    means: Floats = trimmed.reshape(cells, step, cells, step, 3).mean(axis=(1, 3))
    return means
