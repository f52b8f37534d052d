"""Messages that show what is gone are taken back one by one, whatever goes wrong with some of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.showing import take_back
from core.model import Scope
from core.showcase import Stale

if TYPE_CHECKING:
    from collections.abc import Sequence

SCOPE = Scope("discord", "1", "2")


class Outbox:
    """Holds messages to be taken back until they are settled."""

    def __init__(self, *messages: str) -> None:
        self.left = {message: Stale(SCOPE, message) for message in messages}

    async def show(
        self, scope: Scope, message: str, films: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        raise AssertionError((scope, message, films, files, is_noted))

    async def stale(self, _platform: str, _space: str = "") -> tuple[Stale, ...]:
        return tuple(self.left.values())

    async def settle(self, stale: Stale) -> None:
        del self.left[stale.message]


async def test_a_message_that_cannot_be_reached_is_tried_again_and_keeps_no_other_from_being_taken_back() -> None:
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

    loop = asyncio.create_task(take_back(outbox, "discord", "", change, 60.0, hint))
    await asyncio.wait_for(is_done.wait(), 5)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert tried == ["lost", "found", "lost"]
