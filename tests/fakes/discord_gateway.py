"""The gateway of a small Discord: sessions, heartbeats, RESUME with replay. Knows no REST."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.discord_world import APP_ID, KEATON, TOKEN, Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.discord_world import Guild

CONTENT_INTENT = 1 << 15
DIRECT_MESSAGES = 1 << 12
_INTENT_OF = {"GUILD_CREATE": 1, "MESSAGE_CREATE": 1 << 9, "MESSAGE_UPDATE": 1 << 9, "MESSAGE_DELETE": 1 << 9}


@dataclass
class Session:
    """What one client has been sent."""

    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    sent: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None

    async def send(self, kind: str, data: Json) -> None:
        event = {"op": 0, "s": len(self.sent) + 1, "t": kind, "d": data}
        self.sent.append(event)
        if self.socket is not None and not self.socket.closed:
            with suppress(ConnectionError):  # the client died this very moment
                await self.socket.send_str(json.dumps(event))


class Gateway:
    """Speaks to clients; one session is the current one."""

    def __init__(self, guilds: list[Guild], changed: Callable[[], None]) -> None:
        self._guilds = guilds
        self._changed = changed
        self.url = ""
        self.token = TOKEN
        """The one that works now."""
        self.sees_content = True
        """Whether the developer portal grants the message content intent."""
        self.repeats = 0
        """How many events that the client has seen are sent once more after a RESUME."""
        self.withheld: set[int] = set()
        """Servers of which READY tells that they are unavailable, and nothing comes after it."""
        self.session: Session | None = None
        self.ready = 0
        self.resumed = 0
        self.refused: list[int] = []

    @property
    def is_blank(self) -> bool:
        """Tell whether messages reach the client without what they say."""
        return self.session is None or not self.session.intents & CONTENT_INTENT

    async def dispatch(self, kind: str, data: Json, needed: int | None = None) -> None:
        needed = _INTENT_OF.get(kind, 0) if needed is None else needed
        if self.session is not None and (not needed or self.session.intents & needed):
            await self.session.send(kind, data)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": 40000}})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(socket, json.loads(message.data))
        if self.session is not None and self.session.socket is socket:
            self.session.socket = None
            self._changed()
        return socket

    async def hang_up(self, code: int) -> None:
        """Close the connection with one of Discord's codes."""
        if self.session is not None and self.session.socket is not None:
            await self.session.socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Send op 7 and hang up; the client has to RESUME."""
        if self.session is not None and self.session.socket is not None:
            await self.session.socket.send_json({"op": 7, "d": None, "s": None, "t": None})

    async def _hear(self, socket: web.WebSocketResponse, said: Json) -> None:
        match said["op"]:
            case 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2:
                await self._identify(socket, said["d"])
            case 6:
                await self._resume(socket, said["d"])

    async def _identify(self, socket: web.WebSocketResponse, wish: Json) -> None:
        if wish["token"] != self.token:
            await socket.close(code=4004)
        elif wish["intents"] & CONTENT_INTENT and not self.sees_content:
            self.refused.append(wish["intents"])
            await socket.close(code=4014)
        else:
            self.session = Session(wish["intents"], socket=socket)
            await self._greet(self.session, wish.get("shard") or [0, 1])

    async def _greet(self, session: Session, shard: list[int]) -> None:
        away = [{"id": str(guild.id), "unavailable": True} for guild in self._guilds]
        hello = {"v": 10, "user": KEATON.json(), "guilds": away, "session_id": session.id, "shard": shard}
        await session.send(
            "READY", {**hello, "resume_gateway_url": self.url, "application": {"id": str(APP_ID), "flags": 0}}
        )
        for guild in self._guilds:
            if guild.id not in self.withheld:
                await session.send("GUILD_CREATE", guild.json())
        self.ready += 1
        self._changed()

    async def _resume(self, socket: web.WebSocketResponse, wish: Json) -> None:
        session = self.session
        if session is None or session.id != wish["session_id"]:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            await socket.close(code=WSCloseCode.OK)
            return
        for event in session.sent[max(1 + len(self._guilds), wish["seq"] - self.repeats) :]:
            await socket.send_str(json.dumps(event))
        session.socket = socket
        await session.send("RESUMED", {})
        self.resumed += 1
        self._changed()
