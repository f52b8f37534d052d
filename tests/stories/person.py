"""What a person does at any platform, and what they then see."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


@dataclass(frozen=True)
class Card:
    """What Keaton says, as a person sees it."""

    words: str
    pictures: tuple[str, ...]
    buttons: tuple[str, ...]
    handle: Any
    """The platform's own message."""


class Driver(Protocol):
    """A person at one platform. Each method waits until Keaton says the expected words, and gives that card."""

    async def post(self, text: str, expected: str) -> Card:
        """Post a message."""
        ...

    async def find(self, text: str, expected: str) -> Card:
        """Search."""
        ...

    async def press(self, card: Card, label: str, expected: str) -> Card:
        """Press a button."""
        ...

    async def take_back(self, title: str) -> None:
        """Take the video back that was posted last: by deleting the message, or as else one does there."""
        ...


@asynccontextmanager
async def running(door: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(door)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
