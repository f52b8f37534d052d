"""Messages that show what is gone are taken back one by one, whatever goes wrong with some of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.doors.messages import Removals, Stuck, take_back
from bot.doors.pace import Backoff
from bot.doors.requests import DrawOrder
from core.model.video import Scope
from core.ports.retention import Stale

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from bot.doors.requests import AcceptedRequest

SCOPE = Scope("discord", "1", "2")


class Requests:
    """Notes which messages are taken back."""

    def __init__(self) -> None:
        self.taken_back = list[str]()

    async def is_outdone(self, taken: AcceptedRequest, message: str) -> bool:
        raise AssertionError((taken, message))

    async def note_taken_back(self, _scope: Scope, message: str) -> None:
        self.taken_back.append(message)


class Outbox:
    """Holds messages to be taken back until they are settled."""

    def __init__(self, *messages: str) -> None:
        self.left = {message: Stale(SCOPE, message) for message in messages}

    async def show(
        self, scope: Scope, message: str, videos: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        raise AssertionError((scope, message, videos, files, is_noted))

    async def stale(self, _platform: str, _space: str = "") -> tuple[Stale, ...]:
        return tuple(self.left.values())

    async def settle(self, stale: Stale) -> None:
        del self.left[stale.message]


async def test_given_an_unreachable_message_then_retries_hold_up_no_other() -> None:
    outbox, tried, hint = Outbox("lost", "found"), list[str](), asyncio.Event()
    is_done = asyncio.Event()

    async def change(stale: Stale) -> bool:
        tried.append(stale.message)
        if tried == ["lost"]:
            raise TimeoutError
        if stale.message == "lost":
            is_done.set()
        else:
            hint.set()
        return True

    removals = Removals(60.0, Backoff((0.0,)), hint, DrawOrder(Requests()))
    loop = asyncio.create_task(take_back(outbox, "discord", "", change, removals))
    await asyncio.wait_for(is_done.wait(), 30)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert tried == ["lost", "found", "lost"]


async def test_given_an_unchangeable_message_then_retries_grow_ever_rarer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox, tried, hint, now_s = Outbox("archived"), 0, asyncio.Event(), [0.0]
    removals = Removals(0.0, Backoff((10.0, 3600.0), lambda: now_s[0]), hint, DrawOrder(Requests()))
    is_open = False

    async def change(_stale: Stale) -> bool:
        nonlocal tried
        tried += 1
        if not is_open:
            raise Stuck("the thread is archived")
        return True

    async def looked() -> None:
        for _ in range(20):
            await asyncio.sleep(0.001)

    loop = asyncio.create_task(take_back(outbox, "discord", "", change, removals))
    for at_s, expected in ((0.0, 1), (9.0, 1), (10.0, 2), (3000.0, 2), (3610.0, 3), (7200.0, 3)):
        now_s[0] = at_s
        await looked()
        assert tried == expected, at_s
    is_open = True
    removals.wake("another")
    await looked()
    assert tried == 3
    removals.wake(SCOPE.channel)
    await looked()
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert (tried, outbox.left) == (4, {})
    assert caplog.text.count("the thread is archived") == 1
