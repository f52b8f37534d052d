"""After an absence, compares the messages that videos are known from with what they are now.

Pages of a hundred messages, from each channel's newest known message back, with a bound on requests.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, TypeAlias

import discord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.discord.desk import DiscordDesk
    from core.model.video import Scope

Readable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.Thread

logger = logging.getLogger(__name__)

_MOST_REQUESTS = 400
_A_PAGE = 100
"""Discord gives no more at once (message.mdx, "Get Channel Messages")."""


class KnownMessagesClient(Protocol):
    """What this needs of the client."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Give the servers."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...

    async def fetch_channel(self, channel_id: int, /) -> object:
        """Ask Discord for a channel: a thread that sleeps is not known to the client."""
        ...

    async def compare(self, message: discord.Message) -> None:
        """Take back what a message does not hold any more."""
        ...


class KnownDiscordMessages:
    """Compares what is remembered of messages with what they are now."""

    def __init__(self, client: KnownMessagesClient, desk: DiscordDesk) -> None:
        self._client = client
        self._desk = desk
        self._requests_left = 0

    def begin(self) -> None:
        """Allow as many requests as one look back may take."""
        self._requests_left = _MOST_REQUESTS

    async def check(self, channel: Readable, scope: Scope, ids: Sequence[int]) -> None:
        """Forget what was deleted of a channel's known messages or is not in them any more; raises HTTPException."""
        ids = sorted(ids, reverse=True)
        while ids and self._take_one():
            page = [one async for one in channel.history(limit=_A_PAGE, before=discord.Object(ids[0] + 1))]
            oldest = min((one.id for one in page), default=0) if len(page) == _A_PAGE else 0
            present = {one.id: one for one in page}
            for message_id in (one for one in ids if one >= oldest):
                if message_id in present:
                    await self._client.compare(present[message_id])
                else:
                    await self._desk.forget_message(scope, message_id)
            ids = [one for one in ids if one < oldest]

    async def check_sleeping(self, known: Mapping[Scope, Sequence[int]]) -> None:
        """Do the same for known threads that sleep: the client knows none of these."""
        present = {str(guild.id) for guild in self._client.guilds if not guild.unavailable}
        for scope, ids in known.items():
            is_asleep = scope.space in present and self._client.get_channel(int(scope.channel)) is None
            if is_asleep and self._take_one():
                try:
                    channel = await self._client.fetch_channel(int(scope.channel))
                    if isinstance(channel, discord.Thread) and _may_read(channel):
                        await self.check(channel, scope, ids)
                except discord.HTTPException as error:
                    logger.warning("known messages of thread %s cannot be read: %s", scope.channel, error)

    def _take_one(self) -> bool:
        """Count a request; tell whether it may be made."""
        self._requests_left -= 1
        return self._requests_left >= 0


def _may_read(thread: discord.Thread) -> bool:
    """Tell whether a history may be read: elsewhere Discord would show an empty one."""
    me: discord.Member | None = thread.guild.me
    if me is None:
        return False
    try:
        allowed = thread.permissions_for(me)
    except discord.ClientException:  # its channel is not known
        return False
    return allowed.view_channel and allowed.read_message_history
