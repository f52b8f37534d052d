"""A small Discord on loopback: REST, gateway and files, which models the rules and keeps what it was sent.

Stories act through its methods and wait with `until` for what they expect. Rules that it holds, beside the shape of
messages (`discord_rules.py`):

| rule | source |
|---|---|
| typed words fill the first required option of a command, or are dropped | discord-api-docs #2626, #2718, #3702 |
| a command is not sent without its required options | interactions/application-commands |
| an archived thread refuses edits (400, 50083), a locked one all writing (403); deleting works | topics/threads |
| who lacks Read Message History gets an empty history; a voice channel's takes Connect (50001) | resources/message |
| threads that sleep are in no GUILD_CREATE, and go with their channel without an event | topics/threads |
| a reply mentions whom it answers, though its words do not | resources/message, "allowed mentions" |
| removing a file or a link is an ordinary edit, which tells the whole message | topics/gateway-events |
| direct messages need an intent of their own, and show what they say without the privileged one | topics/gateway |
| names of commands and options in each language: 1 to 32 small letters, digits, "-", "_", once | application-commands |
| posts and edits are counted for each channel, five of each in five seconds; one more: 429 | topics/rate-limits |
| reactions are counted by themselves, set or removed: one of a channel in 250 ms | api-docs #182, topics/rate-limits |
| a nonce gives back the message that had it, also where that was deleted meanwhile | resources/message, "nonce" |
| outages: all writing breaks off (`is_unwell`) | discordstatus.com, incidents |
| a deleted "thinking" is unknown (10008), and so is all in a deleted channel (10003) | opcodes-and-status-codes |
| a forward has no words or files of its own, but `message_snapshots` | resources/message |
| files: an answer by token has the interaction's limit, a bot's own message the server's (40005) | api-docs #7603 |
| outages: histories and members answer 5xx, a server of READY is not told of (`broken`, `withheld`) | topics/gateway |
| GUILD_CREATE may come without the bot's own member (`tells_of_keaton`) | issue 15 |
| an answer may be refused for reasons that no list has (400, 50035; `desk.refuses`) | resources/message |
| a system message refuses replies | resources/message |
| an interaction is acknowledged once, within 3 s; its token lives 15 min | interactions/receiving-and-responding |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from tests.fakes import discord_rules
from tests.fakes import discord_world as world
from tests.fakes.discord_desk import AUTOCOMPLETE, COMMAND, COMPONENT, Interaction, InteractionDesk, payload
from tests.fakes.discord_files import Cdn
from tests.fakes.discord_gateway import DIRECT_MESSAGES, Gateway
from tests.fakes.discord_rest import PREFIX, Rest, check, now_s, word_refusals
from tests.fakes.waiting import Waited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.discord_buckets import Buckets
    from tests.fakes.discord_rest import Sent
    from tests.fakes.discord_world import Channel, Guild, Json, Message, User


class FakeDiscord(Waited):
    """The whole of it."""

    def __init__(self) -> None:
        super().__init__()
        self.guilds: list[Guild] = []
        self._talks = world.Guild("direct messages")
        """No server: its channels are the talks between people and Keaton."""
        self.people: dict[str, User] = {}
        """Whoever used a command or a button, by id."""
        self.gateway = Gateway(self.guilds, self.moved)
        self.desk = InteractionDesk(self)
        self.cdn = Cdn()
        self.guild_limit_bytes = 10 * 1024 * 1024
        self.commands: list[Json] = []
        self.syncs = 0
        self.acks_s: list[float] = []
        self.late_acks = 0
        self.double_acks = 0
        self.dead_tokens = 0
        self.histories: list[tuple[int, int]] = []
        self.reads: list[int] = []
        self.reacted: list[tuple[int, str]] = []
        self.wrongs: list[str] = []
        """What Keaton should not have sent, though Discord takes it."""
        self.rate_limits: list[tuple[str, float]] = []
        """Patterns of path beginnings whose next request is answered with 429, and the seconds to wait."""
        self.is_unwell = False
        """All writing but acknowledgements breaks the connection."""
        self.refuses_posts = False
        """Whether a bot's own messages are refused with 400, whatever they are (AutoMod does so: 200000)."""
        self.hides_members = False
        """Asked for a member, Discord answers 503."""
        self.broken: dict[int, int] = {}
        """Channels whose history cannot be read, with the status of the answer."""
        self.undeletable: set[int] = set()
        """Messages that cannot be deleted as long as their thread is locked."""
        self.buckets: Buckets | None = None
        """Where Discord counts posts and edits of each channel, and how."""
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._limit, self._note, word_refusals], client_max_size=1 << 28)
        Rest(self).add_to(app)
        self.cdn.add_to(app)
        app.router.add_get("/gw/", self.gateway.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.url, self.gateway.url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/gw/"
        self.cdn.url = self.url
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings that point Keaton here."""
        return {
            "DISCORD_TOKEN": world.TOKEN,
            "DISCORD_API_BASE": self.url + PREFIX,
            "DISCORD_GATEWAY": self.gateway.url,
            "KEATON_ALLOWED_HOSTS": "127.0.0.1",
        }

    @property
    def connections(self) -> int:
        return self.gateway.ready

    def channels(self) -> dict[int, Channel]:
        return {one.id: one for guild in (*self.guilds, self._talks) for one in guild.channels}

    async def write_to_keaton(self, user: User, text: str) -> Message:
        """Write a direct message; a person has one such talk."""
        known = (one for one in self._talks.channels if one.name == str(user.id))
        talk = next(known, None) or self._talks.channel(str(user.id))
        message = world.Message(talk, user, text)
        await self.show(message)
        return message

    async def join(self, guild: Guild) -> None:
        """Let Keaton into one more server, or tell of one that was withheld."""
        if guild not in self.guilds:
            self.guilds.append(guild)
        await self.gateway.dispatch("GUILD_CREATE", guild.json())

    async def post(
        self, channel: Channel, user: User, text: str = "", file: Path | None = None, reply_to: Message | None = None
    ) -> Message:
        message = world.Message(channel, user, text, reply_to=reply_to.id if reply_to else None)
        if file is not None:
            message.attachments = [self.cdn.take(file, channel.id)]
        await self.show(message)
        return message

    async def forward(self, channel: Channel, user: User, message: Message) -> Message:
        """Forward a message."""
        made = world.Message(channel, user, forwards=message)
        await self.show(made)
        return made

    async def tell(self, channel: Channel, user: User, kind: int, words: str) -> Message:
        """Have Discord itself say something, such as that somebody has begun a thread (type 18)."""
        made = world.Message(channel, user, words, system=kind)
        await self.show(made)
        return made

    async def set_thread(self, thread: Channel, *, archived: bool, locked: bool = False) -> None:
        """Archive or lock a thread, or open it again, as a moderator does."""
        thread.archived, thread.locked = archived, locked
        await self.gateway.dispatch("THREAD_UPDATE", thread.json())

    async def delete_channel(self, channel: Channel) -> None:
        """Delete a channel: its threads go with it, and of those that sleep no event tells."""
        gone = [channel, *(one for one in channel.guild.channels if one.parent is channel)]
        told = channel.json()
        channel.guild.channels[:] = [one for one in channel.guild.channels if one not in gone]
        await self.gateway.dispatch("CHANNEL_DELETE", told)
        self.moved()

    async def strip(self, message: Message) -> None:
        """Take the files off a message, as its writer does by editing it."""
        message.attachments = []
        await self.show(message)

    async def change(self, message: Message, text: str) -> None:
        message.content = text
        await self.show(message)

    async def show(self, message: Message) -> None:
        """Put a message into its channel, or its new state, and tell who may see it."""
        kind = "MESSAGE_UPDATE" if message.id in message.channel.messages and message.edited_s else "MESSAGE_CREATE"
        message.channel.messages[message.id] = message
        message.edited_s.append(now_s())
        if not message.is_ephemeral and message.channel.permissions(world.KEATON) & world.VIEW:
            await self._tell(kind, message)
        self.moved()

    async def _tell(self, kind: str, message: Message) -> None:
        """Send a message's state; a direct one needs an intent of its own, and always shows what it says."""
        if message.channel.guild is self._talks:
            direct = {key: value for key, value in message.json().items() if key != "guild_id"}
            await self.gateway.dispatch(kind, direct, DIRECT_MESSAGES)
            return
        member = message.channel.guild.member(message.author)
        await self.gateway.dispatch(kind, {**message.json(blank=self.gateway.is_blank), "member": member})

    async def remove(self, message: Message) -> None:
        channel = message.channel
        del channel.messages[message.id]
        for it in self.desk.known.values():
            it.original = None if it.original is message else it.original
        ids = {"id": str(message.id), "channel_id": str(channel.id), "guild_id": str(channel.guild.id)}
        if not message.is_ephemeral:
            await self.gateway.dispatch("MESSAGE_DELETE", ids)
        self.moved()

    def apply(self, message: Message, sent: Sent, limit_bytes: int) -> None:
        """Let a message say what a client sent."""
        self.wrongs += check(sent, limit_bytes)
        message.flags = message.flags & ~world.LOADING | sent.payload.get("flags", 0)
        message.content = sent.payload.get("content") or ""
        message.components = sent.payload.get("components") or []
        message.files = dict(sent.files)
        self.cdn.place(message)
        message.history.append(message.text)

    async def slash(self, channel: Channel, user: User, name: str, sub: str = "", **options: str | Path) -> Interaction:
        """Use a command; an option that is a word of Python has "_" behind it."""
        return await self._interact(Interaction(COMMAND, channel, user, self._command(name, sub, options)))

    async def typed(self, channel: Channel, user: User, line: str) -> Interaction:
        """Type a command with words behind it and send that, as Discord's client does (see `discord_rules.filled`)."""
        name, _, words = line.removeprefix("/").partition(" ")
        return await self.slash(channel, user, name, **discord_rules.filled(self._named(name), words))

    def _named(self, name: str) -> Json:
        return next(one for one in self.commands if one["name"] == name)

    async def slash_outside(self, channel: Channel, user: User, name: str, **options: str) -> Interaction:
        """Use a command in a talk for two."""
        data = self._command(name, "", options)
        return await self._interact(Interaction(COMMAND, channel, user, data, is_private=True))

    async def menu(self, message: Message, user: User, name: str = "Index this video") -> Interaction:
        """Use a message's menu; its payload holds the whole message, whatever the intents."""
        command = self._named(name)
        resolved = {"messages": {str(message.id): message.json()}}
        about = {"id": command["id"], "name": name, "type": 3, "target_id": str(message.id), "resolved": resolved}
        return await self._interact(Interaction(COMMAND, message.channel, user, about))

    async def type(self, channel: Channel, user: User, typed: str, **options: str) -> list[str]:
        """Type a video's name in /find; give the names that are offered."""
        it = await self.suggest(channel, user, typed, **options)
        choices = await self.until(lambda: None if it.choices is None else (it.choices,), "choices")
        return [choice["name"] for choice in choices[0]]

    async def suggest(self, channel: Channel, user: User, typed: str, **options: str) -> Interaction:
        """Type a video's name in /find."""
        data = self._command("find", "", {"text": "x", **options})
        data["options"].append({"name": "video", "type": 3, "value": typed, "focused": True})
        return await self._interact(Interaction(AUTOCOMPLETE, channel, user, data))

    async def press(self, message: Message, label: str, user: User) -> Interaction:
        """Press a button, or choose it in the menu."""
        button = message.buttons[label]
        assert not button.get("disabled"), f"{label} is greyed out"
        data: Json = {"component_type": 2, "custom_id": button["custom_id"], "id": button.get("id", 1)}
        if "value" in button:
            data = {**data, "component_type": 3, "values": [button["value"]]}
        return await self._interact(Interaction(COMPONENT, message.channel, user, data, message))

    async def _interact(self, it: Interaction) -> Interaction:
        self.desk.known[it.token] = it
        self.people[str(it.user.id)] = it.user
        it.limit_bytes = self.desk.limit_bytes
        await self.gateway.dispatch("INTERACTION_CREATE", payload(it))
        return it

    def _command(self, name: str, sub: str, options: Mapping[str, str | Path]) -> Json:
        command = self._named(name)
        lacking = discord_rules.unfilled(command, sub, options)
        assert not lacking, f"/{name} cannot be sent without {lacking}"
        files = {key: self.cdn.take(value, 0) for key, value in options.items() if isinstance(value, Path)}
        given = [
            {"name": key.rstrip("_"), "type": 11, "value": files[key]["id"]}
            if key in files
            else {"name": key.rstrip("_"), "type": 3, "value": value}
            for key, value in options.items()
        ]
        inner = [{"name": sub, "type": 1, "options": given}] if sub else given
        kept = {"attachments": {one["id"]: one for one in files.values()}}
        return {"id": command["id"], "name": name, "type": 1, "options": inner, "resolved": kept}

    @web.middleware
    async def _limit(self, request: web.Request, handler: Callable[..., object]) -> web.StreamResponse:
        if self.is_unwell and request.method != "GET" and not request.path.endswith("/callback"):
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=503)
        for limit in self.rate_limits:
            if re.match(limit[0], request.path.removeprefix(PREFIX)) and request.method != "GET":
                self.rate_limits.remove(limit)
                headers = {"Retry-After": str(limit[1]), "Content-Type": "application/json", "Via": "1.1 fake"}
                body = f'{{"message": "You are being rate limited.", "retry_after": {limit[1]}, "global": false}}'
                return web.Response(status=429, body=body.encode(), headers=headers)
        if self.buckets is None or not (bucket := self.buckets.of(request.method, request.path)):
            return await handler(request)  # type: ignore[no-any-return, misc]
        if refused := bucket.refusal():
            return refused
        response: web.StreamResponse = await handler(request)  # type: ignore[misc]
        response.headers.update(bucket.headers())
        return response

    @web.middleware
    async def _note(self, request: web.Request, handler: Callable[..., object]) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)  # type: ignore[misc]
        if response.status >= 400 and isinstance(response, web.Response) and isinstance(response.body, bytes):
            self.refused.append(f"{request.method} {request.path}: {response.body.decode()}")
        return response
