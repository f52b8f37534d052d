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
    "groups:history,groups:read,im:history,im:write,mpim:history,mpim:read,reactions:write,users:read"
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
    shares: dict[str, tuple[str, str]] = field(default_factory=dict)
    """For each channel that it was shared into, the message that did so and the thread of that."""
    alt: str = ""

    @property
    def digested(self) -> bool:
        return self.complete and self.polls_left <= 0

    def is_seen_by(self, user: str, team: Workspace) -> bool:
        """Tell whether somebody other than its uploader may look at it: what was shared nowhere is private."""
        rooms = [team.channels[one] for one in self.shares if one in team.channels]
        return any(user in one.members(team) for one in rooms)

    def json(self, base: str) -> Json:
        shares = {one: [{"ts": ts, "thread_ts": thread_ts or ts}] for one, (ts, thread_ts) in self.shares.items()}
        return {
            "id": self.id,
            "name": self.name,
            "mimetype": self.mimetype if self.digested else "",
            "size": len(self.data),
            "url_private_download": f"{base}/files/{self.id}/{self.name}",
            "shares": {
                "public": {one: at for one, at in shares.items() if one.startswith("C")},
                "private": {one: at for one, at in shares.items() if not one.startswith("C")},
            },
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
    attachments: list[Json] = field(default_factory=list)
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
        """Those at sight, and those that its menu offers."""
        parts = [one for block in self.blocks if block["type"] == "actions" for one in block["elements"]]
        shown = {one["text"]["text"]: one for one in parts if one["type"] == "button"}
        menus = [one for one in parts if one["type"] == "static_select"]
        return shown | {
            option["text"]["text"]: {"type": menu["type"], "action_id": menu["action_id"], "selected_option": option}
            for menu in menus
            for option in menu["options"]
        }

    @property
    def named(self) -> list[str]:
        """The ids of the files that its blocks name."""
        shown = [*self.blocks, *(one["accessory"] for one in self.blocks if "accessory" in one)]
        return [one["slack_file"]["id"] for one in shown if one["type"] == "image"]

    @property
    def images(self) -> list[str]:
        """The ids of the files that it shows to each person who sees it, Keaton not counted."""
        team = self.channel.team
        assert team is not None
        people = {self.only_for} if self.only_for else {*self.channel.members(team)} - {team.keaton.id}
        seen = {one: team.files[one] for one in self.named if one in team.files}
        return [one for one, file in seen.items() if all(file.is_seen_by(user, team) for user in people)]

    @property
    def is_whole(self) -> bool:
        """Tell whether it promises neither pictures nor a verdict that stands."""
        return "The pictures follow." not in self.words and "hecking…" not in self.words

    @property
    def is_share(self) -> bool:
        """Tell whether it only shares files."""
        return self.bot and bool(self.files) and not self.blocks

    @property
    def links(self) -> dict[str, str]:
        contexts = [part["text"] for one in self.blocks if one["type"] == "context" for part in one["elements"]]
        found = re.findall(r"<(https?://[^|>]+)\|([^>]*)>", " ".join(contexts))
        return {label: url.replace("&amp;", "&") for url, label in found}

    def json(self) -> Json:
        made: Json = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        below = [one.ts for one in self.channel.messages.values() if one.thread_ts == self.ts]
        if self.thread_ts:
            made["thread_ts"] = self.thread_ts
        elif below:
            made |= {"thread_ts": self.ts, "reply_count": len(below), "latest_reply": max(below)}
        if self.subtype:
            made["subtype"] = self.subtype
        if self.bot and not self.is_share:
            made["bot_id"] = "B0KEATON"
        if self.files:
            made["files"] = self.files
        if self.attachments:
            made["attachments"] = self.attachments
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
    unseen: list[Message] = field(default_factory=list)
    """Ephemeral messages that Slack took and shows to nobody."""
    team: Workspace | None = None

    def members(self, team: Workspace) -> list[str]:
        """Give the ids of who is in it."""
        inside = sorted(team.users) if self.people is None else sorted(self.people)
        return [*inside, *([team.keaton.id] if self.keaton_inside else [])]

    def below(self, message: Message) -> list[Message]:
        """Give Keaton's messages in a message's thread, but for those that only share files."""
        return [one for one in self.by_keaton if one.thread_ts == message.ts]

    def whisper(self, message: Message) -> bool:
        """Take an ephemeral message; tell whether it is shown: in a thread only where that has a reply."""
        is_seen = not message.thread_ts or any(one.thread_ts == message.thread_ts for one in self.messages.values())
        (self.whispers if is_seen else self.unseen).append(message)
        return is_seen

    @property
    def by_keaton(self) -> list[Message]:
        return [one for one in self.messages.values() if one.bot and not one.is_share]

    @property
    def shares(self) -> list[Message]:
        """Keaton's messages that only share files."""
        return [one for one in self.messages.values() if one.is_share]


@dataclass
class Workspace:
    """One workspace with Keaton in it."""

    name: str = "Keystone"
    id: str = field(default_factory=lambda: new_id("T"))
    keaton: User = field(default_factory=lambda: User("keaton"))
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    """The App Home as each person sees it."""
    scopes: str = ALL_SCOPES

    @property
    def bot_token(self) -> str:
        return f"xoxb-{self.id}"

    @property
    def app_token(self) -> str:
        return f"xapp-{self.id}"

    def channel(self, name: str = "general", *, keaton_inside: bool = True) -> Channel:
        made = Channel(name, keaton_inside=keaton_inside, team=self)
        self.channels[made.id] = made
        return made

    def talk(self, user: str) -> Channel:
        """Give the direct messages between Keaton and somebody."""
        for one in self.channels.values():
            if one.id.startswith("D") and one.people == {user}:
                return one
        made = Channel("", new_id("D"), is_private=True, people={user}, team=self)
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
