"""The Socket Mode connection: opened, watched, and made anew when it falls silent. Knows no event."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

if TYPE_CHECKING:
    from aiohttp import WSMessage
    from slack_bolt.async_app import AsyncApp

    from bot.slack.config import SlackConfig

logger = logging.getLogger(__name__)

_CHECKS = 4


class Socket:
    """Listens for as long as it runs."""

    def __init__(self, app: AsyncApp, config: SlackConfig) -> None:
        self._handler = AsyncSocketModeHandler(app, config.app_token, ping_interval=config.ping_every_s)
        self._client = self._handler.client
        self._client.on_message_listeners.append(self._hear)
        self._silence_s = config.silence_s
        self._heard_s = time.monotonic()

    @property
    def is_open(self) -> bool:
        """Tell whether the connection stands and has not fallen silent."""
        session = self._client.current_session
        return session is not None and not session.closed and not self._is_silent()

    async def run(self, address: str) -> None:
        """Connect to that address first, and listen until cancelled."""
        self._client.wss_uri = address
        try:
            await self._client.connect()  # type: ignore[no-untyped-call]
            logger.info("listening to Slack")
            while True:
                await asyncio.sleep(self._silence_s / _CHECKS)
                if self._is_silent():
                    await self._renew()
        finally:
            await self._close()

    async def _hear(self, _message: WSMessage) -> None:
        self._heard_s = time.monotonic()

    def _is_silent(self) -> bool:
        """Tell whether nothing came for long, or the library's own watch over the connection has died."""
        monitor = self._client.current_session_monitor
        return time.monotonic() - self._heard_s > self._silence_s or monitor is None or monitor.done()

    async def _renew(self) -> None:
        logger.info("nothing was heard from Slack for %.0f s: connecting anew", time.monotonic() - self._heard_s)
        self._heard_s = time.monotonic()
        try:
            await self._client.connect_to_new_endpoint(force=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round tries again
            logger.warning("Slack cannot be reached: %s", error)

    async def _close(self) -> None:
        tasks = (self._client.message_processor, self._client.current_session_monitor, self._client.message_receiver)
        await self._client.close()  # type: ignore[no-untyped-call]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
