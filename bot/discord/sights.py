"""Computes what answers may draw on in a thread beside the event loop, and keeps it until permissions change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from bot.discord import permissions, snapshots
from bot.discord.permissions import Standpoint
from bot.discord.rights import Readers
from bot.discord.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bot.discord.permissions import Rooms, Where
    from bot.discord.rights import ChannelRights, ServerRights
    from core.model.video import View

T = TypeVar("T")

_MOST_KEPT = 500


class Sights:
    """Answers from the rights as they are; one thread, so that it takes one core at most, however many ask."""

    def __init__(self) -> None:
        self.snapshots = Snapshots()
        self._readers = Readers()
        self._pool = ThreadPoolExecutor(1, "sight")
        self._kept: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()

    def at(
        self, guild: discord.Guild | None, guild_id: int, place: object, channel_id: int, asker: object = None
    ) -> Standpoint:
        """Return a standpoint; cheap, so that it may be asked for before an acknowledgement."""
        if guild is None or guild.unavailable or not guild.roles:
            return Standpoint(guild_id, channel_id)
        version, server = self.snapshots.of(guild)
        who = snapshots.member(asker) if isinstance(asker, discord.Member) else None
        return Standpoint(guild_id, channel_id, server, _place(server, place), who, version)

    def is_private(self, at: Standpoint, where: Where) -> bool:
        """Tell whether the answer to a search is for the asker alone; bounded, for it is asked before acknowledging."""
        return permissions.is_private(at, where, self._readers)

    def here(self, at: Standpoint) -> View:
        """Return what a public answer may draw on of this channel alone; bounded likewise."""
        return permissions.here(at, self._readers)

    async def asked(self, at: Standpoint, where: Where) -> View:
        """Return what the answer to a search may draw on."""
        return await self._worked_out(at, partial(permissions.asked_view, at, where, self._readers), "asked", where)

    async def public(self, at: Standpoint) -> View:
        """Return what an answer for all in this channel may draw on of the whole server."""
        return await self._worked_out(at, partial(permissions.whole_server, at, self._readers), "public")

    async def own(self, at: Standpoint, *, everywhere: bool = False) -> View:
        """Return what an answer for the asker alone may draw on."""
        work = partial(permissions.own, at, self._readers, everywhere=everywhere)
        return await self._worked_out(at, work, "own", everywhere)

    async def rooms(self, at: Standpoint, where: Where) -> Rooms:
        """Return the channels that `in:` may name."""
        return await self._worked_out(at, partial(permissions.rooms, at, where, self._readers), "rooms", where)

    async def _worked_out(self, at: Standpoint, work: Callable[[], T], *name: Hashable) -> T:
        """Work something out in the thread, once for all who ask for the same."""
        if at.server is None:
            return work()
        threads = tuple((one.id, one.parent, one.is_closed) for one in at.server.threads.values())
        who = at.server.me, at.server.owner_id, at.asker
        key = (at.guild_id, at.version, at.channel_id, at.place is None, *who, threads, name)
        if key not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.popitem(last=False)
            self._kept[key] = asyncio.get_running_loop().run_in_executor(self._pool, work)
        self._kept.move_to_end(key)
        try:
            found: T = await asyncio.shield(self._kept[key])
        except Exception:
            self._kept.pop(key, None)
            raise
        return found

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _place(server: ServerRights, place: object) -> ChannelRights | None:
    match place:
        case discord.Thread():
            return snapshots.thread(place)
        case discord.abc.GuildChannel():
            return server.channels.get(place.id) or snapshots.channel(place)
        case _:
            return None
