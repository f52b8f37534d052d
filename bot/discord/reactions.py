"""The eyes under a message that is being worked on. Must not know what is done."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

EYES = "👀"


@asynccontextmanager
async def reaction(message: discord.Message) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Show by a reaction that a message is being worked on, where that is allowed; give what takes it away before."""
    is_there = _may_react(message)
    if is_there:
        with suppress(discord.HTTPException):
            await message.add_reaction(EYES)

    async def remove() -> None:
        nonlocal is_there
        me = message.guild.me if message.guild and is_there else None
        is_there = False
        with suppress(discord.HTTPException):
            if me is not None:
                await message.remove_reaction(EYES, me)

    try:
        yield remove
    finally:
        await remove()


def _may_react(message: discord.Message) -> bool:
    """Tell whether Keaton may react there: refused requests count towards a ban."""
    me: discord.Member | None = message.guild.me if message.guild else None
    if me is None or not isinstance(message.channel, discord.abc.GuildChannel | discord.Thread):
        return True
    allowed = message.channel.permissions_for(me)
    return allowed.add_reactions and allowed.read_message_history
