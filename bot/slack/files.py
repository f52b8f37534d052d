"""Files that lie on Slack's servers. Owns which are films, and that the token goes to Slack's own hosts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.doors import is_film, is_picture
from core.errors.films import OverLimit
from core.errors.links import FetchFailed, VideoUnavailable
from core.errors.turns import MessageGone
from core.talk import Address, PictureFile, RemoteFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

_HOSTS = ("slack.com", "slack-gov.com")
_GONE = {"file_not_found", "file_deleted"}


class Files:
    """Asks Slack about files."""

    def __init__(self, client: AsyncWebClient, token: str, api_base: str, team_id: str) -> None:
        self._client = client
        self._token = token
        self._api_base = api_base
        self._team_id = team_id

    async def film(self, file: Mapping[str, Any]) -> RemoteFile | None:
        """Give a posted file where it is a film; one from a connected workspace is asked about first."""
        told = await self._told(str(file["id"])) if file.get("file_access") == "check_file_info" else file
        if told is None or not _is_film(told):
            return None
        file_id = str(told["id"])

        async def locate() -> Address:
            return await self._address(file_id)

        return RemoteFile(
            f"slack:{self._team_id}:file:{file_id}", str(told.get("name") or file_id), locate, told.get("size") or 0
        )

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
        try:
            answer = await self._client.files_info(file=file_id)
        except SlackApiError as error:
            if error.response["error"] in _GONE:
                return None
            raise
        told: Mapping[str, Any] = answer["file"]
        return told


def is_slacks(url: str, api_base: str) -> bool:
    """Tell whether an address is one of Slack's own hosts, which alone may see the token."""
    parts = urlsplit(url)
    if api_base and (parts.scheme, parts.netloc) == urlsplit(api_base)[:2]:
        return True
    host = parts.hostname or ""
    return parts.scheme == "https" and any(host == one or host.endswith("." + one) for one in _HOSTS)


def _is_film(file: Mapping[str, Any]) -> bool:
    if file.get("is_external") or file.get("mode") in {"tombstone", "hidden_by_limit"}:
        return False
    return is_film(str(file.get("name") or ""), str(file.get("mimetype") or ""))


def _is_picture(file: Mapping[str, Any]) -> bool:
    if file.get("is_external") or file.get("mode") in {"tombstone", "hidden_by_limit"}:
        return False
    return is_picture(str(file.get("name") or ""), str(file.get("mimetype") or ""))
