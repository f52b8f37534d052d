"""What a Slack message brings: words, links and files; and reading messages that no event brought.

Files are downloaded with the bot's token, which goes to Slack's hosts only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from bot.doors.messages import Item, bounded, is_picture, is_video
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.render import mentions, plain
from core.conversation.commands import parse_about
from core.errors import FetchFailed, MessageGone, OverLimit, VideoUnavailable
from core.links import canonical, find_links, looks_like_video
from core.model import actions
from core.model.events import Address, LinkPosted, PictureFile, RemoteFile, RemoteFilePosted, Status, Switch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.config import Workspace
    from core.model.events import Incoming, Turn

Json: TypeAlias = dict[str, Any]
_ATTACHED = ("title_link", "from_url", "text")
"""Where what an app posts has its links."""
_SPOKEN = {None, "file_share", "thread_broadcast", "me_message"}

logger = logging.getLogger(__name__)

_A_PAGE = 200
_MOST_PAGES = 25
"""Of a thread of up to 5,000 replies the newest is found."""
_UNREADABLE = {"message_not_found", "thread_not_found", "channel_not_found", "not_in_channel"}
_HOSTS = ("slack.com", "slack-gov.com")
_GONE = {"file_not_found", "file_deleted"}
_HIDDEN = {"not_visible", "access_denied", "missing_scope", "not_allowed", "slack_connect_file_link_sharing_blocked"}


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message that a person wrote."""

    channel: str
    ts: str
    """Its id within the channel."""
    thread_ts: str
    """Of the thread that it stands in, or ""."""
    user_id: str
    text: str
    """As Slack spells it."""
    files: tuple[Json, ...]
    is_edit: bool = False
    """It says otherwise than before."""

    @property
    def root_ts(self) -> str:
        """Return the thread that an answer belongs to."""
        return self.thread_ts or self.ts

    def mentions(self, user_id: str) -> bool:
        """Tell whether it mentions that user."""
        return mentions(self.text, user_id)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone."""

    channel: str
    ts: str


def read(event: Mapping[str, Any]) -> SlackMessage | Deleted | None:
    """Return what a message event tells, or None where that is nothing to Keaton."""
    channel, subtype = str(event.get("channel", "")), event.get("subtype")
    if subtype == "message_deleted":
        return Deleted(channel, str(event["deleted_ts"]))
    if subtype == "message_changed":
        changed = event["message"]
        if changed.get("subtype") == "tombstone":  # what is left of a deleted message with replies
            return Deleted(channel, str(changed["ts"]))
        said = read({**changed, "channel": channel})
        return replace(said, is_edit=True) if isinstance(said, SlackMessage) else said
    if subtype not in _SPOKEN or event.get("bot_id") or not event.get("user"):
        return None
    files = tuple(event.get("files") or ())
    thread_ts = _thread_of(event)
    return SlackMessage(channel, str(event["ts"]), thread_ts, str(event["user"]), str(event.get("text") or ""), files)


def read_any(raw: Mapping[str, Any], channel: str, asker_id: str) -> SlackMessage:
    """Return a message that a person points at, an app's too, which counts as the asker's; links below it count."""
    below = [str(one.get(name) or "") for one in raw.get("attachments") or () for name in _ATTACHED]
    text = " ".join(part for part in (str(raw.get("text") or ""), *below) if part)
    files, thread_ts = tuple(raw.get("files") or ()), _thread_of(raw)
    is_person = not raw.get("bot_id") and raw.get("user")
    return SlackMessage(channel, str(raw["ts"]), thread_ts, str(raw["user"]) if is_person else asker_id, text, files)


def _thread_of(raw: Mapping[str, Any]) -> str:
    """Return the thread that a message stands in as a reply; the first message of a thread names itself."""
    thread_ts = str(raw.get("thread_ts") or "")
    return "" if thread_ts == raw.get("ts") else thread_ts


def links(message: SlackMessage, *, asked: bool) -> dict[str, str]:
    """Return the links to videos by what they mean; only those that look like one, unless a person asked for it."""
    found = find_links(plain(message.text))
    return {canonical(link): link for link in found if asked or looks_like_video(link)}


async def videos(message: SlackMessage, turn: Turn, files: SlackFiles, *, asked: bool) -> tuple[Item, ...]:
    """Return what may be a video."""
    return _items(message, turn, [await files.video(one) for one in message.files], asked=asked)


def videos_unasked(message: SlackMessage, turn: Turn, files: SlackFiles) -> tuple[Item, ...]:
    """Return what may be a video, by what the message itself tells; a file without a name is to be asked about."""
    return _items(message, turn, [files.unasked(one) for one in message.files], asked=True)


def names(message: SlackMessage, files: SlackFiles) -> frozenset[str]:
    """Return the names of all that may be a video in a message, the person who asks for it.

    A file that Slack tells nothing about may be one: it hides old files of workspaces that do not pay
    (`hidden_by_limit`). What is left of a deleted one is called a tombstone.
    """
    there = [one for one in message.files if one.get("mode") != "tombstone"]
    found = {files.key(str(one["id"])) for one in there if not one.get("mimetype") or files.unasked(one)}
    return frozenset(found | links(message, asked=True).keys())


def _items(message: SlackMessage, turn: Turn, found: list[RemoteFile | None], *, asked: bool) -> tuple[Item, ...]:
    posted = [Item(name, LinkPosted(turn, link)) for name, link in links(message, asked=asked).items()]
    taken = [Item(one.key, RemoteFilePosted(turn, one)) for one in found if one is not None]
    return bounded(posted + taken)


def button_ids(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of all buttons of a message, those in its menu too."""
    for block in message.get("blocks") or ():
        for element in block.get("elements") or ():
            yield str(element.get("action_id") or "")
            yield from (str(one.get("value") or "") for one in element.get("options") or ())


def asked(
    turn: Turn, words: str, workspace: Workspace, picture: PictureFile | None = None, answer_id: str = ""
) -> Incoming:
    """Return the event that words ask for, beside a picture or in an answer's thread, where there is one.

    Words that are no command are a search.
    """
    match words.strip().lower():
        case "on" | "off" as wanted:
            return Switch(turn, wanted == "on")
        case "status":
            return Status(turn, "channels:history" in workspace.missing, workspace.missing)
        case _:
            return parse_about(turn, words, picture, answer_id)[0]


class Reader:
    """Reads messages."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def message(self, channel: str, ts: str) -> SlackMessage | None:
        """Return a message that Keaton saw before, or None where it is gone; raises SlackApiError."""
        try:
            found = await self._client.conversations_replies(
                channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
            )
        except FAILURES as error:
            if reason_of(error) in _UNREADABLE:
                return None
            raise
        raw = next((one for one in found["messages"] if one["ts"] == ts), None)
        message = read({**raw, "channel": channel}) if raw else None
        return message if isinstance(message, SlackMessage) else None

    async def answer_above(self, message: SlackMessage) -> str:
        """Return the newest answer of Keaton's in the thread that a message stands in, or ""."""
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
                    newest = actions.answer_among(button_ids(one)) or newest
                read += 1
                if read >= _MOST_PAGES:
                    break
        except FAILURES as error:
            logger.info("a thread cannot be read: %s", reason_of(error))
        return newest


class SlackFiles:
    """Asks Slack about files."""

    def __init__(self, client: AsyncWebClient, token: str, api_base: str, team_id: str) -> None:
        self._client = client
        self._token = token
        self._api_base = api_base
        self._team_id = team_id

    async def video(self, file: Mapping[str, Any]) -> RemoteFile | None:
        """Return a posted file where it is a video; one from a connected workspace is asked about first."""
        if file.get("file_access") != "check_file_info":
            return self._video(file)
        try:
            told = await self._told(str(file["id"]))
        except VideoUnavailable:  # where it is a video, the person who posted it is told so once it is fetched
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
        """Return the first picture among posted files, to be asked about."""
        for file in files:
            told = await self._told(str(file["id"])) if file.get("file_access") == "check_file_info" else file
            if told is not None and _is_picture(told):
                return self._asked_about(str(told["id"]), str(told.get("name") or "picture"))
        return None

    async def picture_of(self, file_id: str) -> PictureFile | None:
        """Return a posted picture by its id, or None where it is none, or gone."""
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
