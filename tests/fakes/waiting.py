"""How stories wait for what they expect of a small platform."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

T = TypeVar("T")

PATIENCE_S = 90.0


class Waited:
    """Says that something has moved, and lets stories wait until it is what they expect."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.trouble = ""
        """Why nothing can be expected any more: whoever waits fails at once."""
        self._changed = asyncio.Event()

    def moved(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, found: Callable[[], T | None], what: str, within_s: float = PATIENCE_S) -> T:
        """Wait until something is there, and give it; fails by then, saying what is missing."""
        try:
            async with asyncio.timeout(within_s):
                while not (seen := found()):
                    assert not self.trouble, self.trouble
                    await self._changed.wait()
                return seen
        except TimeoutError:
            raise AssertionError(f"after {within_s} s still not: {what}; refused: {self.refused[-3:]}") from None


async def logged(caplog: pytest.LogCaptureFixture, words: str, times: int = 1) -> None:
    """Wait until the log says something so often: a log tells nobody, so it is looked at again and again."""
    async with asyncio.timeout(PATIENCE_S):
        while caplog.text.count(words) < times:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)
