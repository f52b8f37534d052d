"""The REST side of a small Discord, with its rules on the wall clock. Knows no story."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes import discord_world as world
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_rules import REQUEST_BYTES, complaints, house_rules, wrong_commands

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord_world import Channel, Json, Message

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX = "/api/v10"
GATEWAY = web.AppKey("gateway", Gateway)


class Refusal(Exception):
    """An error as Discord words it."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class Sent:
    """A message as a client sent it."""

    payload: Json
    files: list[tuple[str, bytes]] = field(default_factory=list)


class Rest:
    """Handles requests."""

    def __init__(self, fake: FakeDiscord) -> None:
        self._fake = fake

    def add_to(self, app: web.Application) -> None:
        app[GATEWAY] = self._fake.gateway
        message = "/channels/{channel}/messages/{message}"
        hook = "/webhooks/{app}/{token}"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/users/@me", self._me),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/gateway/bot", self._gateway),
            ("PUT", "/applications/{app}/commands", self._commands),
            ("POST", "/channels/{channel}/messages", self._post),
            ("GET", "/channels/{channel}", self._tell_channel),
            ("GET", "/channels/{channel}/messages", self._history),
            ("PATCH", "/channels/{channel}", self._change),
            ("GET", message, self._read),
            ("PATCH", message, self._edit),
            ("DELETE", message, self._delete),
            ("PUT", message + "/reactions/{emoji}/{who}", self._react),
            ("DELETE", message + "/reactions/{emoji}/{who}", self._unreact),
            ("POST", "/interactions/{id}/{token}/callback", self._fake.desk.callback),
            ("POST", hook, self._fake.desk.follow_up),
            ("GET", hook + "/messages/{message}", self._fake.desk.read),
            ("PATCH", hook + "/messages/{message}", self._fake.desk.edit),
            ("DELETE", hook + "/messages/{message}", self._fake.desk.delete),
            ("GET", "/guilds/{guild}/members/{user}", self._member),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, PREFIX + path, handler)

    async def _me(self, _request: web.Request) -> web.Response:
        return answer(world.KEATON.json())

    async def _application(self, _request: web.Request) -> web.Response:
        names = {"id": str(world.APP_ID), "name": "Keaton", "icon": None, "description": "", "flags": 0}
        more = {"bot_public": True, "bot_require_code_grant": False, "verify_key": "", "owner": world.KEATON.json()}
        return answer({**names, **more})

    async def _gateway(self, _request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return answer({"url": self._fake.gateway.url, "shards": 1, "session_start_limit": limit})

    async def _member(self, request: web.Request) -> web.Response:
        known = {str(guild.id): guild for guild in self._fake.guilds}
        if self._fake.hides_members:
            raise Refusal(503, 0, "Service Unavailable")
        people = {**self._fake.people, str(world.BOT_ID): world.KEATON}
        guild, user = known.get(request.match_info["guild"]), people.get(request.match_info["user"])
        if guild is None or user is None:
            raise Refusal(404, 10007, "Unknown Member")
        return answer(guild.member(user))

    async def _commands(self, request: web.Request) -> web.Response:
        commands = await request.json()
        if wrong := wrong_commands(commands):
            raise Refusal(400, 50035, "; ".join(wrong))
        self._fake.commands = [{**one, "id": str(world.new_id())} for one in commands]
        self._fake.syncs += 1
        self._fake.moved()
        full = {"application_id": str(world.APP_ID), "version": "1", "default_member_permissions": None}
        return answer([{**full, "description": "", **one} for one in self._fake.commands])

    async def _post(self, request: web.Request) -> web.Response:
        channel = self._channel(request, world.VIEW | world.SEND)
        if channel.locked:
            raise Refusal(403, 160005, "Thread is locked")
        if self._fake.refuses_posts:
            raise Refusal(400, 200000, "Message was blocked by automatic moderation")
        sent = await read_message(request)
        if sent.files:
            self._demand(channel, world.ATTACH)
        if (nonce := sent.payload.get("nonce")) and sent.payload.get("enforce_nonce"):
            if len(nonce) > 25:
                raise Refusal(400, 50035, "the nonce is too long")
            if known := channel.nonces.get(nonce):
                return answer(known.json())
        reference = sent.payload.get("message_reference") or {}
        if reference:
            self._demand(channel, world.HISTORY)
            told = channel.messages.get(int(reference["message_id"]))
            if told is not None and told.kind not in world.SPOKEN:
                raise Refusal(400, 50035, "Cannot reply to a system message")
        channel.archived = False
        message = world.Message(channel, world.KEATON, reply_to=int(reference.get("message_id", 0)) or None)
        if nonce:
            channel.nonces[nonce] = message
        self._fake.apply(message, sent, self._fake.guild_limit_bytes)
        await self._fake.show(message)
        return answer(message.json())

    async def _change(self, request: web.Request) -> web.Response:
        """Open an archived thread, the only change of a channel that Keaton makes."""
        channel = self._channel(request, world.VIEW | world.SEND)
        if channel.locked or await request.json() != {"archived": False}:
            raise Refusal(403, 50013, "Missing Permissions")
        channel.archived = False
        await self._fake.gateway.dispatch("THREAD_UPDATE", channel.json())
        return answer(channel.json())

    async def _tell_channel(self, request: web.Request) -> web.Response:
        return answer(self._channel(request, world.VIEW).json())

    async def _history(self, request: web.Request) -> web.Response:
        channel = self._channel(request, world.VIEW)
        if channel.kind == world.VOICE and not channel.permissions(world.KEATON) & world.CONNECT:
            raise Refusal(403, 50001, "Missing Access")
        if status := self._fake.broken.get(channel.id):
            raise Refusal(status, 0, "Service Unavailable")
        if not channel.permissions(world.KEATON) & world.HISTORY:
            return answer([])
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        before = int(request.query.get("before", 1 << 63))
        found = [one for one in channel.messages.values() if after < one.id < before and not one.is_ephemeral]
        found.sort(key=lambda one: one.id)
        chosen = found[:limit] if "after" in request.query else found[-limit:]
        self._fake.histories.append((channel.id, after))
        return answer([one.json(blank=self._fake.gateway.is_blank) for one in reversed(chosen)])

    async def _read(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self._fake.reads.append(message.id)
        message.attachments = [self._fake.cdn.signed(one) for one in message.attachments]
        return answer(message.json(blank=self._fake.gateway.is_blank))

    async def _edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author.id != world.BOT_ID:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        if message.channel.locked:
            raise Refusal(403, 160005, "Thread is locked")
        if message.channel.archived:
            raise Refusal(400, 50083, "Thread is archived")
        self._fake.apply(message, await read_message(request), self._fake.guild_limit_bytes)
        await self._fake.show(message)
        return answer(message.json())

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author.id != world.BOT_ID:
            raise Refusal(403, 50013, "Missing Permissions")
        if message.channel.locked and message.id in self._fake.undeletable:
            raise Refusal(403, 160005, "Thread is locked")
        await self._fake.remove(message)
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self._demand(message.channel, world.REACT | world.HISTORY)
        if request.match_info["emoji"] not in message.reactions:
            message.reactions.append(request.match_info["emoji"])
        self._fake.reacted.append((message.id, request.match_info["emoji"]))
        self._fake.moved()
        return web.Response(status=204)

    async def _unreact(self, request: web.Request) -> web.Response:
        message, emoji = self._message(request), request.match_info["emoji"]
        if emoji not in message.reactions:
            raise Refusal(404, 10014, "Unknown Emoji")
        message.reactions.remove(emoji)
        self._fake.moved()
        return web.Response(status=204)

    def _channel(self, request: web.Request, needed: int) -> Channel:
        channel = self._fake.channels().get(int(request.match_info["channel"]))
        if channel is None:
            raise Refusal(404, 10003, "Unknown Channel")
        self._demand(channel, needed)
        return channel

    def _demand(self, channel: Channel, needed: int) -> None:
        has = channel.permissions(world.KEATON)
        if not has & world.VIEW:
            raise Refusal(403, 50001, "Missing Access")
        if has & needed != needed:
            raise Refusal(403, 50013, "Missing Permissions")

    def _message(self, request: web.Request) -> Message:
        message = self._channel(request, world.VIEW).messages.get(int(request.match_info["message"]))
        if message is None or message.is_ephemeral:
            raise Refusal(404, 10008, "Unknown Message")
        return message


@web.middleware
async def word_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals as Discord does; it wants the bot's token on all but interactions' own routes."""
    path = request.path.removeprefix(PREFIX)
    own = path.startswith(("/interactions/", "/webhooks/"))
    if (
        request.path.startswith(PREFIX)
        and not own
        and request.headers.get("Authorization") != f"Bot {request.app[GATEWAY].token}"
    ):
        return answer({"code": 0, "message": "401: Unauthorized"}, 401)
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer({"code": refusal.code, "message": refusal.text}, refusal.status)


def answer(data: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Not json_response: a charset behind the type makes discord.py's login fail.
    more = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=more)


async def read_message(request: web.Request) -> Sent:
    """Take a message off the wire, as JSON or with files."""
    if not request.content_type.startswith("multipart/"):
        return Sent(await request.json())
    payload: Json = {}
    files = []
    async for part in await request.multipart():
        data: Any = await part.read()  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            payload = json.loads(data)
        else:
            files.append((str(part.filename), bytes(data)))  # type: ignore[union-attr]
    return Sent(payload, files)


def check(sent: Sent, limit_bytes: int) -> list[str]:
    """Raise what Discord refuses; give what Keaton should not have done."""
    if (
        any(len(data) > limit_bytes for _, data in sent.files)
        or sum(len(data) for _, data in sent.files) > REQUEST_BYTES
    ):
        raise Refusal(413, 40005, "Request entity too large")
    if wrong := complaints(sent.payload, [name for name, _ in sent.files]):
        raise Refusal(400, 50035, "; ".join(wrong))
    return house_rules(sent.payload)


def now_s() -> float:
    return time.monotonic()
