"""The doors' own judgement of what an answer may draw on, asked with their libraries' real objects, but no network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import discord
from discord.state import ConnectionState

from bot.discord import interactions
from bot.discord import permissions as sight
from bot.discord.permissions import Sights
from bot.discord.rights import Readers
from bot.slack.config import DOOR as SLACK
from bot.web.config import DOOR as LOCAL
from core.model.events import Turn
from core.model.video import Scope, View
from tests.walls.spaces import Server

if TYPE_CHECKING:
    from core.model.events import Door
    from tests.walls.spaces import Person, Room, Space

Json = dict[str, Any]
BOT_ID, BOT_ROLE = 9000000000000001, 9000000000000002
_KINDS = {"text": 0, "voice": 2, "open thread": 11, "closed thread": 12}
_USER: Json = {"username": "x", "discriminator": "0", "avatar": None, "global_name": None}


@dataclass
class Asking:
    """As much of an interaction as the Discord door reads."""

    guild: discord.Guild
    room: Room
    user: discord.Member
    is_whispered: bool
    command: None = None
    filesize_limit: int = 10_000_000

    @property
    def guild_id(self) -> int:
        return self.guild.id

    @property
    def channel_id(self) -> int:
        return self.room.id

    @property
    def channel(self) -> object:
        return self.guild.get_channel_or_thread(self.room.id)

    @property
    def permissions(self) -> discord.Permissions:
        root = self.guild.get_channel((self.room.parent or self.room).id)
        assert isinstance(root, discord.abc.GuildChannel)
        return root.permissions_for(self.user)

    @property
    def message(self) -> object:
        flags = discord.MessageFlags()
        flags.ephemeral = self.is_whispered
        return type("Shown", (), {"flags": flags})()


class Eyes:
    """Returns turns as the doors make them."""

    def __init__(self) -> None:
        http = discord.Client(intents=discord.Intents.none()).http
        heard = {"dispatch": lambda *_: None, "handlers": {}, "hooks": {}}
        self._state = ConnectionState(**cast("Any", heard), http=http, intents=discord.Intents.none())
        self._state.user = discord.ClientUser(state=self._state, data=cast("Any", {**_USER, "id": str(BOT_ID)}))

    def asked(self, space: Space, who: Person, room: Room, where: str) -> tuple[Turn, bool]:
        """Return the turn of a search, and whether its answer is for the asker alone."""
        if not isinstance(space, Server):
            return self._plain(space, who, room), False
        asking = cast("Any", self._asking(space, who, room, is_whispered=False))
        at, readers = self._at(asking), Readers()
        view = sight.asked_view(at, cast("Any", where), readers)
        return interactions.turn_of(asking, view), sight.is_private(at, cast("Any", where), readers)

    def own(self, space: Space, who: Person, room: Room) -> Turn:
        """Return the turn of a command whose answer the asker alone sees."""
        if not isinstance(space, Server):
            return self._plain(space, who, room)
        asking = cast("Any", self._asking(space, who, room, is_whispered=True))
        return interactions.turn_of(asking, sight.own(self._at(asking), Readers(), everywhere=False))

    def pressed(self, space: Space, who: Person, room: Room, *, is_whispered: bool) -> Turn:
        """Return the turn of a person who presses a button."""
        if not isinstance(space, Server):
            return self._plain(space, who, room)
        asking = cast("Any", self._asking(space, who, room, is_whispered=is_whispered))
        return interactions.turn_of(asking, self._pressed(self._at(asking), is_whispered=is_whispered))

    def rooms(self, space: Space, who: Person, room: Room) -> tuple[tuple[str, str], ...]:
        """Return the channels that `in:` may name."""
        if not isinstance(space, Server):
            return ()
        asking = self._asking(space, who, room, is_whispered=False)
        return sight.rooms(self._at(cast("Any", asking)), "this server", Readers())

    def asking(self, space: Server, who: Person, room: Room) -> Any:
        """Return as much of an interaction as the Discord door reads."""
        return self._asking(space, who, room, is_whispered=False)

    def _at(self, asking: Any) -> sight.Standpoint:
        return interactions.standpoint(Sights(), asking)

    def _pressed(self, at: sight.Standpoint, *, is_whispered: bool) -> View:
        return sight.own(at, Readers(), everywhere=True) if is_whispered else sight.whole_server(at, Readers())

    def _plain(self, space: Space, who: Person, room: Room) -> Turn:
        door: Door = SLACK if space.platform == "slack" else LOCAL
        scope = Scope(space.platform, space.name, room.name)
        turn = Turn(door, scope, View.of(scope), str(who.id), who.name, "")
        return replace(turn, moderator=space.moderates(who, room))

    def _asking(self, space: Server, who: Person, room: Room, *, is_whispered: bool) -> Asking:
        guild = discord.Guild(data=cast("Any", _guild(space)), state=self._state)
        data = cast("Any", _member(who.id, who.name, who.roles))
        return Asking(guild, room, discord.Member(data=data, guild=guild, state=self._state), is_whispered)


def scope_of(space: Space, room: Room) -> Scope:
    """Return the scope of a room as its door names it."""
    if isinstance(space, Server):
        return Scope(space.platform, str(space.id), str(room.id))
    return Scope(space.platform, space.name, room.name)


def _guild(space: Server) -> Json:
    roles = [_role(one, bits) for one, bits in space.roles.items()]
    bot = _role(BOT_ROLE, discord.Permissions(administrator=True).value, tags={"bot_id": str(BOT_ID)})
    threads = [room for room in space.rooms if room.parent]
    return {
        "id": str(space.id),
        "name": space.name,
        "owner_id": "1",
        "roles": [*roles, bot],
        "members": [_member(BOT_ID, "Keaton", {BOT_ROLE})],
        "channels": [_channel(space, room) for room in space.rooms if not room.parent],
        "threads": [_thread(space, room) for room in threads],
        "emojis": [],
        "stickers": [],
        "features": [],
        "member_count": 5,
        "icon": None,
    }


def _channel(space: Server, room: Room) -> Json:
    roles = {*space.roles}
    return {
        "id": str(room.id),
        "guild_id": str(space.id),
        "type": _KINDS[room.kind],
        "name": room.name,
        "position": 0,
        "nsfw": False,
        "bitrate": 64000,
        "user_limit": 0,
        "permission_overwrites": [
            {"id": str(who), "type": 0 if who in roles else 1, "allow": str(allow), "deny": str(deny)}
            for who, (allow, deny) in room.exceptions.items()
        ],
    }


def _thread(space: Server, room: Room) -> Json:
    assert room.parent is not None
    return {
        "id": str(room.id),
        "guild_id": str(space.id),
        "parent_id": str(room.parent.id),
        "owner_id": "1",
        "type": _KINDS[room.kind],
        "name": room.name,
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": "2026-01-01T00:00:00+00:00",
            "locked": False,
        },
    }


def _member(who: int, name: str, roles: set[int]) -> Json:
    user = {**_USER, "id": str(who), "username": name.lower(), "global_name": name, "bot": who == BOT_ID}
    return {
        "user": user,
        "nick": None,
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def _role(role: int, bits: int, tags: Json | None = None) -> Json:
    made: Json = {"id": str(role), "name": "r", "permissions": str(bits), "position": 0, "color": 0, "hoist": False}
    colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    made |= {"managed": bool(tags), "mentionable": False, "flags": 0, "colors": colors}
    return {**made, "tags": tags} if tags else made
