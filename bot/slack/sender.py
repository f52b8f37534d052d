"""Posts and edits messages on Slack, with their pictures and in Slack's pace."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from bot.slack.pictures import Sharing
from bot.slack.refusals import (
    FAILURES,
    PAYLOAD,
    PicturesRefusedError,
    RefusedError,
    is_perhaps_done,
    reason_of,
    why_no_pictures,
)
from bot.slack.render import PENDING, UNSHOWN, SlackCard, card

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bot.doors.pace import Pace, PaceTurns
    from bot.slack.pictures import Pictures
    from core.model.reply import Picture, Reply

    Send = Callable[[SlackCard], Awaitable[str]]

logger = logging.getLogger(__name__)

MARK = "keaton_answer"
_MOST_PAGES: Final = 25
_POST_AGAIN_S: Final = (0.5, 2.0)
"""Pauses before a post that perhaps was carried out is looked for, and tried again."""


@dataclass(frozen=True, slots=True)
class Where:
    """The message that a reply is drawn in."""

    channel: str
    thread_of: str
    """The thread that it stands in, or "" for the channel itself."""
    ts: str
    """The message, or "" where it is still to be posted."""


@dataclass(frozen=True, slots=True)
class Paces:
    """How fast messages may be posted and changed; see "Rate limits" and `chat.postMessage` in Slack's docs."""

    posts: Pace
    """For each channel: one a second, and a few more at once."""
    updates: Pace
    """For the workspace: `chat.update` is of tier 3, some 50 a minute."""

    def of(self, place: Drawn, channel: str) -> PaceTurns:
        """Return the turns of what only says how far things are; the rest takes its turn when it is sent."""
        return _StatusTurns(self, place, channel)


class Drawn(Protocol):
    """A target that knows whether its message stands."""

    @property
    def is_posted(self) -> bool:
        """Tell whether what is shown next changes a message."""
        ...


@dataclass(frozen=True, slots=True)
class _StatusTurns:
    paces: Paces
    place: Drawn
    channel: str

    async def wait(self, *, urgent: bool) -> None:
        """Wait until one more status may be shown."""
        if urgent:
            return
        if self.place.is_posted:
            await self.paces.updates.wait("", urgent=False)
        else:
            await self.paces.posts.wait(self.channel, urgent=False)


@dataclass(frozen=True, slots=True)
class Slack:
    """What is needed to speak there."""

    client: AsyncWebClient
    pictures: Pictures
    poster: AsyncWebClient
    """Tries nothing again by itself that Slack may have carried out."""
    paces: Paces
    again_s: tuple[float, ...] = _POST_AGAIN_S

    async def lay_out(self, reply: Reply, send: Send, where: Where) -> tuple[str, ...]:
        """Send a reply with its pictures; videos, and what Slack does not show in place, go into the thread.

        `send` returns the message's ts. Returns the ids of the files that the message does not show itself. Raises
        RefusedError where Slack does not take even the words.
        """
        videos = [one for one in reply.pictures if one.is_video]
        reply = replace(reply, pictures=tuple(one for one in reply.pictures if not one.is_video))
        ts, beside = await self._send_with_pictures(reply, send, where)
        if not videos or not (where.thread_of or ts):
            return beside
        try:
            return beside + await self.pictures.into_thread(videos, where.channel, where.thread_of or ts)
        except PicturesRefusedError as error:
            logger.warning("Slack does not take a video: %s", error.reason)
            await send(card(reply, note=why_no_pictures(error.reason)))
            return beside

    async def _send_with_pictures(self, reply: Reply, send: Send, where: Where) -> tuple[str, tuple[str, ...]]:
        if not reply.pictures:
            return await send(card(reply)), ()
        if not where.ts and (self.pictures.shares or not where.thread_of):
            where = replace(where, ts=await send(card(reply, note=PENDING)))
            if not where.ts:
                return "", ()
        try:
            return await self._in_place(reply, send, where), ()
        except PicturesRefusedError as error:
            logger.warning("Slack does not show pictures in place: %s", error.reason)
            return await self._below(reply, send, where, error.reason)

    async def _in_place(self, reply: Reply, send: Send, where: Where) -> str:
        """Show the pictures within the message; what was uploaded before and is not shown any more, once more anew."""
        sharing = self._sharing(where)
        were_known = self.pictures.are_known(reply.pictures, where.ts)
        try:
            return await send(card(reply, await self.pictures.shots(reply.pictures, sharing)))
        except PicturesRefusedError as error:
            if not were_known or error.reason == "undigested":
                raise
            self.pictures.drop(reply.pictures, where.ts)
            return await send(card(reply, await self.pictures.shots(reply.pictures, sharing)))

    def _sharing(self, where: Where) -> Sharing | None:
        return Sharing(where.channel, where.thread_of or where.ts, where.ts) if self.pictures.shares else None

    async def _below(self, reply: Reply, send: Send, where: Where, reason: str) -> tuple[str, tuple[str, ...]]:
        """Let the pictures stand in the thread, where they are already unless the upload itself was refused."""
        below = self.pictures.uploaded(reply.pictures, where.ts) if self.pictures.shares else ()
        self.pictures.drop(reply.pictures, where.ts)
        note = UNSHOWN
        if not below:
            try:
                below = await self._into_thread(reply.pictures, where)
            except PicturesRefusedError as error:
                note = why_no_pictures(error.reason if error.reason not in PAYLOAD else reason)
        return await send(card(reply, note=note)), below

    async def _into_thread(self, pictures: Sequence[Picture], where: Where) -> tuple[str, ...]:
        thread_ts = where.thread_of or where.ts
        if self.pictures.shares or not thread_ts:  # it was just refused
            raise PicturesRefusedError("internal_error")
        return await self.pictures.into_thread(pictures, where.channel, thread_ts)

    async def post(self, channel: str, thread_ts: str, shown: SlackCard, about: str = "") -> str:
        """Post a message, which pings nobody; return its ts. `about` marks it unseen, to be found again after a crash.

        Raises RefusedError, or PicturesRefusedError where it may be taken without its pictures.
        """
        return (await self.post_at(channel, thread_ts, shown, about))[1]

    async def post_at(self, channel: str, thread_ts: str, shown: SlackCard, about: str = "") -> tuple[str, str]:
        """Do the same, and return the message's channel too, which is another where `channel` names a person."""
        about = about or f"once:{secrets.token_hex(8)}"
        if not shown.is_status:
            await self.paces.posts.wait(channel, urgent=True)
        posted_in = channel

        async def send(what: dict[str, Any]) -> str:
            nonlocal posted_in
            posted_in, ts = await self._post(channel, thread_ts, about, what)
            return ts

        ts = await _simply(shown, send)
        return posted_in, ts

    async def _post(self, channel: str, thread_ts: str, about: str, what: dict[str, Any]) -> tuple[str, str]:
        """Post once, though Slack answers that it failed: it is looked for before it is tried again."""
        for pause_s in (*self.again_s, None):
            try:
                sent = await self.poster.chat_postMessage(
                    channel=channel,
                    thread_ts=thread_ts or None,
                    parse="none",
                    link_names=False,
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata={"event_type": MARK, "event_payload": {"about": about}},
                    **what,
                )
                return str(sent.get("channel") or channel), str(sent["ts"])
            except FAILURES as error:
                if pause_s is None or not is_perhaps_done(error):
                    raise
                logger.info("Slack may have posted an answer, or not (%s)", reason_of(error))
            await asyncio.sleep(pause_s)
            if found := await self.marked(channel, thread_ts, about):
                return channel, found
        raise AssertionError  # the last round returns or raises

    async def update(self, channel: str, ts: str, shown: SlackCard) -> str:
        """Change a message in place; return its ts. Raises RefusedError, PicturesRefusedError."""
        if not shown.is_status:
            await self.paces.updates.wait("", urgent=True)

        async def send(what: dict[str, Any]) -> str:
            await self.client.chat_update(channel=channel, ts=ts, parse="none", link_names=False, **what)
            return ts

        return await _simply(shown, send)

    async def marked(self, channel: str, thread_ts: str, about: str) -> str:
        """Return the ts of Keaton's message with this mark, in a thread or else in the channel itself; or ""."""
        try:
            if thread_ts:
                pages = await self.client.conversations_replies(
                    channel=channel, ts=thread_ts, include_all_metadata=True, limit=200
                )
                return await _marked_on(pages, about)
            found = await self.client.conversations_history(channel=channel, include_all_metadata=True, limit=100)
            return _marked_among(found["messages"], about)
        except FAILURES as error:
            logger.warning("where an answer stands cannot be read: %s", reason_of(error))
            return ""

    async def remove(self, channel: str, ts: str) -> None:
        """Take a message of Keaton's back, where it is still there."""
        with suppress(*FAILURES):
            await self.client.chat_delete(channel=channel, ts=ts)


async def _simply(shown: SlackCard, send: Callable[[dict[str, Any]], Awaitable[str]]) -> str:
    """Send a message, and where Slack does not take its blocks, its words alone."""
    try:
        return await send(shown.arguments())
    except FAILURES as error:
        reason = reason_of(error)
        if shown.files and _is_about_pictures(reason):
            raise PicturesRefusedError(reason) from error
        if reason not in PAYLOAD:
            raise RefusedError(reason) from error
        logger.warning("Slack does not take a message as it is: %s", reason)
    try:
        return await send({"text": shown.text, "blocks": []})
    except FAILURES as error:
        raise RefusedError(reason_of(error)) from error


def _is_about_pictures(reason: str) -> bool:
    return reason in PAYLOAD or reason.startswith(("file_", "storage_", "slack_file"))


async def _marked_on(pages: AsyncSlackResponse, about: str) -> str:
    """Look through a thread, which Slack gives in pages, oldest first."""
    read = 0
    async for page in pages:
        read += 1
        if (ts := _marked_among(page["messages"], about)) or read >= _MOST_PAGES:
            return ts
    return ""


def _marked_among(messages: list[dict[str, Any]], about: str) -> str:
    for one in messages:
        mark = one.get("metadata") or {}
        if mark.get("event_type") == MARK and mark.get("event_payload", {}).get("about") == about:
            return str(one["ts"])
    return ""
