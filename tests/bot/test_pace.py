"""Changes of messages share a budget: answers go first, statuses take turns."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from bot.doors.delivery import deliver
from bot.doors.pace import Budget, Pace
from core.model.reply import Progress, Reply
from tests.support import quickloop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EVERY_S = 1.0


class Wall:
    """A message of a channel in which many stand; notes when it was changed."""

    def __init__(self, changes: list[tuple[float, str]], name: str) -> None:
        self._changes = changes
        self._name = name

    async def post(self, reply: Reply) -> None:
        what = "answer" if reply.progress is None else "status"
        self._changes.append((asyncio.get_running_loop().time(), f"{self._name} {what}"))

    async def edit(self, reply: Reply) -> None:
        await self.post(reply)


async def looking(steps: int) -> AsyncIterator[Reply]:
    for step in range(steps):
        yield Reply(f"{step}", progress=Progress("looking", step / steps))
        await asyncio.sleep(EVERY_S / 2)
    yield Reply("done")


def test_given_many_statuses_when_an_answer_comes_then_it_does_not_wait() -> None:
    quickloop.run(_many_statuses())


async def _many_statuses() -> None:
    loop, changes = asyncio.get_running_loop(), list[tuple[float, str]]()
    pace = Pace(Budget(burst=4, every_s=EVERY_S, kept=2), loop.time)
    turns = pace.of("channel")
    started_s = loop.time()
    videos = [
        asyncio.create_task(deliver(looking(40), Wall(changes, f"video {number}"), 0.0, turns)) for number in range(10)
    ]
    await asyncio.sleep(10 * EVERY_S)
    asked_s = loop.time()
    await deliver(looking(0), Wall(changes, "press"), 0.0, turns)
    waited_s = loop.time() - asked_s
    statuses_before = [at_s for at_s, what in changes if at_s > asked_s and what.endswith("status")]
    await asyncio.gather(*videos)
    took_s = loop.time() - started_s
    assert waited_s < 4 * EVERY_S
    assert len(statuses_before) <= 1
    assert len(changes) <= 4 + took_s / EVERY_S + 1
    assert sum(what.endswith("answer") for _, what in changes) == 11


def test_given_a_full_channel_then_other_channels_do_not_wait() -> None:
    quickloop.run(_two_channels())


async def _two_channels() -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(Budget(burst=1, every_s=3600.0, kept=0), loop.time)
    for key in ("one", "another"):
        await pace.wait(key, urgent=False)
    assert loop.time() == 0.0


def test_given_several_that_wait_then_they_go_in_their_order() -> None:
    quickloop.run(_twenty_who_wait())


async def _twenty_who_wait() -> None:
    pace = Pace(Budget(burst=1, every_s=1.0, kept=0), asyncio.get_running_loop().time)
    came = list[int]()

    async def come(number: int) -> None:
        await pace.wait("channel", urgent=True)
        came.append(number)

    await asyncio.gather(*(come(number) for number in range(20)))
    assert all(first < second for first, second in itertools.pairwise(came))


def test_given_a_waiting_status_when_its_work_ends_then_it_is_left_out() -> None:
    quickloop.run(_no_status_ever())


async def _no_status_ever() -> None:
    pace, changes = (
        Pace(Budget(burst=1, every_s=1.0, kept=1), asyncio.get_running_loop().time),
        list[tuple[float, str]](),
    )
    async with asyncio.timeout(60):
        await deliver(looking(5), Wall(changes, "video"), 0.0, pace.of("channel"))
    assert [what for _, what in changes] == ["video answer"]
