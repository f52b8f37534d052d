"""Files on Slack's servers: which are videos, and how they are downloaded. The token goes to Slack's hosts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from bot.doors.messages import is_picture, is_video
from bot.slack.refusals import FAILURES, reason_of
from core.errors import FetchFailed, MessageGone, OverLimit, VideoUnavailable
from core.model.events import Address, PictureFile, RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

_HOSTS = ("slack.com", "slack-gov.com")
_GONE = {"file_not_found", "file_deleted"}
_HIDDEN = {"not_visible", "access_denied", "missing_scope", "not_allowed", "slack_connect_file_link_sharing_blocked"}


class SlackFiles:
    """Asks Slack about files."""

    def __init__(self, client: AsyncWebClient, token: str, api_base: str, team_id: str) -> None:
        self._client = client
        self._token = token
        self._api_base = api_base
        self._team_id = team_id

    async def video(self, file: Mapping[str, Any]) -> RemoteFile | None:
        """Give a posted file where it is a video; one from a connected workspace is asked about first."""
        if file.get("file_access") != "check_file_info":
            return self._video(file)
        try:
            told = await self._told(str(file["id"]))
        except VideoUnavailable:  # where it is a video, whoever posted it is told so once it is fetched
            return self.unasked(file)
        return self._video(told) if told else None

    def unasked(self, file: Mapping[str, Any]) -> RemoteFile | None:
        """Return a posted file where it may be a video, without asking; "" for its name where Slack must be asked."""
        if file.get("file_access") != "check_file_info":
            return self._video(file)
        return self._remote(str(file["id"]), "")

    def key(self, file_id: str) -> str:
        """Return the name under which a file is written down."""
        return f"slack:{self._team_id}:file:{file_id}"

    def _video(self, file: Mapping[str, Any]) -> RemoteFile | None:
        return self._remote(str(file["id"]), str(file.get("name") or file["id"]), file) if _is_video(file) else None

    def _remote(self, file_id: str, name: str, file: Mapping[str, Any] | None = None) -> RemoteFile:
        async def locate() -> Address:
            return await self._address(file_id)

        size_bytes = (file or {}).get("size") or 0
        return RemoteFile(self.key(file_id), name, locate, size_bytes)

    async def picture(self, files: Sequence[Mapping[str, Any]]) -> PictureFile | None:
        """Give the first picture among posted files, to be asked about."""
        for file in files:
            told = await self._told(str(file["id"])) if file.get("file_access") == "check_file_info" else file
            if told is not None and _is_picture(told):
                return self._asked_about(str(told["id"]), str(told.get("name") or "picture"))
        return None

    async def picture_of(self, file_id: str) -> PictureFile | None:
        """Give a posted picture by its id, or None where it is none, or gone."""
        told = await self._told(file_id)
        return await self.picture([told]) if told else None

    def _asked_about(self, file_id: str, name: str) -> PictureFile:
        async def read(limit_bytes: int) -> bytes:
            address = await self._address(file_id)
            return await self._content(address, name, limit_bytes)

        return PictureFile(name, read)

    async def _content(self, address: Address, name: str, limit_bytes: int) -> bytes:
        """Read a file of Slack's; the token goes to that host alone, so nothing is followed elsewhere."""
        session = self._client.session
        if session is None:
            raise FetchFailed(address.url, "other")
        headers = {"Authorization": f"Bearer {address.bearer}"}
        try:
            async with session.get(address.url, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    raise FetchFailed(address.url, "http", str(response.status))
                if (response.content_length or 0) > limit_bytes:
                    raise OverLimit(name, "size_bytes", limit_bytes, response.content_length)
                return (
                    await response.content.read(limit_bytes + 1)
                    if response.content_length is None
                    else (await response.read())
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FetchFailed(address.url, "broken") from error

    async def _address(self, file_id: str) -> Address:
        told = await self._told(file_id)
        if told is None:
            raise MessageGone
        url = str(told.get("url_private_download") or told.get("url_private") or "")
        if not is_slacks(url, self._api_base):
            raise VideoUnavailable(url, "no_video")
        return Address(url, self._token)

    async def _told(self, file_id: str) -> Mapping[str, Any] | None:
        """Ask about a file; None where it is gone. Raises VideoUnavailable, FetchFailed."""
        try:
            answer = await self._client.files_info(file=file_id)
        except FAILURES as error:
            reason = reason_of(error)
            if reason in _GONE:
                return None
            if reason in _HIDDEN:
                raise VideoUnavailable("", "hidden") from error
            raise FetchFailed("", "other") from error
        told: Mapping[str, Any] = answer["file"]
        return told


def is_slacks(url: str, api_base: str) -> bool:
    """Tell whether an address is one of Slack's own hosts, which alone may see the token."""
    parts = urlsplit(url)
    if api_base and (parts.scheme, parts.netloc) == urlsplit(api_base)[:2]:
        return True
    host = parts.hostname or ""
    return parts.scheme == "https" and any(host == one or host.endswith("." + one) for one in _HOSTS)


def _is_video(file: Mapping[str, Any]) -> bool:
    if file.get("is_external") or file.get("mode") in {"tombstone", "hidden_by_limit", "snippet"}:
        return False
    return is_video(str(file.get("name") or ""), str(file.get("mimetype") or ""))


def _is_picture(file: Mapping[str, Any]) -> bool:
    if file.get("is_external") or file.get("mode") in {"tombstone", "hidden_by_limit"}:
        return False
    return is_picture(str(file.get("name") or ""), str(file.get("mimetype") or ""))
