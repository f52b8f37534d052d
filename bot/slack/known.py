"""After a start, compares the messages that videos are known from with what they are now.

Slack replays no events. Pages of a channel's history from its newest known message back, and one request for each
message that may stand in a thread; with a bound on requests.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from bot.slack import messages as posts
from bot.slack.config import DOOR
from bot.slack.refusals import FAILURES, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.pace import Pace
    from bot.slack.desk import SlackDesk
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)

_MOST_MESSAGES = 500
_MOST_REQUESTS = 100
"""Both methods are of tier 3: some fifty a minute."""
_A_PAGE = 200
_GONE = {"message_not_found", "thread_not_found"}


class KnownSlackMessages:
    """Compares what is remembered of messages with what they are now."""

    def __init__(self, desk: SlackDesk, client: AsyncWebClient, ledger: Ledger, team_id: str, pace: Pace) -> None:
        self._desk = desk
        self._client = client
        self._ledger = ledger
        self._team_id = team_id
        self._pace = pace
        self._requests_left = 0

    async def check(self) -> None:
        """Look at the newest known messages; a channel that fails keeps no other one from being looked at."""
        known: dict[str, list[str]] = {}
        for scope, message in await self._ledger.posted(DOOR.platform, _MOST_MESSAGES):
            if scope.space == self._team_id and _is_ts(message):
                known.setdefault(scope.channel, []).append(message)
        self._requests_left = _MOST_REQUESTS
        for channel, ids in known.items():
            try:
                await self._check(channel, sorted(ids, key=float, reverse=True))
            except FAILURES as error:
                logger.warning("known messages of a channel cannot be read: %s", reason_of(error))
            except Exception:
                logger.exception("known messages of a channel could not be looked at")

    async def _check(self, channel: str, ids: Sequence[str]) -> None:
        while ids and await self._take_one("conversations.history"):
            told = await self._client.conversations_history(
                channel=channel, latest=ids[0], inclusive=True, limit=_A_PAGE
            )
            page: dict[str, dict[str, Any]] = {one["ts"]: one for one in told["messages"]}
            oldest_s = min(map(float, page), default=0.0) if told.get("has_more") else 0.0
            for ts in (one for one in ids if float(one) >= oldest_s):
                await self._compare(channel, ts, page.get(ts))
            ids = [one for one in ids if float(one) < oldest_s]

    async def _compare(self, channel: str, ts: str, raw: dict[str, Any] | None) -> None:
        if raw is None:
            if not await self._take_one("conversations.replies"):
                return
            raw = await self._in_thread(channel, ts)
        if raw is None or raw.get("subtype") == "tombstone":
            await self._desk.forget_message(posts.Deleted(channel, ts))
        else:
            await self._desk.compare(posts.read_any(raw, channel, ""))

    async def _in_thread(self, channel: str, ts: str) -> dict[str, Any] | None:
        """Give a message that is in no channel's history, or None where it is gone. Raises what Slack refuses else."""
        try:
            told = await self._client.conversations_replies(
                channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
            )
        except FAILURES as error:
            if reason_of(error) in _GONE:
                return None
            raise
        messages: list[dict[str, Any]] = told["messages"]
        return next((one for one in messages if one["ts"] == ts), None)

    async def _take_one(self, method: str) -> bool:
        """Count a request; tell whether it may be made, in its turn."""
        self._requests_left -= 1
        if self._requests_left < 0:
            return False
        await self._pace.wait(method, urgent=True)
        return True


def _is_ts(message: str) -> bool:
    return message.replace(".", "", 1).isdigit()
