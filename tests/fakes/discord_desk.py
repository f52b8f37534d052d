"""Interactions of a small Discord: commands, presses, autocomplete, and their tokens. Knows no story."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes import discord_world as world
from tests.fakes.discord_rest import Refusal, Sent, answer, read_message

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord_world import Channel, Json, Message, User

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
ACK_WITHIN_S = 3.0


@dataclass
class Interaction:
    """Somebody's use of a command or a button."""

    kind: int
    channel: Channel
    user: User
    data: Json
    message: Message | None = None
    is_private: bool = False
    """Not in a server."""
    id: int = field(default_factory=world.new_id)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    limit_bytes: int = 0
    """Of each file in an answer, as it was when the interaction was sent."""
    sent_s: float = field(default_factory=time.monotonic)
    ack_s: float | None = None
    """How long the first answer took."""
    thinks: bool = False
    original: Message | None = None
    whispers: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None

    @property
    def shown(self) -> Message | None:
        """What the asker sees last: a private word, or else the answer."""
        return self.whispers[-1] if self.whispers else self.original


class InteractionDesk:
    """Handles the answers to interactions."""

    def __init__(self, fake: FakeDiscord) -> None:
        self._fake = fake
        self.known: dict[str, Interaction] = {}
        self.token_life_s = 900.0
        self.ack_within_s = ACK_WITHIN_S
        self.limit_bytes = 10 * 1024 * 1024
        self.gate: asyncio.Event | None = None
        """While it is not set, nobody is told that an acknowledgement came in."""
        self.refuses: Callable[[Json], bool] = lambda _payload: False
        """Which answers are refused with 400, whatever they are; for what Discord's validators find some day."""
        self.acknowledged: Callable[[Interaction], None] = lambda _it: None
        """Hears of each acknowledgement as it comes in."""
        self.unheard: dict[int, asyncio.Event] = {}
        """By the asker: while it is not set, nobody is told that an answer to them was shown."""

    async def callback(self, request: web.Request) -> web.Response:
        body = await read_message(request)
        it = self.known.get(request.match_info["token"])
        if it is None or time.monotonic() - it.sent_s > self.ack_within_s:
            self._fake.late_acks += 1
            self._fake.moved()
            raise Refusal(404, 10062, "Unknown interaction")
        if it.ack_s is not None:
            self._fake.double_acks += 1
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        await self._respond(it, body)
        it.ack_s = time.monotonic() - it.sent_s
        self._fake.acks_s.append(it.ack_s)
        self.acknowledged(it)
        self._fake.moved()
        if self.gate is not None:
            await self.gate.wait()
        return answer(_callback_answer(it)) if "with_response" in request.query else web.Response(status=204)

    async def _respond(self, it: Interaction, body: Sent) -> None:
        kind, data = body.payload["type"], body.payload.get("data") or {}
        allowed = {COMMAND: {4, 5}, COMPONENT: {4, 5, 6, 7}, AUTOCOMPLETE: {8}}[it.kind]
        if kind not in allowed:
            raise Refusal(400, 50035, f"a response of type {kind} to an interaction of type {it.kind}")
        match kind:
            case 4:
                it.original = self._new(it, data.get("flags", 0) & world.EPHEMERAL)
                self._fake.apply(it.original, Sent(data, body.files), it.limit_bytes)
                await self._fake.show(it.original)
            case 5:
                it.thinks = True
                it.original = self._new(it, data.get("flags", 0) & world.EPHEMERAL | world.LOADING)
            case 6:
                it.original = it.message
            case 8:
                it.choices = data["choices"]
                self._check_choices(it.choices or [])

    def _check_choices(self, choices: list[Json]) -> None:
        if len(choices) > 25 or any(not 1 <= len(one["name"]) <= 100 or len(one["value"]) > 100 for one in choices):
            raise Refusal(400, 50035, "bad choices")

    def _new(self, it: Interaction, flags: int) -> Message:
        private = it.user.id if flags & world.EPHEMERAL else None
        message = world.Message(it.channel, world.KEATON, flags=flags, only_for=private)
        it.channel.messages[message.id] = message
        return message

    async def follow_up(self, request: web.Request) -> web.Response:
        it = self._living(request)
        sent = await read_message(request)
        self._judge(sent)
        if it.thinks and it.original is not None and it.original.flags & world.LOADING:
            message = it.original  # the first follow-up to a "thinking" takes its place, and its visibility
        else:
            message = self._new(it, sent.payload.get("flags", 0) & world.EPHEMERAL)
            it.whispers.append(message)
        self._fake.apply(message, sent, it.limit_bytes)
        await self._fake.show(message)
        return answer(message.json())

    async def read(self, request: web.Request) -> web.Response:
        return answer(self._message(request).json())

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        it = self._living(request)
        sent = await read_message(request)
        self._judge(sent)
        self._fake.apply(message, sent, it.limit_bytes)
        await self._fake.show(message)
        if it.user.id in self.unheard:
            await self.unheard[it.user.id].wait()
        return answer(message.json())

    async def delete(self, request: web.Request) -> web.Response:
        it, message = self._living(request), self._message(request)
        if it.original is message:
            it.original = None
        await self._fake.remove(message)
        return web.Response(status=204)

    def _judge(self, sent: Sent) -> None:
        if self.refuses(sent.payload):
            raise Refusal(400, 50035, "Invalid Form Body")

    def _living(self, request: web.Request) -> Interaction:
        it = self.known.get(request.match_info["token"])
        if it is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        if time.monotonic() - it.sent_s > self.token_life_s:
            self._fake.dead_tokens += 1
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return it

    def _message(self, request: web.Request) -> Message:
        it, name = self._living(request), request.match_info["message"]
        message = it.original if name == "@original" else it.channel.messages.get(int(name))
        if message is None or message.id not in it.channel.messages:
            raise Refusal(404, 10008, "Unknown Message")
        return message


def payload(it: Interaction) -> Json:
    """Give an interaction as the gateway sends it."""
    guild = it.channel.guild
    permissions = str(it.channel.permissions(it.user))
    made: Json = {
        "id": str(it.id),
        "application_id": str(world.APP_ID),
        "type": it.kind,
        "token": it.token,
        "version": 1,
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "locale": "en-US",
        "channel_id": str(it.channel.id),
        "channel": {**it.channel.json(), "permissions": permissions},
        "member": {**guild.member(it.user), "permissions": permissions},
        "app_permissions": str(it.channel.permissions(world.KEATON)),
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild.id)},
        "context": 0,
        "attachment_size_limit": it.limit_bytes,
        "data": it.data,
    }
    if it.message is not None:
        made["message"] = it.message.json()
    if it.is_private:
        for key in ("guild_id", "guild", "guild_locale", "member"):
            del made[key]
        talk = {"id": str(world.new_id()), "type": 1, "recipients": [it.user.json()], "last_message_id": None}
        owner = {"authorizing_integration_owners": {"1": str(it.user.id)}}
        made |= {"user": it.user.json(), "context": 1, "channel": talk, "channel_id": talk["id"], **owner}
    return made


def _callback_answer(it: Interaction) -> Json:
    told: Json = {"id": str(it.id), "type": it.kind}
    resource: Json = {"type": 5 if it.thinks else 4}
    if it.original is not None:
        told |= {"response_message_id": str(it.original.id), "response_message_loading": it.thinks}
        resource["message"] = it.original.json()
    return {"interaction": told, "resource": resource}
