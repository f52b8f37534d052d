"""Posts and edits messages on Slack, and uploads their pictures.

An upload that is shared nowhere is private (`files.completeUploadExternal`), and others see a grey box in its place. So
all pictures of a reply are shared by one message in the thread of the message that shows them, or in the asker's direct
messages where only they may see them.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from bot.slack.config import DOOR
from bot.slack.refusals import (
    FAILURES,
    PAYLOAD,
    UNREACHABLE,
    PicturesRefusedError,
    RefusedError,
    is_perhaps_done,
    reason_of,
    why_no_pictures,
)
from bot.slack.render import PENDING, UNSHOWN, Shot, SlackCard, card
from core import formatting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bot.doors.pace import Pace, PaceTurns
    from bot.slack.digestion import Digestion
    from core.model.reply import Picture, Reply
    from core.ports.jobs import Ledger

    Send = Callable[[SlackCard], Awaitable[str]]

_KEPT = 500


_GROUPED = 4000


_GONE = {"file_not_found", "file_deleted", "message_not_found", "channel_not_found"}


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where uploads are shared, so that who is there may see them."""

    channel: str
    thread_ts: str
    card: str = ""
    """The message that shows them: no other one shows the same uploads, so that they can go with it."""


class Pictures:
    """Uploads each picture of a message once, however often people browse back to it."""

    def __init__(
        self,
        client: AsyncWebClient,
        poster: AsyncWebClient,
        digestion: Digestion,
        deletions: Pace,
        ledger: Ledger,
        team_id: str,
        *,
        shares: bool = True,
    ) -> None:
        """Upload by `client`, and share by `poster`, which tries nothing again that Slack may have carried out."""
        self._client = client
        self._poster = poster
        self._ledger = ledger
        self._note = f"slack:upload:{team_id}:"
        self._unsettled: set[str] = set()
        self._digestion = digestion
        self._deletions = deletions
        self.shares = shares
        """False to show uploads that were shared nowhere, which Slack may show to nobody but Keaton."""
        self._files: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._together: OrderedDict[str, set[str]] = OrderedDict()
        """For each upload of this run, those that are shared by the same message."""
        self._standing: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        """The uploads that each message shows, as far as it was drawn in this run."""

    def are_known(self, pictures: Sequence[Picture], card: str) -> bool:
        """Tell whether all pictures were uploaded for a message before."""
        return all(self._key(one, card) in self._files for one in pictures)

    async def shots(self, pictures: Sequence[Picture], where: Sharing | None) -> tuple[Shot, ...]:
        """Return pictures that Slack can show; raises PicturesRefusedError.

        None shares them nowhere.
        """
        card = where.card if where else ""
        new = [one for one in pictures if self._key(one, card) not in self._files]
        if new:
            ids = await self._upload(new, where)
            for one, file_id in zip(new, ids, strict=True):
                self._files[self._key(one, card)] = file_id
            try:
                await self._digestion.wait(ids)
            except FAILURES as error:
                raise PicturesRefusedError(reason_of(error)) from error
        shots = tuple(Shot(self._files[self._key(one, card)], one.alt, one.name) for one in pictures)
        while len(self._files) > _KEPT:
            self._files.popitem(last=False)
        return shots

    def uploaded(self, pictures: Sequence[Picture], card: str) -> tuple[str, ...]:
        """Return the ids of those pictures that were uploaded for a message."""
        found = (self._files.get(self._key(one, card)) for one in pictures)
        return tuple(one for one in found if one)

    async def into_thread(self, pictures: Sequence[Picture], channel: str, thread_ts: str) -> tuple[str, ...]:
        """Post pictures as plain files below a message; return their ids. Raises PicturesRefusedError."""
        return tuple(await self._upload(pictures, Sharing(channel, thread_ts)))

    async def delete(self, file_ids: Sequence[str]) -> bool:
        """Delete uploads for good with the messages that shared them and nothing else; tell whether none is left."""
        self._files = OrderedDict((one, kept) for one, kept in self._files.items() if kept not in file_ids)
        alone = [one for one in file_ids if not self._together.get(one, set()) - set(file_ids)]
        for channel, ts in {place for file_id in alone for place in await self._shared_at(file_id)}:
            await self._deletions.wait("chat.delete", urgent=True)
            await _is_gone(self._client.chat_delete(channel=channel, ts=ts))
        are_gone = []
        for file_id in file_ids:
            self._together.pop(file_id, set()).discard(file_id)
            await self._deletions.wait("files.delete", urgent=True)
            are_gone.append(await _is_gone(self._client.files_delete(file=file_id)))
        await self.settled(one for one, is_gone in zip(file_ids, are_gone, strict=True) if is_gone)
        return all(are_gone)

    async def stand(self, card: str, file_ids: tuple[str, ...]) -> None:
        """Delete the uploads that a message showed until now and does not show any more: few messages in its thread."""
        before = self._standing.pop(card, ())
        self._standing[card] = file_ids
        while len(self._standing) > _KEPT:
            self._standing.popitem(last=False)
        outdated = [one for one in before if one not in file_ids]
        if outdated and self.shares:
            await self.delete(outdated)

    def drop(self, pictures: Sequence[Picture], card: str) -> None:
        """Forget uploads that Slack does not show any more."""
        for one in pictures:
            self._files.pop(self._key(one, card), None)

    async def settled(self, file_ids: Iterable[str]) -> None:
        """Note that it is noted elsewhere which messages show uploads."""
        for file_id in [one for one in file_ids if one in self._unsettled]:
            self._unsettled.discard(file_id)
            await self._ledger.remember(self._note + file_id, "")

    async def sweep(self) -> None:
        """Delete what an earlier run had uploaded when it died, before it noted which message shows that."""
        for name, file_id in await self._ledger.notes(self._note):
            if await self.delete((file_id,)):
                await self._ledger.remember(name, "")

    async def _upload(self, pictures: Sequence[Picture], where: Sharing | None) -> list[str]:
        """Upload pictures, and share them by one message; return their ids. Raises PicturesRefusedError."""
        try:
            ids = [await self._sent(one) for one in pictures]
            for file_id in ids:
                await self._ledger.remember(self._note + file_id, file_id)
            self._unsettled.update(ids)
            group = set(ids)
            self._together.update((one, group) for one in ids)
            while len(self._together) > _GROUPED:
                self._together.popitem(last=False)
            await self._complete(ids, pictures, where)
        except FAILURES as error:
            raise PicturesRefusedError(reason_of(error)) from error
        return ids

    async def _complete(self, ids: Sequence[str], pictures: Sequence[Picture], where: Sharing | None) -> None:
        """Finish uploads; where Slack may have done so though it says that it failed, it is looked at before."""
        for is_last in (False, True):
            try:
                told = await self._poster.files_completeUploadExternal(
                    files=[
                        {"id": file_id, "title": formatting.plain(one.alt)[:200]}
                        for file_id, one in zip(ids, pictures, strict=True)
                    ],
                    channel_id=where.channel if where else None,
                    thread_ts=where.thread_ts or None if where else None,
                )
            except FAILURES as error:
                if is_last or not is_perhaps_done(error):
                    raise
            else:
                self._digestion.told(told.get("files") or ())
                return
            if where and await self._shared_at(ids[0]):
                return

    async def _sent(self, picture: Picture) -> str:
        """Send the bytes of a picture to Slack; return the id that they get. Raises PicturesRefusedError."""
        data, session = _bytes(picture), self._client.session
        if session is None:
            raise PicturesRefusedError(UNREACHABLE)
        told = await self._client.files_getUploadURLExternal(
            filename=picture.name, length=len(data), alt_txt=formatting.plain(picture.alt)[:1000]
        )
        async with session.post(told["upload_url"], data=data) as answer:
            if answer.status != 200:
                raise PicturesRefusedError("too_large" if answer.status == 413 else f"status {answer.status}")
        return str(told["file_id"])

    async def _shared_at(self, file_id: str) -> set[tuple[str, str]]:
        """Return channel and ts of the messages that share an upload."""
        try:
            return await self._digestion.shared_at(file_id)
        except PicturesRefusedError as error:
            logger.info("Slack does not tell where a picture was shared: %s", error.reason)
            return set()

    def _key(self, picture: Picture, card: str) -> tuple[str, str]:
        return card if self.shares else "", _digest(picture)


async def _is_gone(deletion: Awaitable[object]) -> bool:
    """Await a deletion; tell whether what it was about is there no more."""
    try:
        await deletion
    except FAILURES as error:
        reason = reason_of(error)
        if reason not in _GONE:
            logger.warning("a picture cannot be deleted: %s", reason)
        return reason in _GONE
    return True


def _bytes(picture: Picture) -> bytes:
    (theme,) = DOOR.themes
    return picture.data[theme]


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.name.encode() + b"\0" + _bytes(picture)).hexdigest()


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
    """A place that knows whether its message stands."""

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

        `send` gives the message's ts. Gives the ids of the files that the message does not show itself. Raises
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
        """Post a message, which pings nobody; give its ts. `about` marks it unseen, to be found again after a crash.

        Raises RefusedError, or PicturesRefusedError where it may be taken without its pictures.
        """
        return (await self.post_at(channel, thread_ts, shown, about))[1]

    async def post_at(self, channel: str, thread_ts: str, shown: SlackCard, about: str = "") -> tuple[str, str]:
        """Do the same, and give the message's channel too, which is another where `channel` names a person."""
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
            if standing := await self.marked(channel, thread_ts, about):
                return channel, standing
        raise AssertionError  # the last round returns or raises

    async def update(self, channel: str, ts: str, shown: SlackCard) -> str:
        """Change a message in place; give its ts. Raises RefusedError, PicturesRefusedError."""
        if not shown.is_status:
            await self.paces.updates.wait("", urgent=True)

        async def send(what: dict[str, Any]) -> str:
            await self.client.chat_update(channel=channel, ts=ts, parse="none", link_names=False, **what)
            return ts

        return await _simply(shown, send)

    async def marked(self, channel: str, thread_ts: str, about: str) -> str:
        """Give the ts of Keaton's message with this mark, in a thread or else in the channel itself; or ""."""
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
