"""Which channels an answer may draw on, and which permissions Keaton lacks. Owns that judgement; sends nothing.

An answer is public, so it draws only on what everybody who can read it could read by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.config import DOOR
from core.model import Scope, View

if TYPE_CHECKING:
    from collections.abc import Iterator

Place: TypeAlias = discord.abc.GuildChannel | discord.Thread


def scope_of(guild_id: int, channel_id: int) -> Scope:
    """Give the scope of a channel or thread."""
    return Scope(DOOR.platform, str(guild_id), str(channel_id))


def alone(guild_id: int, channel_id: int) -> View:
    """Give the view of a channel of which nothing else is known."""
    return View.of(scope_of(guild_id, channel_id))


def here(place: Place) -> View:
    """Give the view of one channel; in a thread its channel too, which all who read the thread can read."""
    return _view(place.guild, {place.id} | _parent(place))


def whole_server(place: Place, asker: discord.Member) -> View:
    """Give the view of this channel and of all that are open to everybody, the asker included."""
    open_ids = {one.id for one in _places(place.guild) if _is_open(one, place) and _reads(one, asker)}
    return _view(place.guild, here_ids(place) | open_ids)


def rooms(place: Place, asker: discord.Member) -> tuple[tuple[str, str], ...]:
    """Give id and name of each channel of `whole_server`."""
    ids = whole_server(place, asker).channels
    return tuple((str(one.id), one.name) for one in _places(place.guild) if str(one.id) in ids)


def here_ids(place: Place) -> set[int]:
    """Give the ids of the channels of `here`."""
    return {place.id} | _parent(place)


def switch_of(place: object, scope: Scope) -> Scope:
    """Give the scope whose switch counts in a place: a thread has none of its own."""
    if isinstance(place, discord.Thread):
        return scope_of(place.guild.id, place.parent_id)
    return scope


def missing(permissions: discord.Permissions, place: object) -> tuple[str, ...]:
    """Give the permissions that Keaton needs to answer in a channel and does not have, as Discord calls them."""
    send = "send_messages_in_threads" if isinstance(place, discord.Thread) else "send_messages"
    needed = ("view_channel", send, "attach_files", "read_message_history")
    return tuple(name.replace("_", " ").title() for name in needed if not getattr(permissions, name))


def _view(guild: discord.Guild, ids: set[int]) -> View:
    return View(DOOR.platform, str(guild.id), frozenset(map(str, ids)))


def _parent(place: Place) -> set[int]:
    return {place.parent_id} if isinstance(place, discord.Thread) else set()


def _places(guild: discord.Guild) -> Iterator[Place]:
    yield from guild.channels
    yield from guild.threads


def _is_open(one: Place, place: Place) -> bool:
    """Tell whether everybody may read it, and whether its pictures may appear in this place."""
    if isinstance(one, discord.Thread) and one.is_private():
        return False
    return _reads(one, one.guild.default_role) and (_is_safe(one) or not _is_safe(place))


def _reads(one: Place, who: discord.Member | discord.Role) -> bool:
    allowed = one.permissions_for(who)
    return allowed.view_channel and allowed.read_message_history


def _is_safe(place: Place) -> bool:
    is_nsfw = getattr(place, "is_nsfw", None)
    return is_nsfw is None or not is_nsfw()
