"""What was missed while Keaton was away: a bounded look back, keyed on message ids so that none is answered twice.

Owns how far it looks; what the messages mean is the client's.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

import discord
from discord import utils

from bot.discord import resuming
from bot.discord.config import DOOR
from bot.discord.sight import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.discord.desk import Desk
    from bot.doors import Parts
    from core.ledger import Errand
    from core.model import Scope

logger = logging.getLogger(__name__)

Readable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.Thread

_ALIVE = "discord:alive"
_FURTHEST = timedelta(hours=24)
_MOST_MESSAGES = 50
_MOST_POSTED = 2000
_ONE_REQUEST = 100


class Client(Protocol):
    """What this needs of the client."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Give the servers."""
        ...

    @property
    def application_id(self) -> int | None:
        """Give Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...

    async def take(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a message."""
        ...


class Lookback:
    """Notes now and then that nothing was missed, and after an absence looks at what came since."""

    def __init__(self, client: Client, desk: Desk, parts: Parts, alive_every_s: float) -> None:
        self._client = client
        self._desk = desk
        self._parts = parts
        self._alive_every_s = alive_every_s
        self._wanted = asyncio.Event()
        self._listening = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._closed = False

    def connected(self) -> None:
        """Look back: this is a new session, in which the gateway replays nothing."""
        self._wanted.set()
        if self._looking is None and not self._closed:  # discord.py may still dispatch events after its closing
            self._looking = asyncio.create_task(self._look())

    def resumed(self) -> None:
        """Go on noting: the gateway has replayed all that was missed."""
        self._listening.set()

    def disconnected(self) -> None:
        """Stop noting until all that was missed is known."""
        self._listening.clear()

    async def close(self) -> None:
        """Stop."""
        self._closed = True
        running = [task for task in (self._looking, self._noting) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._finish_errands()
                await self._notice_deletions()
                await self._read_on()
            except Exception:
                logger.exception("looking back failed")
            self._listening.set()
            if self._noting is None:
                self._noting = asyncio.create_task(self._note_alive())

    async def _note_alive(self) -> None:
        while True:
            await self._listening.wait()
            await self._parts.ledger.remember(_ALIVE, str(utils.time_snowflake(utils.utcnow())))
            await asyncio.sleep(self._alive_every_s)

    async def _finish_errands(self) -> None:
        """Take up what an earlier run died over."""
        left = [one for one in await self._parts.ledger.unsettled(DOOR.platform) if one.message]
        for errand in {(one.scope, one.message): one for one in left}.values():
            await self._finish(errand)
        for job in await self._parts.foreman.left(DOOR.platform):
            if not job.request.errand.message:
                await resuming.take_up(self._client, self._desk, job)

    async def _finish(self, errand: Errand) -> None:
        channel = self._client.get_channel(int(errand.scope.channel))
        if not isinstance(channel, discord.abc.Messageable):
            return
        try:
            await self._client.take(await channel.fetch_message(int(errand.message)), late=True)
        except discord.NotFound:
            await self._note_answers(channel, errand)
            await self._desk.forget_message(errand.scope, int(errand.message))
        except discord.HTTPException as error:
            logger.warning("message %s cannot be read again: %s", errand.message, error)

    async def _note_answers(self, channel: discord.abc.Messageable, errand: Errand) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        asked = int(errand.message)
        with suppress(discord.HTTPException):
            async for one in channel.history(limit=_ONE_REQUEST, after=discord.Object(asked), oldest_first=True):
                mine = one.guild is not None and one.author.id == one.guild.me.id
                if mine and one.reference is not None and one.reference.message_id == asked:
                    await self._desk.requests.answered(errand.scope, errand.message, str(one.id))

    async def _notice_deletions(self) -> None:
        """Forget what was deleted meanwhile, as far as one look at each channel shows."""
        known: dict[Scope, list[int]] = {}
        for scope, message in await self._parts.ledger.posted(DOOR.platform, _MOST_POSTED):
            known.setdefault(scope, []).append(int(message))
        for channel in _channels(self._client.guilds):
            ids = known.get(scope_of(channel.guild.id, channel.id), [])
            for message_id in await _gone(channel, ids):
                await self._desk.forget_message(scope_of(channel.guild.id, channel.id), message_id)

    async def _read_on(self) -> None:
        """Look at what was posted since Keaton was last seen listening; at the very first start at nothing."""
        alive = await self._parts.ledger.recall(_ALIVE)
        if not alive:
            return
        since = max(int(alive), utils.time_snowflake(utils.utcnow() - _FURTHEST))
        for channel in _channels(self._client.guilds):
            if (channel.last_message_id or 0) > since:
                with suppress(discord.Forbidden):
                    await self._read(channel, since)

    async def _read(self, channel: Readable, since: int) -> None:
        after = discord.Object(since)
        missed = [one async for one in channel.history(limit=_MOST_MESSAGES, after=after, oldest_first=False)]
        for message in reversed(missed):
            await self._client.take(message, late=True)


async def _gone(channel: Readable, ids: Sequence[int]) -> tuple[int, ...]:
    """Give those messages that are not there any more, as far back as one request reaches."""
    if not ids:
        return ()
    present = {message.id async for message in channel.history(limit=_ONE_REQUEST)}
    oldest = min(present) if len(present) == _ONE_REQUEST else 0
    return tuple(one for one in ids if one >= oldest and one not in present)


def _channels(guilds: Sequence[discord.Guild]) -> Iterator[Readable]:
    """Give the channels whose history may be read: elsewhere Discord would show an empty one."""
    for guild in guilds:
        readable: list[Readable] = [*guild.text_channels]
        for one in (*readable, *guild.voice_channels, *guild.threads):
            allowed = one.permissions_for(guild.me)
            if allowed.view_channel and allowed.read_message_history:
                yield one
