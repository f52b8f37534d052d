"""The reaction that shows that Keaton works on a message: there until the last of its links and files is done."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.slack.refusals import FAILURES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.posts import Message

EYES = "eyes"


class Eyes:
    """Counts what is still under way in each message."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._left: dict[tuple[str, str], int] = {}

    def expect(self, message: Message, count: int) -> None:
        """Note that so many things of a message are about to be worked on."""
        key = message.channel, message.ts
        self._left[key] = self._left.get(key, 0) + count

    @asynccontextmanager
    async def on(self, message: Message) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Work on one of the things that were expected; yields what notes that it is done, at the end at the latest."""
        is_under_way = True

        async def done() -> None:
            nonlocal is_under_way
            if is_under_way:
                is_under_way = False
                await self._done(message)

        with suppress(*FAILURES):  # that it is there already is one of them
            await self._client.reactions_add(channel=message.channel, timestamp=message.ts, name=EYES)
        try:
            yield done
        finally:
            await done()

    async def _done(self, message: Message) -> None:
        key = message.channel, message.ts
        self._left[key] = self._left.get(key, 1) - 1
        if self._left[key] <= 0:
            del self._left[key]
            with suppress(*FAILURES):
                await self._client.reactions_remove(channel=message.channel, timestamp=message.ts, name=EYES)
