"""What a Slack message brings: words, links and files that may be films. Pure but for asking Slack about a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.doors import Item, bounded
from bot.slack.words import mentions, plain
from core.links import canonical, find_links, looks_like_video
from core.talk import LinkPosted, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.slack.files import Files
    from core.talk import RemoteFile, Turn

Json: TypeAlias = dict[str, Any]

_ATTACHED = ("title_link", "from_url", "text")
"""Where what an app posts has its links."""
_SPOKEN = {None, "file_share", "thread_broadcast", "me_message"}


@dataclass(frozen=True, slots=True)
class Message:
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


def read(event: Mapping[str, Any]) -> Message | Deleted | None:
    """Give what a message event tells, or None where that is nothing to Keaton."""
    channel, subtype = str(event.get("channel", "")), event.get("subtype")
    if subtype == "message_deleted":
        return Deleted(channel, str(event["deleted_ts"]))
    if subtype == "message_changed":
        changed = event["message"]
        if changed.get("subtype") == "tombstone":  # what is left of a deleted message with replies
            return Deleted(channel, str(changed["ts"]))
        said = read({**changed, "channel": channel})
        return replace(said, is_edit=True) if isinstance(said, Message) else said
    if subtype not in _SPOKEN or event.get("bot_id") or not event.get("user"):
        return None
    files = tuple(event.get("files") or ())
    thread_ts = str(event.get("thread_ts") or "")
    return Message(channel, str(event["ts"]), thread_ts, str(event["user"]), str(event.get("text") or ""), files)


def read_any(raw: Mapping[str, Any], channel: str, asker_id: str) -> Message:
    """Return a message that somebody points at, an app's too, which counts as the asker's; links below it count."""
    below = [str(one.get(name) or "") for one in raw.get("attachments") or () for name in _ATTACHED]
    text = " ".join(part for part in (str(raw.get("text") or ""), *below) if part)
    files, thread_ts = tuple(raw.get("files") or ()), str(raw.get("thread_ts") or "")
    is_person = not raw.get("bot_id") and raw.get("user")
    return Message(channel, str(raw["ts"]), thread_ts, str(raw["user"]) if is_person else asker_id, text, files)


def links(message: Message, *, asked: bool) -> dict[str, str]:
    """Give the links to films by what they mean; only those that look like one, unless somebody asked for it."""
    found = find_links(plain(message.text))
    return {canonical(link): link for link in found if asked or looks_like_video(link)}


async def films(message: Message, turn: Turn, files: Files, *, asked: bool) -> tuple[Item, ...]:
    """Give what may be a film."""
    return _items(message, turn, [await files.film(one) for one in message.files], asked=asked)


def films_unasked(message: Message, turn: Turn, files: Files) -> tuple[Item, ...]:
    """Return what may be a film, by what the message itself tells; a file without a name is to be asked about."""
    return _items(message, turn, [files.unasked(one) for one in message.files], asked=True)


def names(message: Message, files: Files) -> frozenset[str]:
    """Return the names of all that may be a film in a message, whoever asks for it.

    A file that Slack tells nothing about may be one: it hides old files of workspaces that do not pay
    (`hidden_by_limit`). What is left of a deleted one is called a tombstone.
    """
    there = [one for one in message.files if one.get("mode") != "tombstone"]
    found = {files.key(str(one["id"])) for one in there if not one.get("mimetype") or files.unasked(one)}
    return frozenset(found | links(message, asked=True).keys())


def _items(message: Message, turn: Turn, found: list[RemoteFile | None], *, asked: bool) -> tuple[Item, ...]:
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
