"""Where the replies of one turn appear on Slack.

Owns which message is posted, edited or whispered; must not know what it says.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError

from bot.slack.people import OUTSIDE
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
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
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


@dataclass(slots=True)
class Place:
    """One message of Keaton's in a channel or thread, edited in place; what is private is whispered."""

    slack: Slack
    channel: str
    thread_ts: str
    """Of the thread that it stands in, or "" for the channel itself."""
    whisper: Callable[[Card], Awaitable[None]]
    """Shows a card to the asker alone."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of Keaton's message once it is there, and "" once it is gone."""
    standing: str = ""
    """The ts of Keaton's message, where there is one."""
    is_private: bool = False
    """All of it is for the asker alone."""
    outside: Callable[[], Awaitable[None]] | None = None
    """Says that Keaton is not in the channel, where nobody can know before."""
    about: str = ""
    """What it answers, as its mark."""
    beside: tuple[str, ...] = ()
    """The ids of files that the last reply brought into the thread."""
    _is_outside: bool = False
    _files: tuple[str, ...] = ()

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of Keaton's message and its files, unless it is for one person's eyes or not there."""
        return ("", ()) if self.is_private else (self.standing, self._files)

    async def post(self, reply: Reply) -> None:
        """Show the first reply, or go on in what an earlier run has posted."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        if self.is_private or reply.private:
            await self._clear()
            await self.whisper(card(reply))
        else:
            self.beside = await self.slack.lay_out(reply, self._send, self.thread_ts, self.channel)

    async def _clear(self) -> None:
        if self.standing:
            await self.slack.remove(self.channel, self.standing)
            self.standing = ""
            await self.on_posted("")

    async def _send(self, shown: Card) -> str:
        if self._is_outside:
            return ""
        self._files = shown.files
        if self.standing:
            try:
                return await self.slack.update(self.channel, self.standing, shown)
            except SlackApiError as error:
                if error.response["error"] not in _GONE:
                    raise
                self.standing = ""  # somebody deleted it: the outcome is still worth saying
        sending = asyncio.ensure_future(self._send_new(shown))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await sending  # the message may stand there already, and must not be lost sight of
            raise

    async def _send_new(self, shown: Card) -> str:
        try:
            sent = await self.slack.post(self.channel, self.thread_ts, shown, self.about)
        except SlackApiError as error:
            if self.outside is None or error.response["error"] not in OUTSIDE:
                raise
            self._is_outside = True
            await self.outside()
            return ""
        self.standing = sent
        await self.on_posted(self.standing)
        return self.standing


@dataclass(slots=True)
class PressPlace:
    """The message whose button was pressed."""

    slack: Slack
    channel: str
    ts: str
    thread_ts: str
    whisper: Callable[[Card], Awaitable[None]]
    is_newest: Callable[[], bool]
    """Whether no later press decides what stands there."""
    on_posted: Callable[[str], Awaitable[None]]
    """Gets the ts of a message of this press's own once it is there."""
    own: str = ""
    """The ts of that message, which all see."""
    about: str = ""
    """What it answers, as its mark."""
    beside: tuple[str, ...] = ()
    """The ids of files that the last reply brought into the thread."""
    _files: tuple[str, ...] = ()

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of the message that shows it, and its files."""
        return self.own or self.ts, self._files

    async def post(self, reply: Reply) -> None:
        """Show the first reply: where the button is, to whoever pressed it, or to all in a message of its own."""
        if reply.updates:
            self.beside = await self.slack.lay_out(reply, self._redraw, self.thread_ts, self.channel)
        elif reply.private:
            await self.whisper(card(reply))
        else:
            self.beside = await self.slack.lay_out(reply, self._speak, self.thread_ts or self.ts, self.channel)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply."""
        await self.post(reply)

    async def _redraw(self, shown: Card) -> str:
        self._files = shown.files
        return await self.slack.update(self.channel, self.ts, shown) if self.is_newest() else ""

    async def _speak(self, shown: Card) -> str:
        self._files = shown.files
        if self.own:
            return await self.slack.update(self.channel, self.own, shown)
        self.own = await self.slack.post(self.channel, self.thread_ts or self.ts, shown, self.about)
        await self.on_posted(self.own)
        return self.own
