"""Copies of servers' roles and channels as plain data, renewed where something changed.

They are taken on the event loop, where nothing changes meanwhile, and may then be used on another thread.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.rights import KEPT, Asker, ChannelRights, Overwrite, ServerRights, sorts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Place: TypeAlias = discord.abc.GuildChannel | discord.Thread

_VOICE = (discord.VoiceChannel, discord.StageChannel)


@dataclass(slots=True)
class _Known:
    """What is known of a server."""

    channels: dict[int, ChannelRights] = field(default_factory=dict)
    rights: ServerRights | None = None
    version: int = 0


class Snapshots:
    """Gives the rights in servers; `forget_…` is to be called after each event that changes some."""

    def __init__(self) -> None:
        self._servers: dict[int, _Known] = {}
        self._versions = itertools.count(1)

    def of(self, guild: discord.Guild) -> tuple[int, ServerRights]:
        """Return the rights in a server, and a number that changes with its roles and channels."""
        known = self._servers.setdefault(guild.id, _Known())
        if known.rights is None:
            known.rights, known.version = _server(guild, known.channels), next(self._versions)
        threads = {one.id: thread(one) for one in guild.threads}
        return known.version, replace(known.rights, owner_id=guild.owner_id or 0, me=_me(guild), threads=threads)

    def forget_channel(self, guild_id: int, channel_id: int) -> None:
        """Read a channel again: it came, went or changed."""
        known = self._servers.get(guild_id, _Known())
        known.channels.pop(channel_id, None)
        known.rights = None

    def forget_roles(self, guild_id: int) -> None:
        """Read the roles of a server again, and which channels it has."""
        self._servers.get(guild_id, _Known()).rights = None

    def forget_server(self, guild_id: int) -> None:
        """Read all of a server again."""
        self._servers.pop(guild_id, None)


def member(one: discord.Member) -> Asker:
    """Return a member's roles."""
    roles = frozenset(role.id for role in one.roles if not role.is_default())
    return Asker(one.id, roles, one.is_timed_out())


def channel(one: discord.abc.GuildChannel) -> ChannelRights:
    """Return the rights in a channel."""
    return ChannelRights(one.id, one.name, _overwrites(one), isinstance(one, _VOICE), _is_safe(one))


def thread(one: discord.Thread) -> ChannelRights:
    """Return the rights in a thread, which are its channel's."""
    return ChannelRights(one.id, one.name, {}, is_safe=_is_safe(one), parent=one.parent_id, is_closed=one.is_private())


def _server(guild: discord.Guild, known: dict[int, ChannelRights]) -> ServerRights:
    there = {one.id: one for one in guild.channels}
    for gone in known.keys() - there.keys():
        del known[gone]
    for one_id in there.keys() - known.keys():
        known[one_id] = channel(there[one_id])
    roles = {role.id: role.permissions.value & KEPT for role in guild.roles}
    own = guild.self_role.id if guild.self_role else 0
    sorts = sorts_of(roles, (guild.id, own))
    return ServerRights(guild.id, guild.owner_id or 0, _me(guild), own, roles, sorts, dict(known), {})


def _me(guild: discord.Guild) -> Asker:
    """Return Keaton itself; where Discord did not tell of it, with the role alone that it has for certain."""
    me: discord.Member | None = guild.me
    if me is not None:
        return member(me)
    own, my_id = guild.self_role, guild._state.self_id  # noqa: SLF001 - as the library asks for `guild.me`
    return Asker(my_id or 0, frozenset({own.id} if own else ()))


def _overwrites(one: discord.abc.GuildChannel) -> Mapping[int, Overwrite]:
    """Return the exceptions that matter.

    The library's public way looks up a role or member for each and makes an object of fifty flags: some 15 us each,
    which is a third of a second in a large server.
    """
    pairs = ((each.id, each.allow & KEPT, each.deny & KEPT) for each in one._overwrites)  # noqa: SLF001 - see above
    return {target: (allow, deny) for target, allow, deny in pairs if allow or deny}


def _is_safe(one: Place) -> bool:
    is_nsfw = getattr(one, "is_nsfw", None)
    return is_nsfw is None or not is_nsfw()
