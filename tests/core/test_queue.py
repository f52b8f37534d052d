from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from core.indexing.queue import TurnQueue


async def _visitor(line: TurnQueue, name: str, log: list[str], leave: asyncio.Event) -> None:
    async with line.turn(lambda before: log.append(f"{name} waits behind {before}")):
        log.append(f"{name} in")
        await leave.wait()
    log.append(f"{name} out")


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_given_a_queue_when_it_moves_then_each_hears_their_place() -> None:
    line, log = TurnQueue(1), list[str]()
    leaves = [asyncio.Event() for _ in range(3)]
    visits = [asyncio.create_task(_visitor(line, name, log, leave)) for name, leave in zip("abc", leaves, strict=True)]
    await _settled()
    assert log == ["a in", "b waits behind 1", "b waits behind 1", "c waits behind 2"]
    log.clear()
    for leave in leaves:
        leave.set()
    await asyncio.gather(*visits)
    assert log == ["c waits behind 1", "a out", "b in", "b out", "c in", "c out"]


async def test_given_slots_when_many_come_then_so_many_are_in() -> None:
    line, log, leave = TurnQueue(2), list[str](), asyncio.Event()
    visits = [asyncio.create_task(_visitor(line, name, log, leave)) for name in "abc"]
    await _settled()
    assert [entry for entry in log if entry.endswith("in")] == ["a in", "b in"]
    leave.set()
    await asyncio.gather(*visits)


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_given_a_queue_when_one_gives_up_then_no_gap_is_left(who: int) -> None:
    line, log = TurnQueue(1), list[str]()
    leaves = [asyncio.Event() for _ in range(3)]
    visits = [asyncio.create_task(_visitor(line, name, log, leave)) for name, leave in zip("abc", leaves, strict=True)]
    await _settled()
    visits[who].cancel()
    for leave in leaves:
        leave.set()
    for visit in visits:
        with suppress(asyncio.CancelledError):
            await visit
    assert [entry for entry in log if entry.endswith("out")] == [f"{n} out" for n in "abc" if n != "abc"[who]]
    async with asyncio.timeout(20), line.turn(log.append):  # type: ignore[arg-type]
        pass


async def test_given_a_slot_just_given_when_cancelled_then_it_is_free() -> None:
    line = TurnQueue(1)
    async with line.turn(lambda _: None):
        visit = asyncio.create_task(_visitor(line, "b", [], asyncio.Event()))
        await _settled()
    visit.cancel()
    await asyncio.wait([visit])
    async with asyncio.timeout(20), line.turn(lambda _: None):
        pass


async def _order(lengths_s: list[float | None]) -> list[int]:
    line, order = TurnQueue(1), list[int]()

    async def visit(number: int, length_s: float | None) -> None:
        async with line.turn(lambda _: None, length_s):
            order.append(number)

    async with line.turn(lambda _: None):
        visits = [asyncio.create_task(visit(n, length_s)) for n, length_s in enumerate(lengths_s)]
        await _settled()
    await asyncio.gather(*visits)
    return order


async def test_given_lengths_when_queued_then_short_ones_go_first() -> None:
    assert await _order([7200.0, None, 30.0, 900.0, 30.0]) == [2, 4, 1, 3, 0]


async def test_given_short_ones_when_passing_then_nobody_more_than_five_times() -> None:
    assert (await _order([7200.0, *[10.0] * 20])).index(0) == 5
