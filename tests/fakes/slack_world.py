"""A small Slack: a workspace, channels, people, messages and files. Knows no HTTP."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Json: TypeAlias = dict[str, Any]

_numbers = itertools.count(1)
_LINK = re.compile(r"https?://[^\s<>|]+")

ALL_SCOPES = (
    "app_mentions:read,channels:history,channels:read,chat:write,commands,files:read,files:write,"
    "groups:history,groups:read,reactions:write,users:read"
)


def new_id(kind: str) -> str:
    return f"{kind}0{next(_numbers):08d}"


def new_ts() -> str:
    return f"{int(time.time())}.{next(_numbers):06d}"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(text: str) -> str:
    """Give what somebody types as Slack hands it on: escaped, links marked, mentions kept."""
    parts = re.split(r"(<[@#][A-Z0-9]+(?:\|[^<>]*)?>)", text)
    return "".join(
        one if one.startswith(("<@", "<#")) else _LINK.sub(lambda m: f"<{m[0]}>", escaped(one)) for one in parts
    )


@dataclass
class User:
    name: str
    id: str = field(default_factory=lambda: new_id("U"))
    is_admin: bool = False
    is_guest: bool = False


@dataclass
class File:
    """A file as Slack keeps it."""

    name: str
    data: bytes
    mimetype: str
    id: str = field(default_factory=lambda: new_id("F"))
    polls_left: int = 0
    """So often files.info must be asked before Slack knows what it is."""
    complete: bool = True
    shared_in: list[tuple[str, str]] = field(default_factory=list)
    """Channel and thread that it was posted to as a file."""
    alt: str = ""

    @property
    def digested(self) -> bool:
        return self.complete and self.polls_left <= 0

    def json(self, base: str) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "mimetype": self.mimetype if self.digested else "",
            "size": len(self.data),
            "url_private_download": f"{base}/files/{self.id}/{self.name}",
        }


@dataclass
class Message:
    channel: Channel
    user: str
    text: str = ""
    ts: str = field(default_factory=new_ts)
    thread_ts: str = ""
    bot: bool = False
    blocks: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    only_for: str = ""
    """The one who sees it, for an ephemeral message."""
    changed_s: list[float] = field(default_factory=list)
    """When it was posted and updated, on the monotonic clock."""
    history: list[str] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    subtype: str = ""
    """"tombstone" for what is left of a deleted message with replies."""

    @property
    def words(self) -> str:
        """All that it says, as people read it."""
        found = [one["text"]["text"] for one in self.blocks if one["type"] in {"header", "section"}]
        found += [part["text"] for one in self.blocks if one["type"] == "context" for part in one["elements"]]
        whole = "\n".join(found)
        return whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    @property
    def buttons(self) -> dict[str, Json]:
        rows = [one["elements"] for one in self.blocks if one["type"] == "actions"]
        return {button["text"]["text"]: button for row in rows for button in row}

    @property
    def images(self) -> list[str]:
        """The ids of the files that it shows."""
        return [one["slack_file"]["id"] for one in self.blocks if one["type"] == "image"]

    @property
    def links(self) -> dict[str, str]:
        contexts = [part["text"] for one in self.blocks if one["type"] == "context" for part in one["elements"]]
        found = re.findall(r"<(https?://[^|>]+)\|([^>]*)>", " ".join(contexts))
        return {label: url.replace("&amp;", "&") for url, label in found}

    def json(self) -> Json:
        made: Json = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        if self.thread_ts:
            made["thread_ts"] = self.thread_ts
        if self.subtype:
            made["subtype"] = self.subtype
        if self.bot:
            made["bot_id"] = "B0KEATON"
        if self.files:
            made["files"] = self.files
        if self.blocks:
            made["blocks"] = self.blocks
        return made


@dataclass
class Channel:
    name: str
    id: str = field(default_factory=lambda: new_id("C"))
    keaton_inside: bool = True
    creator: str = ""
    is_private: bool = False
    people: set[str] | None = None
    """The ids of who is in it, or None: all are."""
    messages: dict[str, Message] = field(default_factory=dict)
    whispers: list[Message] = field(default_factory=list)

    def members(self, team: Workspace) -> list[str]:
        """Give the ids of who is in it."""
        inside = sorted(team.users) if self.people is None else sorted(self.people)
        return [*inside, *([team.keaton.id] if self.keaton_inside else [])]

    def below(self, message: Message) -> list[Message]:
        """Give Keaton's messages in a message's thread."""
        return [one for one in self.messages.values() if one.bot and one.thread_ts == message.ts]

    @property
    def by_keaton(self) -> list[Message]:
        return [one for one in self.messages.values() if one.bot]


@dataclass
class Workspace:
    """One workspace with Keaton in it."""

    name: str = "Keystone"
    id: str = field(default_factory=lambda: new_id("T"))
    keaton: User = field(default_factory=lambda: User("keaton"))
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    scopes: str = ALL_SCOPES

    @property
    def bot_token(self) -> str:
        return f"xoxb-{self.id}"

    @property
    def app_token(self) -> str:
        return f"xapp-{self.id}"

    def channel(self, name: str = "general", *, keaton_inside: bool = True) -> Channel:
        made = Channel(name, keaton_inside=keaton_inside)
        self.channels[made.id] = made
        return made

    def user(self, name: str) -> User:
        made = User(name)
        self.users[made.id] = made
        return made

    def take(self, path: Path, mimetype: str = "video/mp4") -> File:
        made = File(path.name, path.read_bytes(), mimetype)
        self.files[made.id] = made
        return made
