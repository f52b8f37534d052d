"""Uploads of pictures: sharing them, waiting until Slack can show them, and deleting them.

An upload that is shared nowhere is private (`files.completeUploadExternal`), and others see a grey box in its place. So
all pictures of a reply are shared by one message in the thread of the message that shows them, or in the asker's direct
messages where only they may see them.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.slack.config import DOOR
from bot.slack.refusals import (
    FAILURES,
    UNREACHABLE,
    PicturesRefusedError,
    is_perhaps_done,
    reason_of,
)
from bot.slack.render import Shot
from core import formatting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.pace import Pace
    from core.model.reply import Picture
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)

_UPLOADS_KEPT = 4000
_KEPT = 500
_GROUPED = 4000
_GONE = {"file_not_found", "file_deleted", "message_not_found", "channel_not_found"}


class Digestion:
    """Tells when Slack has looked at an upload, so that a message may show it, and which message shares it.

    Slack fills an upload's `mimetype` in only after a scan, and refuses a message that shows it earlier. The message
    that shares uploads is made after that scan, and its event brings the type, so that mostly nothing has to be asked;
    `files.info` is asked where no event comes, one upload after the other, within its tier (see "Rate limits").
    """

    def __init__(self, client: AsyncWebClient, polls_s: tuple[float, ...], pace: Pace) -> None:
        self._client = client
        self._polls_s = polls_s
        self._pace = pace
        self._done: OrderedDict[str, asyncio.Event] = OrderedDict()
        self._shared: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Note what a message event tells about the uploads that it shares."""
        if event.get("subtype") == "file_share":
            self.told(event.get("files") or ())
            for one in event.get("files") or ():
                self._shared[str(one.get("id"))] = str(event.get("channel")), str(event.get("ts"))
            _bound(self._shared)

    def told(self, files: Iterable[Mapping[str, Any]]) -> None:
        """Note which of these uploads Slack knows the type of."""
        for one in files:
            if one.get("mimetype"):
                self._event(str(one.get("id"))).set()

    async def wait(self, file_ids: Sequence[str]) -> None:
        """Wait until Slack knows what all these uploads are; raises PicturesRefusedError, and what Slack fails with."""
        pauses_s = iter(self._polls_s)
        await self._pause(file_ids, next(pauses_s, 0.0))
        while left := [one for one in file_ids if not self._event(one).is_set()]:
            await self._pace.wait("", urgent=True)
            self.told([(await self._client.files_info(file=left[0]))["file"]])
            if not self._event(left[0]).is_set():
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    raise PicturesRefusedError("undigested")
                await self._pause(left, pause_s)

    async def shared_at(self, file_id: str) -> set[tuple[str, str]]:
        """Return channel and ts of the messages that share an upload; raises PicturesRefusedError."""
        if file_id in self._shared:
            return {self._shared[file_id]}
        await self._pace.wait("", urgent=False)
        try:
            told = (await self._client.files_info(file=file_id))["file"]
        except FAILURES as error:
            raise PicturesRefusedError(reason_of(error)) from error
        kinds: dict[str, dict[str, list[dict[str, Any]]]] = told.get("shares") or {}
        return {(there, str(one["ts"])) for kind in kinds.values() for there, all_of in kind.items() for one in all_of}

    async def _pause(self, file_ids: Sequence[str], pause_s: float) -> None:
        """Wait for an event about each of these uploads, but not longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                for one in file_ids:
                    await self._event(one).wait()

    def _event(self, file_id: str) -> asyncio.Event:
        if file_id not in self._done:
            self._done[file_id] = asyncio.Event()
            _bound(self._done)
        return self._done[file_id]


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _UPLOADS_KEPT:
        kept.popitem(last=False)


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
        self._saved: OrderedDict[str, tuple[str, ...]] = OrderedDict()
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
        before = self._saved.pop(card, ())
        self._saved[card] = file_ids
        while len(self._saved) > _KEPT:
            self._saved.popitem(last=False)
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
