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


async def test_a_producer_runs_ahead_by_no_more_than_it_may() -> None:
    made: list[int] = []
    async with read_ahead(count(100, made, []), 3) as ahead:
        assert await anext(ahead) == 0
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(made) <= 6


async def test_leaving_early_closes_the_producer() -> None:
    closed: list[bool] = []
    async with read_ahead(count(100, [], closed), 3) as ahead:
        await anext(ahead)
    assert closed == [True]


async def test_a_producers_error_reaches_whoever_reads() -> None:
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


async def test_reports_come_before_the_result() -> None:
    async def work(report: Callable[[str], None]) -> int:
        report("a")
        await asyncio.sleep(0)
        report("b")
        return 3

    assert [item async for item in reported(work)] == ["a", "b", 3]


async def test_closing_the_stream_cancels_the_work() -> None:
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


async def test_an_error_in_the_work_reaches_whoever_listens() -> None:
    async def work(_report: Callable[[str], None]) -> int:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        [item async for item in reported(work)]
