"""What an answer may draw on, worked out straightforwardly from the library's objects, as Keaton once did.

It is slow in large servers, and here to say what the fast way has to give.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.config import DOOR
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Iterator

Channel: TypeAlias = discord.abc.GuildChannel
Place: TypeAlias = discord.abc.GuildChannel | discord.Thread

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


def here(place: Place) -> View:
    """Give what a public answer may draw on of this channel alone, and in a thread of the channel that it is in.

    Nothing, where some see the channel but not its history.
    """
    return _view(place.guild, _here(place) if is_public(place) else set())


def whole_server(place: Place) -> View:
    """Give what a public answer may draw on: all that everybody who sees this place can read."""
    root = _root(place)
    if root is None or not is_public(place):
        return here(place)
    readers = Readers(root)
    ids = {one.id for one in place.guild.channels if readers.all_read(one) and _fits(one, place)}
    threads = {one.id for one in place.guild.threads if one.parent_id in ids and not one.is_private()}
    return _view(place.guild, _here(place) | ids | threads)


def rooms(place: Place, asker: discord.Member) -> tuple[tuple[str, str], ...]:
    """Give id and name of each channel that a public answer may draw on and that the asker can read."""
    ids = whole_server(place).channels
    return tuple((str(one.id), one.name) for one in _places(place.guild) if str(one.id) in ids and _reads(one, asker))


def own(place: Place, asker: discord.Member, *, everywhere: bool) -> View:
    """Give what an answer for the asker alone may draw on: what they can read of this channel, or of the server."""
    known = {one.id: one for one in _places(place.guild)} | {place.id: place}
    wanted = set(known) if everywhere else _here(place)
    ids = {one for one in wanted if one in known and _reads(known[one], asker) and _fits(known[one], place)}
    private = {one for one in ids if isinstance(thread := known[one], discord.Thread) and thread.is_private()}
    return _view(place.guild, ids - private | (_here(place) & ids))


def is_public(place: Place) -> bool:
    """Tell whether everybody who sees a place can read what was said there before.

    Where that is not so, answers are for the asker alone. Of a thread whose channel is not known nothing is held back.
    """
    root = _root(place)
    return root is None or Readers(root).all_read(root)


def _view(guild: discord.Guild, ids: set[int]) -> View:
    return View(DOOR.platform, str(guild.id), frozenset(map(str, ids)))


def _here(place: Place) -> set[int]:
    return {place.id, place.parent_id} if isinstance(place, discord.Thread) else {place.id}


def _root(place: Place) -> discord.abc.GuildChannel | None:
    return place.parent if isinstance(place, discord.Thread) else place


def _places(guild: discord.Guild) -> Iterator[Place]:
    yield from guild.channels
    yield from guild.threads


def _fits(one: Place, place: Place) -> bool:
    """Tell whether Keaton itself can read it still, and whether its pictures may appear in this place."""
    return _reads(one, one.guild.me) and (_is_safe(one) or not _is_safe(place))


def _reads(one: Place, who: discord.Member) -> bool:
    try:
        allowed = one.permissions_for(who)
    except discord.ClientException:  # a thread whose channel is not known
        return False
    is_voice = isinstance(one, discord.VoiceChannel | discord.StageChannel)
    return allowed.view_channel and allowed.read_message_history and (allowed.connect or not is_voice)


def _is_safe(place: Place) -> bool:
    is_nsfw = getattr(place, "is_nsfw", None)
    return is_nsfw is None or not is_nsfw()
