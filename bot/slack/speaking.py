"""How Keaton speaks on Slack: messages with pictures in place or below, in ways that ping nobody.

Owns how a message is sent, changed, marked and found again; must not know which message a reply belongs to.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError

from bot.slack.pictures import UndigestedError
from bot.slack.render import card
from bot.slack.words import UNSHOWN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.pictures import Pictures
    from bot.slack.render import Card
    from core.shown import Picture, Reply

logger = logging.getLogger(__name__)

MARK = "keaton_answer"
_REFUSED = {"invalid_blocks", "invalid_blocks_format"}


@dataclass(frozen=True, slots=True)
class Slack:
    """What is needed to speak there."""

    client: AsyncWebClient
    pictures: Pictures

    async def lay_out(
        self, reply: Reply, send: Callable[[Card], Awaitable[str]], thread_of: str, channel: str
    ) -> tuple[str, ...]:
        """Send a reply with its pictures; films, and what Slack does not show in place, go into the thread.

        `send` gives the message's ts, and `thread_of` is the thread that the message stands in, or "". Gives the ids of
        the files that went into the thread.
        """
        films = [one for one in reply.pictures if one.is_film]
        reply = replace(reply, pictures=tuple(one for one in reply.pictures if not one.is_film))
        ts, beside = await self._send_with_pictures(reply, send, thread_of, channel)
        return beside + (await self._below(films, channel, thread_of or ts) if films else ())

    async def _send_with_pictures(
        self, reply: Reply, send: Callable[[Card], Awaitable[str]], thread_of: str, channel: str
    ) -> tuple[str, tuple[str, ...]]:
        if not reply.pictures:
            return await send(card(reply)), ()
        try:
            return await send(card(reply, await self.pictures.shots(reply.pictures))), ()
        except (UndigestedError, SlackApiError) as error:
            if not _is_about_pictures(error):
                raise
            logger.warning("Slack does not show pictures in place: %s", error)
            self.pictures.drop(reply.pictures)
            ts = await send(card(reply, note=UNSHOWN))
            return ts, await self._below(reply.pictures, channel, thread_of or ts)

    async def _below(self, pictures: Sequence[Picture], channel: str, thread_ts: str) -> tuple[str, ...]:
        return await self.pictures.into_thread(pictures, channel, thread_ts) if thread_ts else ()

    async def post(self, channel: str, thread_ts: str, shown: Card, about: str = "") -> str:
        """Post a message, which pings nobody; give its ts. `about` marks it unseen, to be found again after a crash."""
        sent = await self.client.chat_postMessage(
            channel=channel,
            thread_ts=thread_ts or None,
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": MARK, "event_payload": {"about": about}} if about else None,
            **shown.arguments(),
        )
        return str(sent["ts"])

    async def update(self, channel: str, ts: str, shown: Card) -> str:
        """Change a message in place; give its ts."""
        await self.client.chat_update(channel=channel, ts=ts, parse="none", link_names=False, **shown.arguments())
        return ts

    async def marked(self, channel: str, thread_ts: str, about: str) -> str:
        """Give the ts of Keaton's message with this mark, in a thread or else in the channel itself; or ""."""
        try:
            if thread_ts:
                found = await self.client.conversations_replies(
                    channel=channel, ts=thread_ts, include_all_metadata=True, limit=200
                )
            else:
                found = await self.client.conversations_history(channel=channel, include_all_metadata=True, limit=100)
        except SlackApiError as error:
            logger.warning("where an answer stands cannot be read: %s", error.response["error"])
            return ""
        for one in found["messages"]:
            mark = one.get("metadata") or {}
            if mark.get("event_type") == MARK and mark.get("event_payload", {}).get("about") == about:
                return str(one["ts"])
        return ""

    async def remove(self, channel: str, ts: str) -> None:
        """Take a message of Keaton's back, where it is still there."""
        with suppress(SlackApiError):
            await self.client.chat_delete(channel=channel, ts=ts)


def _is_about_pictures(error: UndigestedError | SlackApiError) -> bool:
    if isinstance(error, UndigestedError):
        return True
    return error.response["error"] in _REFUSED or error.response["error"].startswith(
        ("file_", "storage_", "slack_file")
    )
