"""Work that a chat door does beside everything else. Owns its tasks; must not know any platform or what they do."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from bot.delivery import STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

_KEPT = 1000


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


class Presses:
    """Of several presses under one message the newest decides what stands there."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        self._count = 0

    def press(self, message: str, number: int | None = None) -> Callable[[], bool]:
        """Note a press; give a question that is true as long as no later one came under this message.

        The number under which it was written down tells when it came, for an earlier run's may be answered late.
        """
        mine = self._count + 1 if number is None else number
        self._count = max(self._count, mine)
        self._last[message] = max(mine, self._last.get(message, 0))
        self._last.move_to_end(message)
        while len(self._last) > _KEPT:
            self._last.popitem(last=False)
        return lambda: self._last.get(message) == mine
