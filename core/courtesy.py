"""Who asks goes first. Owns whether somebody waits for an answer, and how long a film lets them; knows no noun."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNING_S = 5.0
"""A film begins so much later at most, where somebody always asks."""
BATCH_S = 1.0
"""Likewise each batch of its looks."""


class Courtesy:
    """Lets work for films begin between questions."""

    def __init__(self) -> None:
        self._asking = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Wait for an answer."""
        self._asking += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                self._nobody.set()

    async def after_you(self, patience_s: float) -> None:
        """Wait until nobody waits for an answer, or until patience ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self._asking:
                    await self._nobody.wait()
