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


async def test_who_waits_hears_their_place_and_moves_up_in_the_order_of_coming() -> None:
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


async def test_as_many_are_in_at_once_as_there_are_slots() -> None:
    line, log, leave = TurnQueue(2), list[str](), asyncio.Event()
    visits = [asyncio.create_task(_visitor(line, name, log, leave)) for name in "abc"]
    await _settled()
    assert [entry for entry in log if entry.endswith("in")] == ["a in", "b in"]
    leave.set()
    await asyncio.gather(*visits)


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_whoever_gives_up_leaves_no_gap(who: int) -> None:
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


async def test_who_is_cancelled_at_the_very_moment_of_being_let_in_gives_the_slot_back() -> None:
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


async def test_short_videos_go_first_and_one_of_unknown_length_counts_as_ten_minutes() -> None:
    assert await _order([7200.0, None, 30.0, 900.0, 30.0]) == [2, 4, 1, 3, 0]


async def test_nobody_is_passed_more_than_five_times() -> None:
    assert (await _order([7200.0, *[10.0] * 20])).index(0) == 5
