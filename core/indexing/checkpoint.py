"""Saves the frames of a video that is being indexed every so often, so that a restart goes on from there."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from core.errors import GivenUp
from core.indexing.gathered import Gathered
from core.model.video import FrameIndex
from core.ports.jobs import Work

if TYPE_CHECKING:
    from core.indexing.gathered import Source
    from core.ports.jobs import Checkpoints

logger = logging.getLogger(__name__)

_MOST_STARTS = 10
"""So often may a video be begun without one look being written down: then it may be what the process dies of."""


class Checkpoint:
    """What is seen of one video."""

    def __init__(self, works: Checkpoints, source: Source, recipe_key: str, every_s: float) -> None:
        self._works = works
        self._source = source
        self._recipe_key = recipe_key
        self._every_s = every_s
        self._written_s = float("-inf")  # the first looks are written at once: they can be searched then
        self._looks = 0
        self._thumbnails = 0
        self._is_opened = False

    async def begin(self, job_id: int) -> Gathered:
        """Write down which video a job is about; give what was seen of it before.

        Raises GivenUp for a video that was begun again and again in vain.
        """
        source = self._source
        names = source.url, source.title, source.uploader
        work = Work(source.video_id, source.link, *names, source.several, site_id=source.site_id)
        if await self._works.begin(job_id, work, self._recipe_key) > _MOST_STARTS:
            raise GivenUp(source.title)
        gathered = Gathered.after(await self._works.so_far(source.video_id, self._recipe_key))
        self._looks, self._thumbnails = len(gathered.times_s), len(gathered.thumbnails)
        if gathered.before:
            logger.info("job %d goes on after the %d looks that were looked at before", job_id, gathered.before)
        return gathered

    async def note(self, gathered: Gathered) -> None:
        """Write down what is new, where the last time is long enough ago."""
        now_s = time.monotonic()
        if now_s - self._written_s < self._every_s:
            return
        self._written_s = now_s
        await self._write(gathered)

    async def _write(self, gathered: Gathered) -> None:
        video_id = self._source.video_id
        if gathered.opened and not self._is_opened:
            await self._works.opened(video_id, gathered.opened)
            self._is_opened = True
        encoded = sum(map(len, gathered.vectors))
        if encoded == self._looks:
            return
        vectors = np.concatenate(gathered.vectors)[self._looks : encoded]
        part = FrameIndex(np.array(gathered.times_s[self._looks : encoded], np.float64), vectors)
        pictures = [one for one in gathered.thumbnails[self._thumbnails :] if one.time_s <= part.times_s[-1]]
        await self._works.add(video_id, part, pictures)
        self._looks, self._thumbnails = encoded, self._thumbnails + len(pictures)
