"""The reactions under a message that Keaton works on: eyes until the last of its links and files is done.

Discord counts reactions of a channel by themselves, one in a quarter of a second, so they come when there is room for
them, and no answer waits for one.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import discord

from bot.discord.refusals import FAILURES
from bot.doors.fallback import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.doors.delivery import ReplyTarget
    from bot.doors.pace import Pace
    from core.model.reply import Reply

EYES = "👀"
WARNING = "⚠️"
"""Stands under a message whose answer Discord takes in no form."""


class DiscordWorkReaction:
    """Counts what is still under way in each message."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._left: dict[int, int] = {}
        self._adding: dict[int, asyncio.Task[None]] = {}
        self._there: set[int] = set()
        """Messages that may bear the reaction."""

    def expect(self, message: discord.Message, count: int) -> None:
        """Note that so many things of a message are about to be worked on."""
        self._left[message.id] = self._left.get(message.id, 0) + count

    @asynccontextmanager
    async def on(self, message: discord.Message) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Work on one of the things that were expected; yields what notes that it is done, at the end at the latest."""
        is_under_way = True

        async def done(*, at_once: bool = False) -> None:
            nonlocal is_under_way
            if is_under_way:
                is_under_way = False
                await self._done(message, at_once=at_once)

        if message.id not in self._adding:
            self._adding[message.id] = asyncio.create_task(self._add(message))
        try:
            yield done
        finally:
            await done(at_once=True)  # it was broken off: whoever stops the program does not wait for that

    async def _add(self, message: discord.Message) -> None:
        if may_react(message):
            await self._pace.wait(str(message.channel.id), urgent=False)
            self._there.add(message.id)
            with suppress(*FAILURES):
                await message.add_reaction(EYES)

    async def _done(self, message: discord.Message, *, at_once: bool) -> None:
        self._left[message.id] = self._left.get(message.id, 1) - 1
        if self._left[message.id] > 0:
            return
        del self._left[message.id]
        adding = self._adding.pop(message.id)
        if not adding.done():  # there was no room for it yet, or it is on its way
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
        me: discord.Member | None = message.guild.me if message.guild else None
        if message.id not in self._there and not _bears(message):
            return
        self._there.discard(message.id)
        if me is None:
            return
        if not at_once:
            await self._pace.wait(str(message.channel.id), urgent=True)
        with suppress(*FAILURES):
            await message.remove_reaction(EYES, me)


class WarningTarget:
    """A place below a message, which gets a warning sign where the last word about it is refused in every form."""

    def __init__(self, place: ReplyTarget, message: discord.Message | discord.PartialMessage) -> None:
        self._place = place
        self._message = message

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply, self._place.post)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply, self._place.edit)

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        try:
            await draw(reply)
        except Refused:
            if reply.progress is None and isinstance(self._message, discord.Message) and may_react(self._message):
                with suppress(*FAILURES):
                    await self._message.add_reaction(WARNING)
            raise


def _bears(message: discord.Message) -> bool:
    """Tell whether an earlier run, which did not get to take it away, left the reaction there."""
    return any(one.me and str(one.emoji) == EYES for one in message.reactions)


def may_react(message: discord.Message) -> bool:
    """Tell whether Keaton may react there: refused requests count towards a ban."""
    me: discord.Member | None = message.guild.me if message.guild else None
    if me is None or not isinstance(message.channel, discord.abc.GuildChannel | discord.Thread):
        return True
    allowed = message.channel.permissions_for(me)
    return allowed.add_reactions and allowed.read_message_history
