"""The gateway client and the life of the connection: which events are heard, and reconnecting.

An event that discord.py cannot read is logged by its kind and left: the library would end the whole connection for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord import permissions
from bot.discord.catch_up import DiscordCatchUp, DiscordPresence
from bot.discord.commands import DiscordCommands, KeatonTree
from bot.discord.config import DOOR
from bot.discord.desk import DiscordDesk, Talks, mentions
from bot.discord.interactions import Interaction, InteractionHandler, SeenInteractions
from bot.discord.render import AnswerButton, MoreMenu, card
from bot.discord.targets import FAILURES, NOBODY, refusal
from bot.discord.translations import Translations
from bot.doors.messages import TAKEN_BACK, Removals, Stuck, take_back
from bot.doors.pace import REMOVAL_STEPS_S, Backoff
from core.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from bot.discord.config import DiscordConfig
    from bot.doors.requests import DoorContext
    from core.ports.retention import Stale

    Parser = Callable[[Any], None]

logger = logging.getLogger(__name__)

_MAY_PASS = (OSError, aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed)
"""Worth another try. A token that was taken back while connected is one of these, and the next login tells."""
_SETTLED_S = 120.0
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_VITAL = {"READY"}
"""Without which a connection is of no use: the door is opened anew."""


def intents(*, see_messages: bool) -> discord.Intents:
    """Return no more than is needed: servers and their channels, messages there and to Keaton, and what these say."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.message_content = see_messages
    return wanted


class KeatonClient(commands.AutoShardedBot):
    """Listens, acknowledges, and hands on."""

    def __init__(self, context: DoorContext, config: DiscordConfig, *, see_messages: bool) -> None:
        self.seen = SeenInteractions()
        self.listening = False
        """Whether the gateway tells what happens; with several connections, whether all of them do."""
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents(see_messages=see_messages),
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=lambda client: KeatonTree(client, seen=self.seen),  # type: ignore[arg-type]
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        guard(self._connection.parsers)
        self._context = context
        self._see_messages = see_messages
        self._talks = Talks()
        self.desk = DiscordDesk(context, config)
        self._interactions = InteractionHandler(self.desk, self.seen)
        self._snapshots = self.desk.sights.snapshots
        self._presence = DiscordPresence(self, context.grace)
        self._removals = Removals(
            config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), self.desk.deleted, self.desk.answers.draw_order
        )
        self._catch_up = DiscordCatchUp(self, self.desk, context, config.alive_every_s, config.again_s)

    async def setup_hook(self) -> None:
        """Make buttons of earlier runs work, and the commands known."""
        self.add_dynamic_items(AnswerButton, MoreMenu)
        await self.tree.set_translator(Translations())
        DiscordCommands(
            self.desk, self._interactions, self._context.conversation, is_blind=not self._see_messages
        ).add_to(self.tree)
        await self._catch_up.begin()
        self.desk.start(take_back(self._context.shown_messages, DOOR.platform, "", self._change, self._removals))
        if isinstance(self.tree, KeatonTree):
            self.desk.answers.commands = await self.tree.sync_if_changed(self._context.ledger)

    async def close(self) -> None:
        """Stop what is under way, then hang up."""
        await self.desk.close()
        await super().close()

    async def on_ready(self) -> None:
        """Catch up with what was missed."""
        logger.info("connected to Discord as %s, in %d servers", self.user, len(self.guilds))
        self.listening = True
        for guild in self.guilds:
            await self._know_myself(guild)
        self.desk.start(self._presence.look())
        self._catch_up.connected()

    async def on_shard_ready(self, _shard_id: int) -> None:
        """Catch up when one connection of several had to begin anew."""
        if self.is_ready():
            self._catch_up.connected()

    async def on_resumed(self) -> None:
        """Go on: the gateway replays what was missed."""
        self.listening = True
        self._catch_up.wake()

    async def on_disconnect(self) -> None:
        """Note that from here on events may be missed."""
        self.listening = False

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Let the grace period of a server begin."""
        self._snapshots.forget_server(guild.id)
        await self._presence.left(str(guild.id))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Be back in a server, or there for the first time."""
        self._snapshots.forget_server(guild.id)
        await self._know_myself(guild)
        await self._presence.back(str(guild.id))
        self._removals.wake_space(str(guild.id))

    async def on_guild_channel_update(self, _before: object, after: discord.abc.GuildChannel) -> None:
        """See whether Keaton may still read a channel."""
        self._snapshots.forget_channel(after.guild.id, after.id)
        await self._presence.look_at(after)
        self._removals.wake(str(after.id))

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """Read what a new channel allows whom."""
        self._snapshots.forget_channel(channel.guild.id, channel.id)

    async def on_guild_role_create(self, role: discord.Role) -> None:
        """Read the roles of a server again."""
        self._roles_changed(role.guild)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Read the roles of a server again, unless a role only looks different: some bots repaint them all day."""
        if before.permissions != after.permissions:
            self._roles_changed(after.guild)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Read the roles of a server again."""
        self._roles_changed(role.guild)

    async def on_member_update(self, _before: object, after: discord.Member) -> None:
        """Read the roles of a server again where Keaton got or lost one: of itself Discord tells it without intents."""
        if self.user is not None and after.id == self.user.id:
            self._roles_changed(after.guild)

    def _roles_changed(self, guild: discord.Guild) -> None:
        """Read the roles of a server again, and try again what Keaton lacked a permission for."""
        self._snapshots.forget_roles(guild.id)
        self._removals.wake_space(str(guild.id))

    async def on_guild_update(self, _before: object, after: discord.Guild) -> None:
        """Read all of a server again."""
        self._snapshots.forget_server(after.id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Read a server that was away anew: events about it, and messages in it, were missed."""
        self._snapshots.forget_server(guild.id)
        await self._know_myself(guild)
        self._catch_up.available(guild)
        self._removals.wake_space(str(guild.id))

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note since when what happens in a server is missed."""
        await self._catch_up.unavailable(guild)

    async def _know_myself(self, guild: discord.Guild) -> None:
        """Ask for Keaton's own roles in a server, where Discord did not tell them with it."""
        me: discord.Member | None = guild.me
        if me is None and self.user is not None and not guild.unavailable:
            try:
                guild._add_member(await guild.fetch_member(self.user.id))  # noqa: SLF001 - as its events do
            except FAILURES as error:
                logger.warning("my own roles in server %s are not known: %s", guild.id, error)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget what a channel and its threads held: it went with all of its messages."""
        self._snapshots.forget_channel(channel.guild.id, channel.id)
        await self._presence.deleted(str(channel.guild.id), str(channel.id))
        for thread in getattr(channel, "threads", ()):
            await self._presence.deleted(str(channel.guild.id), str(thread.id))
        self.desk.start(self._presence.look_for_threads(channel.guild))

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Forget what a thread held."""
        await self._presence.deleted(str(payload.guild_id), str(payload.thread_id))

    async def on_message(self, message: discord.Message, /) -> None:
        """Look at a posted message; if it is deleted meanwhile, no further."""
        self.desk.start(self.take(message), message)

    async def take(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a message, posted now or while Keaton was away."""
        if message.guild is None:
            await self._talks.answer(message)
            return
        me = self.user
        if me is not None and mentions(message, me.id):
            await self.desk.take_mention(message, me, late=late)
        elif not await self.desk.take_reply(message, late=late):
            await self.desk.take_message(message, late=late)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Look at a message again: it may hold a new link, or one less."""
        self.desk.start(self._take_edit(payload.message), payload.message)

    async def _take_edit(self, message: discord.Message) -> None:
        await self.compare(message)
        await self.take(message)

    async def compare(self, message: discord.Message) -> None:
        """Take back what a message does not hold any more, where Discord shows Keaton what it says."""
        if self._see_messages or (self.user is not None and mentions(message, self.user.id)):
            await self.desk.compare(message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Forget what only that message brought in."""
        await self._forget(payload.guild_id, payload.channel_id, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what only those messages brought in."""
        for message_id in payload.message_ids:
            await self._forget(payload.guild_id, payload.channel_id, message_id)

    async def _forget(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        if guild_id is not None:
            await self.desk.forget_message(permissions.scope_of(guild_id, channel_id), str(message_id))

    async def _change(self, stale: Stale) -> bool:
        """Remove a message, or let it say that what it showed was forgotten; tell whether that is done with."""
        channel_id, guild_id = int(stale.scope.channel), int(stale.scope.space)
        there = self.get_partial_messageable(channel_id, guild_id=guild_id)
        message = there.get_partial_message(int(stale.message))
        try:
            if not stale.goes and await _said_taken_back(message):
                return True
            await message.delete()  # in an archived thread, and in a locked one, nothing else is possible
        except discord.NotFound:
            return True
        except discord.HTTPException as error:
            advice = refusal(error) or f"Discord answers {error.status}"
            raise Stuck(f"{advice} It is tried again, more and more rarely.") from error
        return True

    async def on_raw_thread_update(self, payload: discord.RawThreadUpdateEvent) -> None:
        """Take back what waits in a thread that was opened again."""
        if not payload.data["thread_metadata"]["archived"]:
            self._removals.wake(str(payload.thread_id))

    async def pressed(self, interaction: Interaction, action: str) -> None:
        """Acknowledge the press of a button and have it answered."""
        await self._interactions.press(interaction, action)


async def _said_taken_back(message: discord.PartialMessage) -> bool:
    """Let a message say that what it showed was forgotten; tell whether Discord allows that."""
    try:
        await message.edit(view=card(TAKEN_BACK, ()).view, attachments=[], allowed_mentions=NOBODY)
    except discord.NotFound:
        raise
    except discord.HTTPException as error:
        if refusal(error) is None:
            raise
        return False
    return True


class DiscordDoor:
    """Keaton on Discord."""

    def __init__(self, context: DoorContext, config: DiscordConfig) -> None:
        self._context = context
        self._config = config
        self._client: KeatonClient | None = None

    @property
    def connected(self) -> bool:
        """Tell whether Discord tells what happens."""
        return self._client is not None and self._client.listening

    async def run(self) -> None:
        """Serve until cancelled; raises BadSetting when Discord does not accept the token."""
        _set_up(self._config)
        see_messages = True
        tries = 0
        while True:
            begun_s = time.monotonic()
            try:
                await self._serve(see_messages=see_messages)
            except discord.LoginFailure as error:
                raise BadSetting("DISCORD_TOKEN", "Discord does not accept it") from error
            except discord.PrivilegedIntentsRequired:
                see_messages = False
                logger.warning(
                    "the message content intent is off in Discord's developer portal: posted links go unseen; "
                    "/index, mentions and the message menu work"
                )
            except _MAY_PASS as error:
                tries = 0 if time.monotonic() - begun_s > _SETTLED_S else tries
                delay_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
                tries += 1
                logger.warning("Discord cannot be reached (%s); trying again in %d s", error, delay_s)
                await asyncio.sleep(delay_s)

    async def _serve(self, *, see_messages: bool) -> None:
        async with KeatonClient(self._context, self._config, see_messages=see_messages) as client:
            self._client = client
            try:
                await client.start(self._config.token)
            finally:
                self._client = None


def _is_no_late_list(record: logging.LogRecord) -> bool:
    """Drop the library's traceback of suggestions that came too late: the person who typed has typed on by then."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, discord.NotFound)


def _set_up(config: DiscordConfig) -> None:
    """Tell the library what it keeps in its classes: no word about voice, and for tests other addresses."""
    logging.getLogger("discord.app_commands.tree").addFilter(_is_no_late_list)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    if config.api_base:
        Route.BASE = config.api_base
    if config.gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway)


def guard(parsers: MutableMapping[str, Parser]) -> None:
    """Let the library leave events that it cannot read."""
    for event, parse in list(parsers.items()):
        if event not in _VITAL:
            parsers[event] = partial(_leave, event, parse)


def _leave(event: str, parse: Parser, data: object) -> None:
    try:
        parse(data)
    except Exception as error:  # noqa: BLE001 - whatever the library stumbles over
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
        logger.error(  # noqa: TRY400 - a traceback ends with what the error says
            "an event %s cannot be read and is left (%s in %s)", event, type(error).__name__, where
        )
