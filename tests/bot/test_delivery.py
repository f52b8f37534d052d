"""The pace at which replies are shown, and what becomes of bugs."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

import pytest

from bot.doors.delivery import STOPPING, NotNow, deliver
from core.model.reply import Progress, Reply
from tests.support import quickloop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NEVER_S = 3600.0


class Screen:
    """Remembers what was shown; can refuse some of it, or take its time."""

    def __init__(self, refuse: int = 0) -> None:
        self.seen: list[tuple[str, str]] = []
        self.asked = asyncio.Semaphore(0)
        self._refuse = refuse

    async def post(self, reply: Reply) -> None:
        await self._show("post", reply)

    async def edit(self, reply: Reply) -> None:
        await self._show("edit", reply)

    async def _show(self, how: str, reply: Reply) -> None:
        self.asked.release()
        if self._refuse:
            self._refuse -= 1
            raise ConnectionError
        self.seen.append((how, reply.text))


async def say(*texts: str) -> AsyncIterator[Reply]:
    for text in texts:
        yield Reply(text)
        await asyncio.sleep(0)


async def test_given_several_replies_then_the_last_is_edited_into_the_first() -> None:
    screen = Screen()
    await deliver(say("1 %", "done"), screen, min_gap_s=0)
    assert screen.seen == [("post", "1 %"), ("edit", "done")]


async def test_given_replies_within_the_gap_then_only_the_last_is_surely_shown() -> None:
    screen = Screen()
    await asyncio.wait_for(deliver(say("1 %", "2 %", "3 %", "done"), screen, min_gap_s=NEVER_S), timeout=60)
    assert screen.seen == [("post", "1 %"), ("edit", "done")]


async def test_given_replies_after_the_gap_then_the_newest_is_shown_meanwhile() -> None:
    screen = Screen()

    async def working() -> AsyncIterator[Reply]:
        yield Reply("1 %")
        await screen.asked.acquire()
        yield Reply("2 %")
        await screen.asked.acquire()
        yield Reply("done")

    await deliver(working(), screen, min_gap_s=0.01)
    assert screen.seen == [("post", "1 %"), ("edit", "2 %"), ("edit", "done")]


async def test_given_an_unchanged_reply_then_it_is_not_shown_again() -> None:
    screen = Screen()
    await deliver(say("same", "same", "same"), screen, min_gap_s=0)
    assert screen.seen == [("post", "same")]


async def test_given_no_replies_then_nothing_is_shown() -> None:
    screen = Screen()
    await deliver(say(), screen, min_gap_s=0)
    assert screen.seen == []


async def test_given_a_slow_platform_then_work_does_not_wait_for_it() -> None:
    finished = asyncio.Event()

    async def working() -> AsyncIterator[Reply]:
        for number in range(50):
            yield Reply(str(number))
        finished.set()

    class Slow(Screen):
        async def post(self, reply: Reply) -> None:
            await finished.wait()
            await super().post(reply)

    screen = Slow()
    await asyncio.wait_for(deliver(working(), screen, min_gap_s=NEVER_S), timeout=60)
    assert screen.seen[-1] == ("edit", "49") or screen.seen == [("post", "49")]


async def test_given_a_bug_when_shown_then_a_sentence_has_the_id_of_its_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def breaking() -> AsyncIterator[Reply]:
        yield Reply("working")
        raise ZeroDivisionError("the inside story")

    screen = Screen()
    with caplog.at_level(logging.ERROR):
        await deliver(breaking(), screen, min_gap_s=NEVER_S)
    _, text = screen.seen[-1]
    bug_id = re.search(r"under ([0-9A-F]{6})\.", text)
    assert bug_id is not None
    assert bug_id[1] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "inside story" not in text


async def test_given_a_bug_before_the_first_reply_then_it_is_posted() -> None:
    async def breaking() -> AsyncIterator[Reply]:
        nothing: dict[str, Reply] = {}
        yield nothing["never"]

    screen = Screen()
    await deliver(breaking(), screen, min_gap_s=0)
    assert [how for how, _ in screen.seen] == ["post"]


async def test_given_one_refused_reply_then_the_next_is_shown_and_work_goes_on() -> None:
    screen = Screen(refuse=1)

    async def working() -> AsyncIterator[Reply]:
        yield Reply("1 %")
        await screen.asked.acquire()
        yield Reply("done")

    await deliver(working(), screen, min_gap_s=0)
    assert screen.seen == [("post", "done")]


async def test_given_a_delivery_when_cancelled_then_no_task_is_left() -> None:
    started = asyncio.Event()
    closed = asyncio.Event()

    async def working() -> AsyncIterator[Reply]:
        try:
            yield Reply("1 %")
            started.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    delivery = asyncio.create_task(deliver(working(), Screen(), min_gap_s=0))
    await started.wait()
    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery
    assert closed.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(("why", "last"), [(STOPPING, "I am being restarted"), ("not wanted any more", "Looking")])
async def test_given_work_that_is_cancelled_then_only_a_stop_is_told_there(why: str, last: str) -> None:
    screen = Screen()

    async def working() -> AsyncIterator[Reply]:
        yield Reply("Looking", progress=Progress("looking", 0.5))
        await asyncio.Event().wait()

    task = asyncio.create_task(deliver(working(), screen, min_gap_s=0))
    await screen.asked.acquire()
    await asyncio.sleep(0)
    task.cancel(why)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert screen.seen[-1][1].startswith(last)


class Outage:
    """A platform that is out of order for some seconds of the loop's clock."""

    def __init__(self, for_s: float) -> None:
        self.seen: list[str] = []
        self.tries = 0
        self._for_s = for_s

    async def post(self, reply: Reply) -> None:
        self.tries += 1
        if asyncio.get_running_loop().time() < self._for_s:
            raise NotNow("503")
        self.seen.append(reply.text)

    edit = post


@pytest.mark.parametrize("outage_s", [90.0, 1000.0, 5 * 3600.0])
def test_given_an_outage_of_hours_when_it_ends_then_the_last_reply_shows(outage_s: float) -> None:
    platform = Outage(outage_s)
    assert quickloop.run(deliver(say("1 %", "done"), platform, 0.0))
    assert platform.seen == ["done"]
    assert platform.tries < 20


def test_given_an_outage_of_days_when_one_is_over_then_it_is_unanswered() -> None:
    platform = Outage(3 * 24 * 3600.0)
    assert not quickloop.run(deliver(say("done"), platform, 0.0))
    assert platform.tries < 40


def test_given_a_bug_in_drawing_when_some_tries_failed_then_no_more_follow() -> None:
    class Broken(Outage):
        async def post(self, reply: Reply) -> None:
            self.tries += 1
            raise KeyError(reply.text)

        edit = post

    platform = Broken(0.0)
    assert not quickloop.run(deliver(say("done"), platform, 0.0))
    assert platform.tries <= 6
