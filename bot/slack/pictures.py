"""Pictures on Slack: uploaded, waited for until they can be shown, remembered. Must not know what they show."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.slack.config import DOOR
from bot.slack.render import Shot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from core.shown import Picture

_KEPT = 500

logger = logging.getLogger(__name__)


class UndigestedError(Exception):
    """Slack took a picture, but cannot show it yet."""


class Pictures:
    """Uploads each picture once, however often people browse back to it."""

    def __init__(self, client: AsyncWebClient, polls_s: tuple[float, ...]) -> None:
        self._client = client
        self._polls_s = polls_s
        self._files: OrderedDict[str, str] = OrderedDict()

    async def shots(self, pictures: Sequence[Picture]) -> tuple[Shot, ...]:
        """Give pictures that Slack can show; raises UndigestedError, SlackApiError."""
        new = [one for one in pictures if _digest(one) not in self._files]
        if new:
            done = await self._client.files_upload_v2(file_uploads=[_upload(one) for one in new])
            ids = [str(file["id"]) for file in done["files"]]
            await asyncio.gather(*(self._digested(file_id) for file_id in ids))
            for one, file_id in zip(new, ids, strict=True):
                self._files[_digest(one)] = file_id
        shots = tuple(Shot(self._files[_digest(one)], one.alt) for one in pictures)
        while len(self._files) > _KEPT:
            self._files.popitem(last=False)
        return shots

    async def into_thread(self, pictures: Sequence[Picture], channel: str, thread_ts: str) -> tuple[str, ...]:
        """Post pictures as plain files below a message; give their ids."""
        uploads = [_upload(one) for one in pictures]
        done = await self._client.files_upload_v2(file_uploads=uploads, channel=channel, thread_ts=thread_ts)
        return tuple(str(file["id"]) for file in done["files"])

    async def delete(self, file_ids: Sequence[str]) -> None:
        """Delete uploads for good, where they are still there."""
        self._files = OrderedDict((one, kept) for one, kept in self._files.items() if kept not in file_ids)
        for file_id in file_ids:
            try:
                await self._client.files_delete(file=file_id)
            except SlackApiError as error:
                logger.warning("a picture cannot be deleted: %s", error.response["error"])

    def drop(self, pictures: Sequence[Picture]) -> None:
        """Forget uploads that Slack does not show any more."""
        for one in pictures:
            self._files.pop(_digest(one), None)

    async def _digested(self, file_id: str) -> None:
        """Wait until Slack knows what an upload is: a message that shows it earlier is refused."""
        for pause_s in (*self._polls_s, None):
            if (await self._client.files_info(file=file_id))["file"].get("mimetype"):
                return
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise UndigestedError(file_id)


def _upload(picture: Picture) -> dict[str, Any]:
    return {
        "file": _bytes(picture),
        "filename": picture.name,
        "title": picture.alt[:200],
        "alt_txt": picture.alt[:1000],
    }


def _bytes(picture: Picture) -> bytes:
    (theme,) = DOOR.themes
    return picture.data[theme]


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.name.encode() + b"\0" + _bytes(picture)).hexdigest()
