"""What is read on Slack when it is needed, since no event brings it. Owns what counts as gone; answers nobody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.slack import posts
from bot.slack.refusals import FAILURES, reason_of
from core import actions

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.posts import Message

logger = logging.getLogger(__name__)

_A_PAGE = 200
_MOST_PAGES = 25
"""Of a thread of up to 5,000 replies the newest is found."""
_UNREADABLE = {"message_not_found", "thread_not_found", "channel_not_found", "not_in_channel"}


class Reader:
    """Reads messages."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def message(self, channel: str, ts: str) -> Message | None:
        """Give a message that Keaton saw before, or None where it is gone; raises SlackApiError."""
        try:
            found = await self._client.conversations_replies(
                channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
            )
        except FAILURES as error:
            if reason_of(error) in _UNREADABLE:
                return None
            raise
        raw = next((one for one in found["messages"] if one["ts"] == ts), None)
        message = posts.read({**raw, "channel": channel}) if raw else None
        return message if isinstance(message, posts.Message) else None

    async def answer_above(self, message: Message) -> str:
        """Give the newest answer of Keaton's in the thread that a message stands in, or ""."""
        if not message.thread_ts:
            return ""
        newest = ""
        try:
            pages = await self._client.conversations_replies(
                channel=message.channel, ts=message.thread_ts, latest=message.ts, limit=_A_PAGE
            )
            read = 0
            async for page in pages:  # oldest first, so the newest answer is on the last page
                for one in page["messages"]:
                    newest = actions.answer_among(posts.button_ids(one)) or newest
                read += 1
                if read >= _MOST_PAGES:
                    break
        except FAILURES as error:
            logger.info("a thread cannot be read: %s", reason_of(error))
        return newest
