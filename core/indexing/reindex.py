"""Re-indexes videos after a change of the model: a few while a search waits, the rest in the background."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from core.concurrency import reported
from core.errors import AppError, UserError
from core.model.reply import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from core.indexing.indexer import Indexer
    from core.model.query import Query
    from core.model.video import Indexed, PostedVideo
    from core.ports.library import Library
    from core.search.searcher import Searcher

    Job = Callable[[Callable[[Progress], None]], Awaitable[Indexed]]

log = logging.getLogger(__name__)
_NOT_AGAIN_S = 600.0


class Renewal:
    """Indexes videos anew when they are searched: a few while a search waits, the rest in the background."""

    def __init__(self, library: Library, indexer: Indexer, searcher: Searcher, clock_s: Callable[[], float]) -> None:
        self._library = library
        self._indexer = indexer
        self._searcher = searcher
        self._clock_s = clock_s
        self._failed_until_s: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def stale(self, query: Query) -> tuple[PostedVideo, ...]:
        """Return the videos that a query is about and that only another model has indexed.

        Videos that lately could not be renewed are left out. Raises OperatorError.
        """
        recipe = await self._searcher.recipe()
        found = await self._library.stale(query.view, recipe.key)
        wanted = (posted for posted in found if query.video_id in {None, posted.video.id})
        return tuple(posted for posted in wanted if self._clock_s() >= self._failed_until_s.get(posted.video.id, 0.0))

    async def until_one(self, stale: Iterable[PostedVideo]) -> AsyncIterator[tuple[PostedVideo, Progress]]:
        """Renew one video after the other until one is done, telling how far each is; start the rest beside that."""
        left = list(stale)
        while left:
            posted = left.pop(0)
            try:
                job: Job = partial(self._indexer.again, posted)
                async for event in reported(job):
                    if isinstance(event, Progress):
                        yield posted, event
            except AppError as error:
                self._give_up(posted, error)
            else:
                break
        self.start(left)

    def start(self, stale: Iterable[PostedVideo]) -> None:
        """Renew videos in the background, each once."""
        for posted in stale:
            if posted.video.id not in self._tasks:
                task = asyncio.create_task(self._renew(posted))
                self._tasks[posted.video.id] = task
                task.add_done_callback(partial(self._done, posted.video.id))

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, video_id: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(video_id, None)

    async def _renew(self, posted: PostedVideo) -> None:
        try:
            await self._indexer.again(posted, _unheard)
        except AppError as error:
            self._give_up(posted, error)
        except Exception:
            log.exception("a video could not be looked at anew")

    def _give_up(self, posted: PostedVideo, error: AppError) -> None:
        log.warning("%s could not be looked at anew: %s", posted.video.id, type(error).__name__)
        wait_s = float("inf") if isinstance(error, UserError) else _NOT_AGAIN_S
        self._failed_until_s[posted.video.id] = self._clock_s() + wait_s


def _unheard(_progress: Progress) -> None:
    """Nobody waits for this video."""
