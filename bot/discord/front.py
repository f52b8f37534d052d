"""The Discord door: connects, and keeps connected. Owns the life of the client; must not know what passes through."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.client import KeatonClient
from core.errors.running import BadSetting

if TYPE_CHECKING:
    from bot.discord.config import DiscordConfig
    from bot.doors import Parts

logger = logging.getLogger(__name__)

_MAY_PASS = (OSError, aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed)
"""Worth another try. A token that was taken back while connected is one of these, and the next login tells."""
_SETTLED_S = 120.0
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class DiscordDoor:
    """Keaton on Discord."""

    def __init__(self, parts: Parts, config: DiscordConfig) -> None:
        self._parts = parts
        self._config = config
        self._client: KeatonClient | None = None

    @property
    def connected(self) -> bool:
        """Tell whether Discord tells what happens."""
        return self._client is not None and self._client.listening

    async def run(self) -> None:
        """Serve until cancelled; raises BadSetting when Discord does not accept the token."""
        _set_up(self._config)
        see_messages = True
        tries = 0
        while True:
            begun_s = time.monotonic()
            try:
                await self._serve(see_messages=see_messages)
            except discord.LoginFailure as error:
                raise BadSetting("DISCORD_TOKEN", "Discord does not accept it") from error
            except discord.PrivilegedIntentsRequired:
                see_messages = False
                logger.warning(
                    "the message content intent is off in Discord's developer portal: posted links go unseen; "
                    "/index, mentions and the message menu work"
                )
            except _MAY_PASS as error:
                tries = 0 if time.monotonic() - begun_s > _SETTLED_S else tries
                delay_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
                tries += 1
                logger.warning("Discord cannot be reached (%s); trying again in %d s", error, delay_s)
                await asyncio.sleep(delay_s)

    async def _serve(self, *, see_messages: bool) -> None:
        async with KeatonClient(self._parts, self._config, see_messages=see_messages) as client:
            self._client = client
            try:
                await client.start(self._config.token)
            finally:
                self._client = None


def _set_up(config: DiscordConfig) -> None:
    """Tell the library what it keeps in its classes: no word about voice, and for tests other addresses."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    if config.api_base:
        Route.BASE = config.api_base
    if config.gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway)
