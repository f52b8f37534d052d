"""Streams of work run ahead, report, and stop when nobody listens any more."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from core.concurrency import read_ahead, reported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


async def count(to: int, made: list[int], closed: list[bool]) -> AsyncGenerator[int, None]:
    try:
        for number in range(to):
            made.append(number)
            yield number
    finally:
        closed.append(True)


async def test_given_a_producer_when_unread_then_it_runs_ahead_so_far() -> None:
    made: list[int] = []
    async with read_ahead(count(100, made, []), 3) as ahead:
        assert await anext(ahead) == 0
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(made) <= 6


async def test_given_a_producer_when_its_reader_leaves_then_it_is_closed() -> None:
    closed: list[bool] = []
    async with read_ahead(count(100, [], closed), 3) as ahead:
        await anext(ahead)
    assert closed == [True]


async def test_given_a_producer_when_it_fails_then_its_reader_gets_the_error() -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        raise KeyError("gone")

    seen: list[int] = []

    async def read() -> None:
        async with read_ahead(broken(), 3) as ahead:
            async for number in ahead:
                seen.append(number)  # noqa: PERF401 - what was read before the error must survive it

    with pytest.raises(KeyError):
        await read()
    assert seen == [1]


async def test_given_work_that_reports_when_done_then_reports_come_first() -> None:
    async def work(report: Callable[[str], None]) -> int:
        report("a")
        await asyncio.sleep(0)
        report("b")
        return 3

    assert [item async for item in reported(work)] == ["a", "b", 3]


async def test_given_a_stream_when_closed_then_its_work_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def work(report: Callable[[str], None]) -> int:
        report("started")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return 3

    async with aclosing(reported(work)) as stream:  # type: ignore[type-var]
        assert await anext(stream) == "started"
    assert cancelled.is_set()


async def test_given_work_when_it_fails_then_its_listener_gets_the_error() -> None:
    async def work(_report: Callable[[str], None]) -> int:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        [item async for item in reported(work)]
