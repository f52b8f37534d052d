"""Which channels an answer may draw on, and which permissions Keaton lacks. Owns that judgement; sends nothing.

A public answer draws only on what everybody who can see it could read by themselves; one for the asker alone draws on
what the asker can read. Both are worked out anew each time, from the permissions as they are now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.config import DOOR
from bot.discord.readers import Readers
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
