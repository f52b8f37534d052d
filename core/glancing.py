"""Further looks at a kept film, compared with a question. Owns the order of that work; must not know where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.hunting import unknown
from core.model import FrameIndex

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from core.courtesy import Courtesy
    from core.film_ports import Glancer, Look
    from core.found import Curve, Query
    from core.model import Floats, Video
    from core.ports import Encoder, Media
    from core.search import Searcher


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

    async def _encoded(self, looks: Sequence[Look]) -> Floats:
        await self._courtesy.idle()
        return await self._encoder.looks(np.stack([look.pixels for look in looks]))
