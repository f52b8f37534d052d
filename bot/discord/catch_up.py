"""After a connection: which servers and channels Keaton is in, and what was missed in them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeAlias

import discord
from discord import utils

from bot.discord.config import DOOR
from bot.discord.permissions import scope_of
from bot.discord.recovery import take_up
from bot.discord.targets import FAILURES
from bot.doors.catch_up import FURTHEST_S, CatchUp, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.discord.desk import DiscordDesk
    from bot.doors.requests import DoorContext
    from core.model.requests import Job, MessageKey
    from core.model.video import Scope
    from core.retention import DepartureGrace

Readable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.Thread

logger = logging.getLogger(__name__)

_AT_ONCE = 4
_MOST_MESSAGES = 50
_MOST_KNOWN = 2000
_MOST_REQUESTS = 400
_A_PAGE = 100
"""Discord gives no more at once (message.mdx, "Get Channel Messages")."""
_MOST_ASKED = 50
_MOST_THREADS = 1000


class CatchUpClient(Protocol):
    """What this needs of the client."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Return the servers, also those that are out of order for now."""
        ...

    @property
    def application_id(self) -> int | None:
        """Return Keaton's own id."""
        ...

    @property
    def listening(self) -> bool:
        """Tell whether the gateway tells what happens."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Return a channel that the client knows."""
        ...

    async def take(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a message."""
        ...

    async def compare(self, message: discord.Message) -> None:
        """Take back what a message does not hold any more."""
        ...

    async def fetch_channel(self, channel_id: int, /) -> object:
        """Ask Discord for a channel: a thread that sleeps is not known to the client."""
        ...


class DiscordPresence(Presence):
    """Tells the grace period in which servers and channels Keaton is."""

    def __init__(self, client: CatchUpClient, grace: DepartureGrace) -> None:
        super().__init__(grace, DOOR.platform)
        self._client = client

    async def look_at(self, channel: discord.abc.GuildChannel) -> None:
        """See whether Keaton may read a channel."""
        me: discord.Member | None = channel.guild.me
        if me is None:  # Discord did not tell of Keaton's roles there, which is no sign of having lost them
            return
        allowed = channel.permissions_for(me)
        where = str(channel.guild.id), str(channel.id)
        is_inside = allowed.view_channel and allowed.read_message_history
        await (self.back(*where) if is_inside else self.left(*where))

    async def look(self) -> None:
        """Compare what is known with where Keaton is: much may have changed while it did not run."""
        present = {str(guild.id): guild for guild in self._client.guilds}
        asked = 0
        for scope in await self.grace.places(DOOR.platform):
            guild = present.get(scope.space)
            if guild is None:
                await self.left(scope.space)
            elif not guild.unavailable and guild.get_channel_or_thread(int(scope.channel)) is None:
                asked += 1
                if asked <= _MOST_ASKED:
                    await self._ask(scope)
            elif isinstance(channel := guild.get_channel(int(scope.channel)), discord.abc.GuildChannel):
                await self.look_at(channel)
        for space in present:
            await self.back(space)

    async def look_for_threads(self, guild: discord.Guild) -> None:
        """Ask for places of a server that Discord does not list: threads that slept went with their channel, unsaid."""
        known = [one for one in await self.grace.places(DOOR.platform) if one.space == str(guild.id)]
        asleep = [one for one in known if guild.get_channel_or_thread(int(one.channel)) is None]
        for scope in asleep[:_MOST_THREADS]:
            await self._ask(scope)

    async def _ask(self, scope: Scope) -> None:
        """Ask for what Discord did not list: a thread that sleeps, or a channel that is gone."""
        try:
            await self._client.fetch_channel(int(scope.channel))
        except discord.NotFound:
            await self.deleted(scope.space, scope.channel)
        except discord.Forbidden:
            await self.left(scope.space, scope.channel)
        except FAILURES as error:
            logger.warning("channel %s cannot be asked for: %s", scope.channel, error)
        else:
            await self.back(scope.space, scope.channel)


class DiscordCatchUp(CatchUp[discord.Message, Readable]):
    """Looks at what was missed on Discord, in all channels that Keaton may read."""

    failures = (*FAILURES, discord.ClientException)

    def __init__(
        self,
        client: CatchUpClient,
        desk: DiscordDesk,
        context: DoorContext,
        alive_every_s: float,
        again_s: Sequence[float],
    ) -> None:
        super().__init__(context, DOOR.platform, "", alive_every_s, again_s)
        self._client = client
        self._desk = desk
        self._is_running = False

    def connected(self) -> None:
        """Look back: this is a new session, in which the gateway replays nothing."""
        super().connected()
        if not self._is_running:
            self._is_running = True
            self._desk.start(self.run())

    def is_listening(self) -> bool:
        """Tell whether the gateway tells what happens."""
        return self._client.listening

    def mark(self, at_s: float) -> str:
        """Return the id that a message of that time would have."""
        return str(utils.time_snowflake(datetime.fromtimestamp(at_s, UTC)))

    def available(self, guild: discord.Guild) -> None:
        """Look back in a server that was not told of, or was away, when all others were looked at."""
        self.backoff.wake(lambda name: name.startswith(f"{guild.id}:"))
        self.wake()

    async def unavailable(self, guild: discord.Guild) -> None:
        """Note that from here on all that happens in a server is missed, until it is told of again."""
        await self.note_missed(_whole(guild), str(utils.time_snowflake(utils.utcnow())))

    async def catch_up(self, alive: str) -> None:
        """Take up what an earlier run left, then look at all channels."""
        await self.resume()
        missed, known, gate = await self.missed(), await self.known(_MOST_KNOWN), asyncio.Semaphore(_AT_ONCE)
        self._requests_left = _MOST_REQUESTS
        for guild in self._client.guilds:
            if guild.unavailable and alive:
                await self.note_missed(_whole(guild), alive)

        async def look(channel: Readable) -> None:
            since = missed.get(_name(channel)) or missed.get(_whole(channel.guild)) or alive
            async with gate:
                await self._look_at(channel, since, known)

        async with asyncio.TaskGroup() as group:
            for channel in _channels(self._client.guilds):
                group.create_task(look(channel))
        await self._check_sleeping(known)
        for name in missed:
            if name.endswith(":0") and self._is_there(name):
                await self.settle(name)

    async def try_again(self) -> None:
        """Look once more where it failed, as far as it is due, and at servers that are told of by now."""
        due = {name: since for name, since in (await self.missed()).items() if self.backoff.is_due(name)}
        if not due:
            return
        known, looked = await self.known(_MOST_KNOWN), set[str]()
        self._requests_left = _MOST_REQUESTS
        for channel in _channels(self._client.guilds):
            since = due.get(_name(channel)) or due.get(_whole(channel.guild))
            if since:
                looked.add(_name(channel))
                await self._look_at(channel, since, known)
        for name in due.keys() - looked:
            is_over = self._is_there(name) if name.endswith(":0") else int(due[name]) < _furthest()
            if is_over:
                await self.settle(name)
            else:
                self.backoff.failed(name)

    async def _look_at(self, channel: Readable, since: str, known: Mapping[Scope, Sequence[str]]) -> None:
        """Forget what was deleted in a channel, and look at what came; nothing, where no mark was ever made."""

        async def read() -> None:
            scope = scope_of(channel.guild.id, channel.id)
            await self.check(channel, scope, known.get(scope, ()))
            if since:
                await self._read(channel, max(int(since), _furthest()))

        await self.look_at(_name(channel), since, read())

    async def _read(self, channel: Readable, since: int) -> None:
        if (channel.last_message_id or 0) <= since:
            return
        after = discord.Object(since)
        missed = [one async for one in channel.history(limit=_MOST_MESSAGES, after=after, oldest_first=False)]
        for message in reversed(missed):
            await self.take(message)

    async def fetch(self, scope: Scope, message: str) -> discord.Message | None:
        """Return a message, or None where it is gone; raises discord.HTTPException."""
        channel = self._client.get_channel(int(scope.channel))
        if not isinstance(channel, discord.abc.Messageable):
            raise discord.ClientException(f"channel {scope.channel} is not there")
        try:
            return await channel.fetch_message(int(message))
        except discord.NotFound:
            return None

    async def take(self, message: discord.Message) -> None:
        """Look at a message that was missed."""
        await self._client.take(message, late=True)

    async def forget(self, scope: Scope, message: str) -> None:
        """Forget what a message brought."""
        await self._desk.forget_message(scope, message)

    async def note_answers(self, keys: Sequence[MessageKey]) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        scope, message = keys[0].scope, keys[0].message
        channel, asked = self._client.get_channel(int(scope.channel)), int(message)
        if not isinstance(channel, discord.abc.Messageable):
            return
        with suppress(discord.HTTPException):
            async for one in channel.history(limit=_A_PAGE, after=discord.Object(asked), oldest_first=True):
                me: discord.Member | None = one.guild.me if one.guild else None
                mine = me is not None and one.author.id == me.id
                if mine and one.reference is not None and one.reference.message_id == asked:
                    await self._desk.requests.answered(scope, message, str(one.id))

    async def take_up(self, job: Job) -> None:
        """Answer an interaction that an earlier run acknowledged, where its answer stands."""
        await take_up(self._client, self._desk, job)

    async def may_ask(self, _method: str) -> bool:
        """Count a request about known messages; tell whether it may be made."""
        self._requests_left -= 1
        return self._requests_left >= 0

    async def page(self, channel: Readable, newest: str) -> tuple[Mapping[str, discord.Message], Decimal]:
        """Return a page of a channel's history; raises discord.HTTPException."""
        before = discord.Object(int(newest) + 1)
        found = {str(one.id): one async for one in channel.history(limit=_A_PAGE, before=before)}
        return found, min(map(Decimal, found), default=Decimal(0)) if len(found) == _A_PAGE else Decimal(0)

    async def compare(self, scope: Scope, message: str, there: discord.Message | None) -> None:
        """Take back what a message does not hold any more, or all that it brought where it is gone."""
        await (self.forget(scope, message) if there is None else self._client.compare(there))

    async def _check_sleeping(self, known: Mapping[Scope, Sequence[str]]) -> None:
        """Compare known messages of threads that sleep: the client knows none of these."""
        present = {str(guild.id) for guild in self._client.guilds if not guild.unavailable}
        for scope, ids in known.items():
            is_asleep = scope.space in present and self._client.get_channel(int(scope.channel)) is None
            if is_asleep and await self.may_ask("channel"):
                try:
                    channel = await self._client.fetch_channel(int(scope.channel))
                    if isinstance(channel, discord.Thread) and _may_read(channel):
                        await self.check(channel, scope, ids)
                except FAILURES as error:
                    logger.warning("known messages of thread %s cannot be read: %s", scope.channel, error)

    def _is_there(self, name: str) -> bool:
        guild_id = int(name.partition(":")[0])
        return any(one.id == guild_id and not one.unavailable for one in self._client.guilds)


def _name(channel: Readable) -> str:
    return f"{channel.guild.id}:{channel.id}"


def _whole(guild: discord.Guild) -> str:
    return f"{guild.id}:0"


def _furthest() -> int:
    return utils.time_snowflake(utils.utcnow() - timedelta(seconds=FURTHEST_S))


def _channels(guilds: Sequence[discord.Guild]) -> Iterator[Readable]:
    """Yield the channels whose history may be read: elsewhere Discord would show an empty one."""
    for guild in guilds:
        if guild.unavailable:
            continue
        readable: list[Readable] = [*guild.text_channels]
        yield from (one for one in (*readable, *guild.voice_channels, *guild.threads) if _may_read(one))


def _may_read(channel: Readable) -> bool:
    """Tell whether a history may be read: elsewhere Discord would show an empty one."""
    me: discord.Member | None = channel.guild.me
    if me is None:
        return False
    try:
        allowed = channel.permissions_for(me)
    except discord.ClientException:  # the channel of a thread is not known
        return False
    may_join = allowed.connect or not isinstance(channel, discord.VoiceChannel)
    return allowed.view_channel and allowed.read_message_history and may_join
