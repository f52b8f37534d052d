"""In which servers and channels Keaton is; tells the grace period where it was removed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

import discord

from bot.discord.config import DOOR
from bot.discord.permissions import scope_of
from core.model.video import Scope
from core.ports.retention import WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.retention import DepartureGrace

logger = logging.getLogger(__name__)

_MOST_ASKED = 50
_MOST_THREADS = 1000


class PresenceClient(Protocol):
    """What this needs of the client."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Give the servers, also those that are out of order for now."""
        ...

    async def fetch_channel(self, channel_id: int, /) -> object:
        """Ask Discord for a channel."""
        ...


class DiscordPresence:
    """Tells the grace period where Keaton is and where it is not any more."""

    def __init__(self, client: PresenceClient, grace: DepartureGrace) -> None:
        self._client = client
        self._grace = grace

    async def left(self, guild: discord.Guild) -> None:
        """Keaton was removed from a server."""
        await self._grace.left(_whole(guild.id))

    async def joined(self, guild: discord.Guild) -> None:
        """Keaton is in a server."""
        await self._grace.back(_whole(guild.id))

    async def look_at(self, channel: discord.abc.GuildChannel) -> None:
        """See whether Keaton may read a channel."""
        me: discord.Member | None = channel.guild.me
        if me is None:  # Discord did not tell of Keaton's roles there, which is no sign of having lost them
            return
        allowed = channel.permissions_for(me)
        scope = scope_of(channel.guild.id, channel.id)
        is_inside = allowed.view_channel and allowed.read_message_history
        await (self._grace.back(scope) if is_inside else self._grace.left(scope))

    async def deleted(self, guild_id: int, channel_id: int) -> None:
        """Forget what a channel held; once more later, for a video that was on its way."""
        scope = scope_of(guild_id, channel_id)
        await self._grace.gone(scope)
        await self._grace.left(scope)

    async def look(self) -> None:
        """Compare what is known with where Keaton is: much may have changed while it did not run."""
        present = {str(guild.id): guild for guild in self._client.guilds}
        asked = 0
        for scope in await self._grace.places(DOOR.platform):
            guild = present.get(scope.space)
            if guild is None:
                await self._grace.left(Scope(scope.platform, scope.space, WHOLE))
            elif not guild.unavailable and guild.get_channel_or_thread(int(scope.channel)) is None:
                asked += 1
                if asked <= _MOST_ASKED:
                    await self._ask(scope)
            elif isinstance(channel := guild.get_channel(int(scope.channel)), discord.abc.GuildChannel):
                await self.look_at(channel)
        for guild in present.values():
            await self.joined(guild)

    async def look_for_threads(self, guild: discord.Guild) -> None:
        """Ask for places of a server that Discord does not list: threads that slept went with their channel, unsaid."""
        known = [one for one in await self._grace.places(DOOR.platform) if one.space == str(guild.id)]
        asleep = [one for one in known if guild.get_channel_or_thread(int(one.channel)) is None]
        for scope in asleep[:_MOST_THREADS]:
            await self._ask(scope)

    async def _ask(self, scope: Scope) -> None:
        """Ask for what Discord did not list: a thread that sleeps, or a channel that is gone."""
        try:
            await self._client.fetch_channel(int(scope.channel))
        except discord.NotFound:
            await self.deleted(int(scope.space), int(scope.channel))
        except discord.Forbidden:
            await self._grace.left(scope)
        except discord.HTTPException as error:
            logger.warning("channel %s cannot be asked for: %s", scope.channel, error)
        else:
            await self._grace.back(scope)


def _whole(guild_id: int) -> Scope:
    return Scope(DOOR.platform, str(guild_id), WHOLE)
