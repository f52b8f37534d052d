"""A small Discord: servers, channels, people and messages, with ids and permissions. Knows no HTTP."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

EPOCH_MS = 1420070400000
APP_ID = 9000000000000001
BOT_ID = 9000000000000001
TOKEN = "fake.discord.token"

TEXT, VOICE, THREAD = 0, 2, 11

PLAIN, REPLY = 0, 19
SPOKEN = {PLAIN, REPLY}
"""Types of messages that people write; the others are system messages."""

EPHEMERAL, LOADING, IS_V2 = 1 << 6, 1 << 7, 1 << 15

VIEW, SEND, ATTACH, HISTORY, REACT = 1 << 10, 1 << 11, 1 << 15, 1 << 16, 1 << 6
MANAGE_CHANNELS, MANAGE_MESSAGES, THREADS_SEND = 1 << 4, 1 << 13, 1 << 38
NAMES = {VIEW: "view", SEND: "send", ATTACH: "attach", HISTORY: "history", REACT: "react"}
CONNECT = 1 << 20
ORDINARY = VIEW | SEND | ATTACH | HISTORY | REACT | THREADS_SEND | CONNECT

_numbers = itertools.count()


def new_id(at_s: float | None = None) -> int:
    at_ms = int((time.time() if at_s is None else at_s) * 1000)
    return ((at_ms - EPOCH_MS) << 22) | (next(_numbers) % (1 << 12))


@dataclass
class User:
    name: str
    id: int = field(default_factory=new_id)
    bot: bool = False

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name.lower(),
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
        }


@dataclass
class Channel:
    guild: Guild
    name: str
    id: int = field(default_factory=new_id)
    denied: dict[int, int] = field(default_factory=dict)
    """Permission bits taken away, by user id or by the server's id for everybody."""
    allowed: dict[int, int] = field(default_factory=dict)
    nsfw: bool = False
    messages: dict[int, Message] = field(default_factory=dict)
    nonces: dict[str, Message] = field(default_factory=dict)
    """What was posted with a nonce, though deleted since."""
    parent: Channel | None = None
    """Of a thread: the channel that it is in."""
    archived: bool = False
    locked: bool = False
    kind: int = TEXT

    def permissions(self, user: User) -> int:
        if self.parent is not None:
            return self.parent.permissions(user)
        bits = self.guild.everybody | self.guild.extra.get(user.id, 0)
        held = self.guild.holders.get(user.id, [])
        for role in held:
            bits |= self.guild.roles[role]
        for who in ([self.guild.id], held, [user.id]):
            for one in who:
                bits &= ~self.denied.get(one, 0)
            for one in who:
                bits |= self.allowed.get(one, 0)
        return bits

    def json(self) -> Json:
        who = {*self.denied, *self.allowed}
        last = max((one.id for one in self.messages.values() if not one.is_ephemeral), default=None)
        if self.parent is not None:
            return self._thread(self.parent, last)
        return {
            "id": str(self.id),
            "guild_id": str(self.guild.id),
            "type": self.kind,
            "name": self.name,
            "position": 0,
            "nsfw": self.nsfw,
            "bitrate": 64000,
            "user_limit": 0,
            "last_message_id": str(last) if last else None,
            "permission_overwrites": [
                {
                    "id": str(one),
                    "type": 0 if one == self.guild.id or one in self.guild.roles else 1,
                    "allow": str(self.allowed.get(one, 0)),
                    "deny": str(self.denied.get(one, 0)),
                }
                for one in who
            ],
        }

    def _thread(self, parent: Channel, last: int | None) -> Json:
        state = {"archived": self.archived, "locked": self.locked, "auto_archive_duration": 1440}
        return {
            "id": str(self.id),
            "guild_id": str(self.guild.id),
            "parent_id": str(parent.id),
            "owner_id": str(BOT_ID),
            "type": THREAD,
            "name": self.name,
            "last_message_id": str(last) if last else None,
            "message_count": len(self.messages),
            "member_count": 1,
            "rate_limit_per_user": 0,
            "thread_metadata": {**state, "archive_timestamp": "2026-01-01T00:00:00+00:00"},
        }


def _reaction(emoji: str) -> Json:
    """Give a reaction of Keaton's own, as a message object tells of it (resources/message, "Reaction Structure")."""
    counts = {"count": 1, "count_details": {"burst": 0, "normal": 1}, "me": True, "me_burst": False, "burst_colors": []}
    return {**counts, "emoji": {"id": None, "name": emoji}}


@dataclass
class Message:
    channel: Channel
    author: User
    content: str = ""
    id: int = field(default_factory=new_id)
    flags: int = 0
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Of a card, by name."""
    reply_to: int | None = None
    pings: bool = True
    """A reply mentions whom it answers; its writer may switch that off."""
    reactions: list[str] = field(default_factory=list)
    edited_s: list[float] = field(default_factory=list)
    """When it was posted and edited, on the monotonic clock."""
    only_for: int | None = None
    history: list[str] = field(default_factory=list)
    """What it said, each time that it changed."""
    forwards: Message | None = None
    system: int | None = None
    """The type of a system message."""

    @property
    def kind(self) -> int:
        if self.system is not None:
            return self.system
        return REPLY if self.reply_to else PLAIN

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def text(self) -> str:
        """All words of a card."""
        return "\n".join(part["content"] for part in walk(self.components) if part["type"] == 10)

    @property
    def buttons(self) -> dict[str, Json]:
        """Those at sight, and those that its menu offers."""
        parts = walk(self.components)
        offered = [
            {**one, "custom_id": part["custom_id"]} for part in parts if part["type"] == 3 for one in part["options"]
        ]
        shown = [part for part in parts if part["type"] == 2 and "custom_id" in part]
        return {one["label"]: one for one in (*shown, *offered)}

    @property
    def links(self) -> dict[str, str]:
        return {part["label"]: part["url"] for part in walk(self.components) if part["type"] == 2 and "url" in part}

    def json(self, *, blank: bool = False) -> Json:
        stamp = datetime.fromtimestamp(((self.id >> 22) + EPOCH_MS) / 1000, UTC).isoformat()
        # A reply mentions whom it answers unless its writer switches that off: `mentions` holds Keaton then, while its
        # words do not (discord-api-docs, message.mdx, "Message Reference Structure"; allowed_mentions.replied_user).
        told = self.channel.messages.get(self.reply_to) if self.reply_to else None
        is_told = self.pings and told is not None and told.author.id == BOT_ID
        mentioned = f"<@{BOT_ID}>" in self.content or is_told
        hidden = blank and not mentioned and self.author.id != BOT_ID
        made: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "guild_id": str(self.channel.guild.id),
            "author": self.author.json(),
            "content": "" if hidden else self.content,
            "timestamp": stamp,
            "edited_timestamp": stamp if len(self.edited_s) > 1 else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [KEATON.json()] if mentioned else [],
            "mention_roles": [],
            "attachments": [] if hidden else self.attachments,
            "reactions": [_reaction(emoji) for emoji in self.reactions],
            "embeds": [],
            "pinned": False,
            "type": self.kind,
            "flags": self.flags,
            "components": [] if hidden else self.components,
        }
        if self.forwards is not None:
            made.update(_forwarded(self.forwards.json()))
        if self.reply_to:
            made["message_reference"] = {"message_id": str(self.reply_to), "channel_id": str(self.channel.id)}
            made["referenced_message"] = replace(told, reply_to=None).json(blank=blank) if told else None
        return made


def _forwarded(message: Json) -> Json:
    """Return what a message that forwards another has of it."""
    kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags", "components")
    snapshot = {key: message[key] for key in kept} | {"mentions": [], "mention_roles": []}
    reference = {"type": 1, "message_id": message["id"], "channel_id": message["channel_id"]}
    return {"message_snapshots": [{"message": snapshot}], "message_reference": reference}


@dataclass
class Guild:
    name: str
    id: int = field(default_factory=new_id)
    everybody: int = ORDINARY
    extra: dict[int, int] = field(default_factory=dict)
    """Permissions that a user has besides."""
    channels: list[Channel] = field(default_factory=list)
    tier: int = 0
    own_role: int = field(default_factory=new_id)
    """The role that Discord makes for a bot."""
    tells_of_keaton: bool = True
    """GUILD_CREATE holds Keaton's own member, as it does nearly always."""
    roles: dict[int, int] = field(default_factory=dict)
    """Permissions of roles beside everybody's, by their ids."""
    holders: dict[int, list[int]] = field(default_factory=dict)
    """Such roles of people, by their ids."""

    def channel(self, name: str, **more: Any) -> Channel:
        made = Channel(self, name, **more)
        self.channels.append(made)
        return made

    def thread(self, parent: Channel, name: str) -> Channel:
        return self.channel(name, parent=parent)

    def member(self, user: User) -> Json:
        roles = [str(user.id + 1)] if user.id in self.extra else []
        roles += [str(one) for one in self.holders.get(user.id, [])]
        roles += [str(self.own_role)] if user.id == BOT_ID else []
        return {
            "user": user.json(),
            "nick": None,
            "roles": roles,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "owner_id": "1",
            "roles": [_role(self.id, "@everyone", self.everybody)]
            + [_role(who + 1, "a role", bits) for who, bits in self.extra.items()]
            + [_role(one, "a role", bits) for one, bits in self.roles.items()]
            + [{**_role(self.own_role, "Keaton", 0), "managed": True, "tags": {"bot_id": str(BOT_ID)}}],
            "emojis": [],
            "stickers": [],
            "features": [],
            "premium_tier": self.tier,
            "verification_level": 0,
            "default_message_notifications": 0,
            "member_count": 3,
            "members": [self.member(KEATON)] if self.tells_of_keaton else [],
            "channels": [one.json() for one in self.channels if one.parent is None],
            "threads": [one.json() for one in self.channels if one.parent is not None and not one.archived],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "voice_states": [],
            "presences": [],
        }


KEATON = User("Keaton", BOT_ID, bot=True)


def walk(components: list[Json]) -> list[Json]:
    """Give all components, the nested ones after that which holds them."""
    found = []
    for one in components:
        beside = [one["accessory"]] if "accessory" in one else []
        found += [one, *walk(one.get("components", [])), *beside]
    return found


def _role(role_id: int, name: str, bits: int) -> Json:
    return {
        "id": str(role_id),
        "name": name,
        "permissions": str(bits),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
