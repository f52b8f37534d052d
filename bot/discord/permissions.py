"""What an answer may draw on, and which permissions Keaton or the asker lacks.

A public answer draws on what everybody who sees it can read; one for the asker alone, on what the asker can read. The
functions are pure; `Sights` works them out in a thread beside the event loop, and remembers them until permissions
change.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import discord

from bot.discord.config import DOOR
from bot.discord.rights import Readers, Snapshots, channel_rights, member_rights, thread_rights
from core.model.video import Scope, View

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from bot.discord.rights import Asker, ChannelRights, ServerRights

Where: TypeAlias = Literal["this channel", "this server", "all I can read"]
Rooms: TypeAlias = tuple[tuple[str, str], ...]
"""Id and name of channels."""
T = TypeVar("T")
_MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Standpoint:
    """From where a person asks, as it was then."""

    guild_id: int
    channel_id: int
    server: ServerRights | None = None
    """None where the server is not known, or not yet."""
    place: ChannelRights | None = None
    """The channel or thread; None where it is neither, or not known."""
    asker: Asker | None = None
    version: int = 0
    """Changes with the roles and channels of the server."""

    @property
    def root(self) -> ChannelRights | None:
        """Return the channel, of a thread the one that it is in, where that is known."""
        if self.server is None or self.place is None or self.place.parent is None:
            return self.place
        return self.server.channels.get(self.place.parent)

    @property
    def here(self) -> frozenset[int]:
        """Return the ids of the place, and of the channel that it is in."""
        above = self.place.parent if self.place else None
        return frozenset({self.channel_id} if above is None else {self.channel_id, above})


def scope_of(guild_id: int, channel_id: int) -> Scope:
    """Return the scope of a channel or thread."""
    return Scope(DOOR.platform, str(guild_id), str(channel_id))


def is_private(at: Standpoint, where: Where, readers: Readers) -> bool:
    """Tell whether the answer to a search is for the asker alone.

    Where some see this channel but not its history, and where the asker wants all that they can read, it is.
    """
    return where == "all I can read" or not is_public(at, readers)


def asked_view(at: Standpoint, where: Where, readers: Readers) -> View:
    """Return what the answer to a search may draw on."""
    if is_private(at, where, readers):
        return own(at, readers, everywhere=where != "this channel")
    return whole_server(at, readers) if where == "this server" else here(at, readers)


def rooms(at: Standpoint, where: Where, readers: Readers) -> Rooms:
    """Return the channels that `in:` may name: that the answer may draw on, and that the asker can read."""
    if at.server is None or at.asker is None:
        return ()
    alone = is_private(at, where, readers)
    view = own(at, readers, everywhere=True) if alone else whole_server(at, readers)
    found = [one for one in _places(at.server) if str(one.id) in view.channels and at.server.reads(at.asker, one)]
    return tuple((str(one.id), one.name) for one in found)


def here(at: Standpoint, readers: Readers) -> View:
    """Return what a public answer may draw on of this channel alone, and in a thread of the channel that it is in.

    Nothing, where some see the channel but not its history.
    """
    return _view(at, at.here if is_public(at, readers) else frozenset())


def whole_server(at: Standpoint, readers: Readers) -> View:
    """Return what a public answer may draw on: all that everybody who sees this place can read."""
    server, root, place = at.server, at.root, at.place
    if server is None or root is None or place is None or not is_public(at, readers):
        return here(at, readers)
    found = [one for one in server.channels.values() if _fits(server, one, place)]
    ids = {one.id for one in found if readers.all_read(server, root, one)}
    threads = {one.id for one in server.threads.values() if one.parent in ids and not one.is_closed}
    return _view(at, at.here | ids | threads)


def own(at: Standpoint, readers: Readers, *, everywhere: bool) -> View:
    """Return what an answer for the asker alone may draw on: what they can read of this channel, or of the server."""
    server, place, asker = at.server, at.place, at.asker
    if server is None or place is None or asker is None:
        return here(at, readers)
    known = {one.id: one for one in _places(server)} | {place.id: place}
    wanted = [one for one in known.values() if everywhere or one.id in at.here]
    found = [one for one in wanted if server.reads(asker, one) and _fits(server, one, place)]
    return _view(at, frozenset(one.id for one in found if not one.is_closed or one.id in at.here))


def is_public(at: Standpoint, readers: Readers) -> bool:
    """Tell whether everybody who sees a place can read what was said there before.

    Where that is not so, answers are for the asker alone. Of a thread whose channel is not known nothing is held back.
    """
    return at.server is None or at.root is None or readers.all_read(at.server, at.root, at.root)


def switch_of(place: object, scope: Scope) -> Scope:
    """Return the scope whose switch counts in a place: a thread has none of its own."""
    if isinstance(place, discord.Thread):
        return scope_of(place.guild.id, place.parent_id)
    return scope


def missing(permissions: discord.Permissions, place: object) -> tuple[str, ...]:
    """Return the permissions that Keaton needs to answer in a channel and does not have, as Discord calls them."""
    return _lacking(permissions, ("view_channel", _send(place), "attach_files", "read_message_history"))


def unable(permissions: discord.Permissions, place: object) -> tuple[str, ...]:
    """Return the permissions that a person lacks to post by themselves what Keaton posts for them."""
    return _lacking(permissions, (_send(place), "attach_files"))


def _send(place: object) -> str:
    return "send_messages_in_threads" if isinstance(place, discord.Thread) else "send_messages"


def _lacking(permissions: discord.Permissions, needed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.replace("_", " ").title() for name in needed if not getattr(permissions, name))


def _view(at: Standpoint, ids: frozenset[int]) -> View:
    return View(DOOR.platform, str(at.guild_id), frozenset(map(str, ids)))


def _places(server: ServerRights) -> Iterator[ChannelRights]:
    yield from server.channels.values()
    yield from server.threads.values()


def _fits(server: ServerRights, one: ChannelRights, place: ChannelRights) -> bool:
    """Tell whether Keaton itself can read it still, and whether its pictures may appear in this place."""
    return server.reads(server.me, one) and (one.is_safe or not place.is_safe)


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
        who = member_rights(asker) if isinstance(asker, discord.Member) else None
        return Standpoint(guild_id, channel_id, server, _place(server, place), who, version)

    def is_private(self, at: Standpoint, where: Where) -> bool:
        """Tell whether the answer to a search is for the asker alone; bounded, for it is asked before acknowledging."""
        return is_private(at, where, self._readers)

    def here(self, at: Standpoint) -> View:
        """Return what a public answer may draw on of this channel alone; bounded likewise."""
        return here(at, self._readers)

    async def asked(self, at: Standpoint, where: Where) -> View:
        """Return what the answer to a search may draw on."""
        return await self._worked_out(at, partial(asked_view, at, where, self._readers), "asked", where)

    async def public(self, at: Standpoint) -> View:
        """Return what an answer for all in this channel may draw on of the whole server."""
        return await self._worked_out(at, partial(whole_server, at, self._readers), "public")

    async def own(self, at: Standpoint, *, everywhere: bool = False) -> View:
        """Return what an answer for the asker alone may draw on."""
        work = partial(own, at, self._readers, everywhere=everywhere)
        return await self._worked_out(at, work, "own", everywhere)

    async def rooms(self, at: Standpoint, where: Where) -> Rooms:
        """Return the channels that `in:` may name."""
        return await self._worked_out(at, partial(rooms, at, where, self._readers), "rooms", where)

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
            return thread_rights(place)
        case discord.abc.GuildChannel():
            return server.channels.get(place.id) or channel_rights(place)
        case _:
            return None
