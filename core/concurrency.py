"""Tools for tasks and streams: foreground work first, reading ahead, progress reports, work that must end.

`ForegroundPriority` lets indexing pause while an answer is waited for. Only `Leave` may be used on other threads.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

BEGINNING_S = 5.0
"""A video begins so much later at most, where questions never stop."""
BATCH_S = 2.0
"""Likewise each batch of its frames, and of extra frames; so long a decoder stands still at a stretch."""
PATIENCE_S = 10.0
"""Where people ask so much that no lull comes for so long, an answer gets no extra frames."""


class ForegroundPriority:
    """Lets other work begin, and go on, between questions."""

    def __init__(self, lull_s: float, clock_s: Callable[[], float], patience_s: float = PATIENCE_S) -> None:
        """Take how long nobody must have asked for anything before extra frames begin; and how long to wait for it."""
        self._lull_s = lull_s
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._asking = self._asked = 0
        self._nobody, self._somebody = asyncio.Event(), asyncio.Event()
        self._nobody.set()
        self._free = threading.Event()
        self._free.set()
        self._since_s, self._busy_s = 0.0, 0.0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Wait for an answer."""
        self._asked += 1
        self._asking += 1
        if self._asking == 1:
            self._begin()
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._end()

    def _begin(self) -> None:
        self._since_s = self._clock_s()
        self._free.clear()
        self._nobody.clear()
        self._somebody.set()

    def _end(self) -> None:
        self._busy_s += self._clock_s() - self._since_s
        self._somebody.clear()
        self._nobody.set()
        self._free.set()

    def quiet_s(self) -> float:
        """Return a clock that stands still while an answer is waited for: by it, other work loses no time to them."""
        return (self._since_s if self._asking else self._clock_s()) - self._busy_s

    async def idle(self) -> None:
        """Wait until nobody waits for an answer."""
        while self._asking:
            await self._nobody.wait()

    async def asked(self) -> None:
        """Wait until a question is asked."""
        while not self._asking:
            await self._somebody.wait()

    async def lull(self) -> None:
        """Wait until nobody has asked for anything for a while: who asks again at once is not to be slower for this."""
        while True:
            await self.idle()
            asked = self._asked
            await asyncio.sleep(self._lull_s)
            if asked == self._asked and not self._asking:
                return

    async def calm(self) -> bool:
        """Wait for a lull, for as long as patience lasts; tell whether one came."""
        try:
            await asyncio.wait_for(self.lull(), self._patience_s)
        except TimeoutError:
            return False
        return True

    async def after_you(self, patience_s: float) -> None:
        """Wait until nobody waits for an answer, or until patience ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self.idle()

    def leave(self, patience_s: float) -> Leave:
        """Return leave to compute on a thread, with so much patience in all."""
        return Leave(self._free, self._clock_s, patience_s)


class Leave:
    """What a thread asks at each place where it may stop: it goes on when nobody waits, or when its patience ends."""

    def __init__(self, free: threading.Event, clock_s: Callable[[], float], patience_s: float) -> None:
        self._free = free
        self._clock_s = clock_s
        self._patience_s = patience_s

    def __call__(self) -> None:
        """Wait, on this thread."""
        if self._patience_s > 0 and not self._free.is_set():
            began_s = self._clock_s()
            self._free.wait(self._patience_s)
            self._patience_s -= self._clock_s() - began_s


T = TypeVar("T")
R = TypeVar("R")


class _End:
    """Marks the end of a queue."""


@asynccontextmanager
async def read_ahead(items: AsyncIterator[T], most: int) -> AsyncIterator[AsyncIterator[T]]:
    """Let a producer run ahead of its consumer by at most that many items; its error reaches the consumer."""
    queue: asyncio.Queue[T | _End] = asyncio.Queue(most)
    producer = asyncio.create_task(_fill(items, queue))
    try:
        yield _drain(queue, producer)
    finally:
        await _stop(producer)


async def reported(work: Callable[[Callable[[R], None]], Awaitable[T]]) -> AsyncIterator[R | T]:
    """Run work that reports as it goes; return each report, then its result. Closing the iterator cancels the work."""
    queue: asyncio.Queue[R | _End] = asyncio.Queue()

    async def run() -> T:
        try:
            return await work(queue.put_nowait)
        finally:
            queue.put_nowait(_End())

    task = asyncio.create_task(run())
    try:
        while not isinstance(report := await queue.get(), _End):
            yield report
        yield await task
    finally:
        await _stop(task)


async def watched(work: Callable[[Callable[[R], None]], Awaitable[T]], gap_s: float, start: R) -> AsyncIterator[R | T]:
    """Run work that reports as it goes; where it takes longer, return its newest report once a gap, then its result.

    What is done within the first gap gives its result alone. Closing the iterator cancels the work.
    """
    reports = [start]
    task = asyncio.ensure_future(work(reports.append))
    try:
        while not (await asyncio.wait({task}, timeout=gap_s))[0]:
            yield reports[-1]
        yield await task
    finally:
        await _stop(task)


async def to_its_end(work: Awaitable[T]) -> T:
    """Wait for work that goes on when it is cancelled, as a thread does; then it has ended, and is cancelled after."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        raise


async def _fill(items: AsyncIterator[T], queue: asyncio.Queue[T | _End]) -> None:
    try:
        async for item in items:
            await queue.put(item)
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
        if not _cancelling():
            await queue.put(_End())


async def _drain(queue: asyncio.Queue[T | _End], producer: asyncio.Task[None]) -> AsyncIterator[T]:
    while not isinstance(item := await queue.get(), _End):
        yield item
    await producer


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _stop(task: asyncio.Future[T]) -> None:
    if task.done():
        return
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
