"""Slack's Socket Mode, small: tickets, sockets, envelopes resent until they are acknowledged. Knows no event."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.slack_world import Json, Workspace

RESEND_AFTER_S = 3.0


@dataclass
class Envelope:
    """One thing that is sent until it is acknowledged, three times at most."""

    kind: str
    payload: Json
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    sent_s: list[float] = field(default_factory=list)
    ack_s: float | None = None
    """How long the acknowledgement took, from the last sending."""
    answer: Json | None = None

    def json(self) -> Json:
        retry = {"retry_attempt": len(self.sent_s), "retry_reason": "timeout" if self.sent_s else ""}
        about = {"envelope_id": self.id, "type": self.kind, "payload": self.payload}
        return {**about, "accepts_response_payload": self.kind != "events_api", **retry}


class Sockets:
    """All connections, of all workspaces."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self.url = ""
        self._tickets: dict[str, Workspace] = {}
        self._open: dict[str, list[web.WebSocketResponse]] = {}
        self.envelopes: dict[str, Envelope] = {}
        self.connections = 0
        self.late = 0
        """Envelopes that were not acknowledged in time."""
        self.resend_after_s = RESEND_AFTER_S
        self.mute = False
        """Connections stay open, but nothing comes over them any more."""
        self.loses = False
        """What happens is sent to nobody, as after the last of Slack's tries."""

    def ticket(self, team: Workspace) -> str:
        ticket = secrets.token_hex(8)
        self._tickets[ticket] = team
        return f"{self.url}?ticket={ticket}"

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        team = self._tickets.pop(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0KEATON"}})
        mine = self._open.setdefault(team.id, [])
        mine.append(socket)
        self.connections += 1
        self.mute = False
        self._moved()
        try:
            async for frame in socket:
                if frame.type == aiohttp.WSMsgType.TEXT:
                    self._take(frame.json())
        finally:
            mine.remove(socket)
            self._moved()
        return socket

    def is_open(self, team: Workspace) -> bool:
        return bool(self._open.get(team.id))

    async def deliver(self, team: Workspace, kind: str, payload: Json) -> Envelope:
        """Send something, and see to it that it is resent when it is not acknowledged in time."""
        envelope = Envelope(kind, payload)
        self.envelopes[envelope.id] = envelope
        await self.send(team, envelope)
        return envelope

    async def send(self, team: Workspace, envelope: Envelope) -> None:
        if self.mute or self.loses or not self._open.get(team.id):
            return
        body = envelope.json()
        envelope.sent_s.append(time.monotonic())
        socket = self._open[team.id][-1]
        asyncio.get_running_loop().call_later(self.resend_after_s, self._look_after, team, envelope, socket)
        await socket.send_json(body)

    def _look_after(self, team: Workspace, envelope: Envelope, socket: web.WebSocketResponse) -> None:
        if envelope.ack_s is None:
            self.late += socket in self._open.get(team.id, [])  # over a closed one nothing can be acknowledged
            self._moved()
            if len(envelope.sent_s) < 3:
                self._resending = asyncio.ensure_future(self.send(team, envelope))

    def _take(self, frame: Json) -> None:
        envelope = self.envelopes.get(frame.get("envelope_id", ""))
        if envelope is not None and envelope.ack_s is None:
            envelope.ack_s = time.monotonic() - envelope.sent_s[-1]
            envelope.answer = frame.get("payload")
        self._moved()

    async def hang_up(self, team: Workspace, reason: str = "refresh_requested") -> None:
        """Ask the client to connect anew, as Slack does now and then."""
        for socket in list(self._open.get(team.id, [])):
            await socket.send_json({"type": "disconnect", "reason": reason})

    async def drop(self, team: Workspace) -> None:
        """Cut the connections without a word."""
        for socket in list(self._open.get(team.id, [])):
            await socket.close()

    @property
    def acks_s(self) -> list[float]:
        return [one.ack_s for one in self.envelopes.values() if one.ack_s is not None]


def event_body(team: Workspace, event: Json, event_id: str, **more: Any) -> Json:
    """Wrap an event as the Events API does."""
    return {
        "token": "x",
        "team_id": team.id,
        "api_app_id": "A0KEATON",
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [{"team_id": team.id, "user_id": team.keaton.id, "is_bot": True}],
        "event": event,
        **more,
    }
