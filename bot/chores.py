"""Work that a chat door does beside everything else. Owns its tasks; must not know any platform or what they do."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.delivery import STOPPING

if TYPE_CHECKING:
    from collections.abc import Coroutine

logger = logging.getLogger(__name__)


class Chores:
    """Tasks, each about some message."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._closed = False

    def start(self, work: Coroutine[None, None, None], about: str = "") -> None:
        """Run work beside everything else; `about` names what it is about."""
        if self._closed:  # libraries may still dispatch events after their closing
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks[task] = about
        task.add_done_callback(self._done)

    async def cancel(self, about: str) -> None:
        """Stop all that is under way about something, and wait until it has stopped."""
        mine = [task for task, one in self._tasks.items() if one == about]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def close(self) -> None:
        """Stop all that is under way, since the program ends, and begin nothing any more."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel(STOPPING)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()):
            logger.error("an answer could not be given", exc_info=error)
