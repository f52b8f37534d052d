"""What a Slack message brings: words, links and video files; and reading messages that no event brought."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.doors.messages import Item, bounded
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.render import mentions, plain
from core.links import canonical, find_links, looks_like_video
from core.model import actions
from core.model.events import LinkPosted, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.files import SlackFiles
    from core.model.events import RemoteFile, Turn

Json: TypeAlias = dict[str, Any]


_ATTACHED = ("title_link", "from_url", "text")
"""Where what an app posts has its links."""


_SPOKEN = {None, "file_share", "thread_broadcast", "me_message"}


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message that somebody wrote."""

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
        """Give the thread that an answer belongs to."""
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
    """Give what a message event tells, or None where that is nothing to Keaton."""
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
    """Return a message that somebody points at, an app's too, which counts as the asker's; links below it count."""
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
    """Give the links to videos by what they mean; only those that look like one, unless somebody asked for it."""
    found = find_links(plain(message.text))
    return {canonical(link): link for link in found if asked or looks_like_video(link)}


async def videos(message: SlackMessage, turn: Turn, files: SlackFiles, *, asked: bool) -> tuple[Item, ...]:
    """Give what may be a video."""
    return _items(message, turn, [await files.video(one) for one in message.files], asked=asked)


def videos_unasked(message: SlackMessage, turn: Turn, files: SlackFiles) -> tuple[Item, ...]:
    """Return what may be a video, by what the message itself tells; a file without a name is to be asked about."""
    return _items(message, turn, [files.unasked(one) for one in message.files], asked=True)


def names(message: SlackMessage, files: SlackFiles) -> frozenset[str]:
    """Return the names of all that may be a video in a message, whoever asks for it.

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
    """Give the ids of all buttons of a message."""
    for block in message.get("blocks") or ():
        for element in block.get("elements") or ():
            yield str(element.get("action_id") or "")


def about(channel: str, ts: str) -> str:
    """Give the name of all work about a message."""
    return f"{channel}:{ts}"


logger = logging.getLogger(__name__)


_A_PAGE = 200


_MOST_PAGES = 25
"""Of a thread of up to 5,000 replies the newest is found."""


_UNREADABLE = {"message_not_found", "thread_not_found", "channel_not_found", "not_in_channel"}


class Reader:
    """Reads messages."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def message(self, channel: str, ts: str) -> SlackMessage | None:
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
        message = read({**raw, "channel": channel}) if raw else None
        return message if isinstance(message, SlackMessage) else None

    async def answer_above(self, message: SlackMessage) -> str:
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
                    newest = actions.answer_among(button_ids(one)) or newest
                read += 1
                if read >= _MOST_PAGES:
                    break
        except FAILURES as error:
            logger.info("a thread cannot be read: %s", reason_of(error))
        return newest
