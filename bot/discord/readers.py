"""Whether everybody who can see one channel can read another. Owns Discord's arithmetic of permissions; sends nothing.

Keaton does not know who has which roles: that would take a privileged intent. So it asks whether any set of roles, or
any member with an exception of their own, could see the one channel and not read the other. A wrong "no" is possible
(nobody may have that set of roles), a wrong "yes" is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import discord

if TYPE_CHECKING:
    from collections.abc import Iterator

    Channel: TypeAlias = discord.abc.GuildChannel

_VIEW = discord.Permissions(view_channel=True).value
_READ = discord.Permissions(view_channel=True, read_message_history=True).value
_READ_VOICE = _READ | discord.Permissions(connect=True).value
_ADMINISTRATOR = discord.Permissions(administrator=True).value

Overwrite: TypeAlias = tuple[int, int]
"""The bits that are allowed and those that are denied."""
_NONE: Overwrite = (0, 0)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a role, or a member's own exception, comes to in two channels."""

    base: int
    seen: Overwrite
    read: Overwrite


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides whether everybody who sees one channel reads another."""

    everyone: Kind
    roles: frozenset[Kind]
    members: frozenset[Kind]
    """Of those who have an exception in either channel; `base` is 0."""
    needed: int
    """The bits that reading takes."""


class Readers:
    """Answers for one place; remembers what it has worked out, as channels of a category are mostly alike."""

    def __init__(self, place: Channel) -> None:
        self._place = place
        self._known: dict[Facts, bool] = {}

    def all_read(self, one: Channel) -> bool:
        """Tell whether everybody who can see the place can read this channel for certain."""
        facts = _facts(self._place, one)
        if facts not in self._known:
            self._known[facts] = not any(_is_counterexample(facts, roles, who) for roles, who in _people(facts))
        return self._known[facts]


def _people(facts: Facts) -> Iterator[tuple[tuple[Kind, ...], Kind]]:
    """Give people of all sorts. Two roles are enough: one that lets somebody see, one that keeps them from reading."""
    for who in {Kind(0, _NONE, _NONE), *facts.members}:
        for count in range(3):
            for roles in combinations(facts.roles, count):
                yield roles, who


def _is_counterexample(facts: Facts, roles: tuple[Kind, ...], who: Kind) -> bool:
    base = facts.everyone.base
    for role in roles:
        base |= role.base
    if base & _ADMINISTRATOR:
        return False
    sees = _bits(base, facts.everyone.seen, [role.seen for role in roles], who.seen)
    reads = _bits(base, facts.everyone.read, [role.read for role in roles], who.read)
    return bool(sees & _VIEW) and reads & facts.needed != facts.needed


def _bits(base: int, everyone: Overwrite, roles: list[Overwrite], own: Overwrite) -> int:
    """Apply exceptions in Discord's order: for everyone, for all roles at once, for the member."""
    allowed = denied = 0
    for allow, deny in roles:
        allowed |= allow
        denied |= deny
    for allow, deny in (everyone, (allowed, denied), own):
        base = base & ~deny | allow
    return base


def _facts(seen: Channel, read: Channel) -> Facts:
    guild, me = seen.guild, seen.guild.me
    ours = guild.self_role
    of_seen, of_read = _overwrites(seen), _overwrites(read)
    needed = _READ_VOICE if isinstance(read, discord.VoiceChannel | discord.StageChannel) else _READ
    roles = {role.id: role.permissions.value for role in guild.roles}

    def kind(target: int, base: int) -> Kind:
        cut = needed | _ADMINISTRATOR
        both = (of_seen.get(target, _NONE), of_read.get(target, _NONE))
        (a, b), (c, d) = ((allow & cut, deny & cut) for allow, deny in both)
        return Kind(base & cut, (a, b), (c, d))

    others = {one for one in {*of_seen, *of_read} - set(roles) if one != me.id}
    return Facts(
        everyone=kind(guild.id, roles[guild.id]),
        roles=frozenset(
            kind(one, base) for one, base in roles.items() if one != guild.id and one != getattr(ours, "id", 0)
        ),
        members=frozenset(kind(one, 0) for one in others),
        needed=needed,
    )


def _overwrites(channel: Channel) -> dict[int, Overwrite]:
    pairs = {target.id: overwrite.pair() for target, overwrite in channel.overwrites.items()}
    return {target: (allow.value, deny.value) for target, (allow, deny) in pairs.items()}
