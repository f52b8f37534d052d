"""The reaction on a message that is worked on, until the last of its items is done. Comes when the rate allows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.slack.refusals import FAILURES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.pace import Pace
    from bot.slack.messages import SlackMessage

EYES = "eyes"


class WorkReaction:
    """Counts what is still under way in each message."""

    def __init__(self, client: AsyncWebClient, added: Pace, removed: Pace) -> None:
        self._client = client
        self._added = added
        self._removed = removed
        self._left: dict[tuple[str, str], int] = {}
        self._adding: dict[tuple[str, str], asyncio.Task[None]] = {}

    def expect(self, message: SlackMessage, count: int) -> None:
        """Note that so many things of a message are about to be worked on."""
        key = message.channel, message.ts
        self._left[key] = self._left.get(key, 0) + count

    @asynccontextmanager
    async def on(self, message: SlackMessage) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Work on one of the things that were expected; yields what notes that it is done, at the end at the latest."""
        is_under_way = True

        async def done(*, at_once: bool = False) -> None:
            nonlocal is_under_way
            if is_under_way:
                is_under_way = False
                await self._done(message, at_once=at_once)

        key = message.channel, message.ts
        if key not in self._adding:
            self._adding[key] = asyncio.create_task(self._add(message))
        try:
            yield done
        finally:
            await done(at_once=True)  # it was broken off: whoever stops the program does not wait for that

    async def _add(self, message: SlackMessage) -> None:
        await self._added.wait("", urgent=False)
        with suppress(*FAILURES):
            await self._client.reactions_add(channel=message.channel, timestamp=message.ts, name=EYES)

    async def _done(self, message: SlackMessage, *, at_once: bool) -> None:
        key = message.channel, message.ts
        self._left[key] = self._left.get(key, 1) - 1
        if self._left[key] > 0:
            return
        del self._left[key]
        adding = self._adding.pop(key)
        if not adding.done():  # there was no room for it yet, or it is on its way
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
        if not at_once:
            await self._removed.wait("", urgent=True)
        with suppress(*FAILURES):
            await self._client.reactions_remove(channel=message.channel, timestamp=message.ts, name=EYES)
