"""What was missed while Keaton was away: a bounded look back, after which the ledger lets nothing be answered twice.

Owns how far it looks; what the messages mean is the desk's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from bot.slack import posts
from bot.slack.known import KnownMessages
from bot.slack.refusals import FAILURES, reason_of

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.config import Workspace
    from bot.slack.desk import Desk
    from core.ledger import Ledger

logger = logging.getLogger(__name__)

_FURTHEST_S = 24 * 3600.0
_OVERLAP_S = 10.0
"""Slack's clock and ours may differ, and a note may be old: what is seen twice is done once."""
_MOST_MESSAGES = 50
_MOST_CHANNELS = 100


class Lookback:
    """Notes now and then that Keaton listens, and at the start reads what came since, in channels that it knows."""

    def __init__(
        self, desk: Desk, client: AsyncWebClient, ledger: Ledger, workspace: Workspace, alive_every_s: float
    ) -> None:
        self._desk = desk
        self._client = client
        self._ledger = ledger
        self._known = KnownMessages(desk, client, ledger, workspace.team_id)
        self._alive = f"slack:alive:{workspace.team_id}"
        self._alive_every_s = alive_every_s

    async def resume(self) -> None:
        """Take up what an earlier run died over; done before Slack can send the same again."""
        try:
            await self._desk.resume()
        except Exception:
            logger.exception("what was left undone cannot be taken up")

    async def run(self) -> None:
        """Catch up, then note for ever that nothing is missed."""
        try:
            await self._read_on()
            await self._known.check()
        except Exception:
            logger.exception("looking back failed")
        while True:
            await self._ledger.remember(self._alive, f"{time.time():.6f}")
            await asyncio.sleep(self._alive_every_s)

    async def _read_on(self) -> None:
        """Read what was posted since Keaton was last seen listening; at the very first start nothing."""
        alive = await self._ledger.recall(self._alive)
        if not alive:
            return
        since_s = max(float(alive) - _OVERLAP_S, time.time() - _FURTHEST_S)
        for _, channel in (await self._ledger.notes(self._desk.channels_note))[:_MOST_CHANNELS]:
            for raw in reversed(await self._missed(channel, since_s)):
                message = posts.read({**raw, "channel": channel})
                if isinstance(message, posts.Message):
                    await self._desk.take(message, late=True)

    async def _missed(self, channel: str, since_s: float) -> list[dict[str, Any]]:
        """Give the newest messages of a channel, newest first; those within threads are not among them."""
        try:
            found = await self._client.conversations_history(
                channel=channel, oldest=f"{since_s:.6f}", limit=_MOST_MESSAGES
            )
        except FAILURES as error:
            logger.warning("what was missed in a channel cannot be read: %s", reason_of(error))
            return []
        messages: list[dict[str, Any]] = found["messages"]
        return messages
