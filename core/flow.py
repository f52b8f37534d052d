"""Small tools for streams of work. Owns no decision; knows no noun."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

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
    """Run work that reports as it goes; give each report, then its result. Closing the iterator cancels the work."""
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
    """Run work that reports as it goes; where it takes longer, give its newest report once a gap, then its result.

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
