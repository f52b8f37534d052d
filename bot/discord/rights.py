"""Who can read which channel: the roles and overwrites of a server as plain data, and what follows from them.

Keaton does not know the members (that takes a privileged intent), so it asks whether any set of roles, or any member
with an overwrite, could see one channel and not read another. A wrong "no" is possible, a wrong "yes" is not. Snapshots
are taken on the event loop, where nothing changes meanwhile, and may then be used on another thread.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import discord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ADMINISTRATOR, VIEW, HISTORY, CONNECT = 1 << 3, 1 << 10, 1 << 16, 1 << 20
KEPT = ADMINISTRATOR | VIEW | HISTORY | CONNECT
"""The bits of permissions that matter here."""
_WHILE_TIMED_OUT = VIEW | HISTORY
Overwrite: TypeAlias = tuple[int, int]
"""The bits that are allowed and those that are denied."""
_NONE: Overwrite = (0, 0)
_MOST_KNOWN = 20_000
Place: TypeAlias = discord.abc.GuildChannel | discord.Thread
_VOICE = (discord.VoiceChannel, discord.StageChannel)


@dataclass(frozen=True, slots=True)
class ChannelRights:
    """A channel or thread, as far as it matters who reads it."""

    id: int
    name: str
    overwrites: Mapping[int, Overwrite]
    """By the id of a role or member. A thread has none; those of its channel count."""
    is_voice: bool = False
    is_safe: bool = True
    """Not for adults alone."""
    parent: int | None = None
    """Of a thread: the channel that it is in."""
    is_closed: bool = False
    """A thread for those alone who were added to it."""

    @property
    def needed(self) -> int:
        """Return the bits that reading takes; the talk beside a voice channel takes the right to join it."""
        return VIEW | HISTORY | (CONNECT if self.is_voice else 0)


@dataclass(frozen=True, slots=True)
class Asker:
    """A member of a server."""

    id: int
    roles: frozenset[int]
    is_timed_out: bool = False


@dataclass(frozen=True, slots=True)
class ServerRights:
    """The roles and channels of a server."""

    id: int
    owner_id: int
    me: Asker
    """Keaton itself."""
    own_role: int
    """The role that Discord made for Keaton alone, or 0: nobody else has it."""
    roles: Mapping[int, int]
    """The permissions of each role, by its id; everybody's has the id of the server."""
    sorts: Mapping[int, int]
    """How many roles have these very permissions, without everybody's and Keaton's own."""
    channels: Mapping[int, ChannelRights]
    threads: Mapping[int, ChannelRights]
    """Those that are not archived."""

    def reads(self, who: Asker, one: ChannelRights) -> bool:
        """Tell whether a member may read what was said in a channel or thread before."""
        root = one if one.parent is None else self.channels.get(one.parent)
        if root is None:  # a thread whose channel is not known
            return False
        return self._bits(who, root) & one.needed == one.needed

    def _bits(self, who: Asker, channel: ChannelRights) -> int:
        if who.id == self.owner_id:
            return KEPT
        base = self.roles.get(self.id, 0)
        for role in who.roles:
            base |= self.roles.get(role, 0)
        if base & ADMINISTRATOR:
            return KEPT
        found = channel.overwrites
        allowed = denied = 0
        for role in who.roles & found.keys():
            allowed, denied = allowed | found[role][0], denied | found[role][1]
        for allow, deny in (found.get(self.id, _NONE), (allowed, denied), found.get(who.id, _NONE)):
            base = base & ~deny | allow
        return base & _WHILE_TIMED_OUT if who.is_timed_out else base


def sorts_of(roles: Mapping[int, int], apart: Iterable[int]) -> Mapping[int, int]:
    """Count roles by their permissions, without some."""
    without = set(apart)
    return Counter(bits for role, bits in roles.items() if role not in without)


class Readers:
    """Tells whether everybody who sees one channel reads another; remembers what it has worked out.

    Each bit that reading takes is looked at by itself. Beside it and the right to see, a role or a member comes in at
    most 64 kinds (what it has, what is allowed to it and denied, in either channel), so that the work is bounded
    whatever the number of roles, and servers of all sizes share what is remembered.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], bool] = {}

    def all_read(self, server: ServerRights, seen: ChannelRights, read: ChannelRights) -> bool:
        """Tell whether everybody who can see a channel can read another for certain."""
        everyone = server.roles.get(server.id, 0)
        if everyone & ADMINISTRATOR:
            return True
        people = _people(server, seen, read)
        return not any(self._could_miss(bit, people, everyone, server.id) for bit in _split(read.needed))

    def _could_miss(self, bit: int, people: _People, everyone: int, everyone_id: int) -> bool:
        mine = people.seen.get(everyone_id, _NONE), people.read.get(everyone_id, _NONE)
        key = (
            _kind(everyone, *mine, bit),
            _mask(_kind(*one, bit) for one in people.roles),
            _mask(_kind(*one, bit) for one in people.members),
        )
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = _could_miss(*key)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _People:
    """Everybody who may be there: permissions, and exceptions in the channel that is seen and in the one to be read."""

    seen: Mapping[int, Overwrite]
    read: Mapping[int, Overwrite]
    roles: tuple[tuple[int, Overwrite, Overwrite], ...]
    members: tuple[tuple[int, Overwrite, Overwrite], ...]


def _people(server: ServerRights, seen: ChannelRights, read: ChannelRights) -> _People:
    named = {*seen.overwrites, *read.overwrites} - {server.id, server.own_role, server.me.id}
    roles, members, left = [], [], Counter(server.sorts)
    for one in named:
        both = seen.overwrites.get(one, _NONE), read.overwrites.get(one, _NONE)
        if one in server.roles:
            left[server.roles[one]] -= 1
            roles.append((server.roles[one], *both))
        else:
            members.append((0, *both))
    roles += [(bits, _NONE, _NONE) for bits, count in left.items() if count > 0]
    ordinary = tuple(one for one in roles if not one[0] & ADMINISTRATOR)
    return _People(seen.overwrites, read.overwrites, ordinary, tuple(members))


# A kind is six bits: has VIEW, has the other bit; VIEW is allowed, denied there; the other bit is allowed, denied here.
def _kind(base: int, seen: Overwrite, read: Overwrite, bit: int) -> int:
    return (
        bool(base & VIEW)
        | bool(base & bit) << 1
        | bool(seen[0] & VIEW) << 2
        | bool(seen[1] & VIEW) << 3
        | bool(read[0] & bit) << 4
        | bool(read[1] & bit) << 5
    )


def _could_miss(everyone: int, roles: int, members: int) -> bool:
    """Tell whether a person could see the one channel and lack the bit in the other.

    Two roles are enough: one that lets a person see, one that keeps them from reading.
    """
    kinds = [0, *_unmask(roles)]
    several = {first | second for first in kinds for second in kinds}
    return any(_misses(everyone, some, member) for some in several for member in (0, *_unmask(members)))


def _misses(everyone: int, roles: int, member: int) -> bool:
    """Apply exceptions in Discord's order: for everyone, for all roles at once, for the member."""
    base = everyone | roles
    sees, has = base & 1, base >> 1 & 1
    for kind in (everyone, roles, member):
        sees = kind >> 2 & 1 or (sees and not kind >> 3 & 1)
        has = kind >> 4 & 1 or (has and not kind >> 5 & 1)
    return bool(sees and not has)


def _split(bits: int) -> Iterator[int]:
    return (bit for bit in (VIEW, HISTORY, CONNECT) if bits & bit)


def _mask(kinds: Iterable[int]) -> int:
    mask = 0
    for kind in kinds:
        mask |= 1 << kind
    return mask


def _unmask(mask: int) -> Iterator[int]:
    return (kind for kind in range(64) if mask >> kind & 1)


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
        threads = {one.id: thread_rights(one) for one in guild.threads}
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


def member_rights(one: discord.Member) -> Asker:
    """Return a member's roles."""
    roles = frozenset(role.id for role in one.roles if not role.is_default())
    return Asker(one.id, roles, one.is_timed_out())


def channel_rights(one: discord.abc.GuildChannel) -> ChannelRights:
    """Return the rights in a channel."""
    return ChannelRights(one.id, one.name, _overwrites(one), isinstance(one, _VOICE), _is_safe(one))


def thread_rights(one: discord.Thread) -> ChannelRights:
    """Return the rights in a thread, which are its channel's."""
    return ChannelRights(one.id, one.name, {}, is_safe=_is_safe(one), parent=one.parent_id, is_closed=one.is_private())


def _server(guild: discord.Guild, known: dict[int, ChannelRights]) -> ServerRights:
    there = {one.id: one for one in guild.channels}
    for gone in known.keys() - there.keys():
        del known[gone]
    for one_id in there.keys() - known.keys():
        known[one_id] = channel_rights(there[one_id])
    roles = {role.id: role.permissions.value & KEPT for role in guild.roles}
    own = guild.self_role.id if guild.self_role else 0
    sorts = sorts_of(roles, (guild.id, own))
    return ServerRights(guild.id, guild.owner_id or 0, _me(guild), own, roles, sorts, dict(known), {})


def _me(guild: discord.Guild) -> Asker:
    """Return Keaton itself; where Discord did not tell of it, with the role alone that it has for certain."""
    me: discord.Member | None = guild.me
    if me is not None:
        return member_rights(me)
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
