"""Time that passes as fast as it can: for what waits by the clock, but for no network, thread or process."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


class QuickLoop(asyncio.SelectorEventLoop):
    """A loop without a network, whose clock jumps to what comes next: however busy the machine is, nothing is late."""

    def __init__(self) -> None:
        super().__init__(_NeverWaiting(self))
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s


class _NeverWaiting(selectors.DefaultSelector):
    def __init__(self, loop: QuickLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now_s += timeout or 0.0
        return super().select(0)


def run(work: Coroutine[None, None, Result]) -> Result:
    """Do some work by such a clock."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(work)
