"""The gateway client and the life of the connection: which events are heard, and reconnecting."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord import events, permissions
from bot.discord.asker import Interaction, pressed_view, standpoint, turn_of
from bot.discord.buttons import AnswerButton
from bot.discord.commands import DiscordCommands, KeatonTree, SeenInteractions
from bot.discord.config import DOOR
from bot.discord.desk import DiscordDesk, mentions, refuse, whisper
from bot.discord.interactions import in_time
from bot.discord.presence import DiscordPresence
from bot.discord.recovery import DiscordCatchUp
from bot.discord.refusals import refusal
from bot.discord.render import card
from bot.discord.talks import Talks
from bot.discord.targets import NOBODY, SavedDiscordTarget
from bot.discord.translations import Translations
from bot.doors.backoff import REMOVAL_STEPS_S, Backoff
from bot.doors.delivery import broken
from bot.doors.messages import TAKEN_BACK, Removals, Stuck, take_back
from core.errors import AppError, BadSetting, MayNotPost, MissingPermissions, NotHere, NotYetKnown
from core.model.actions import lists, speaks
from core.model.events import Action
from core.model.requests import MessageKey

if TYPE_CHECKING:
    from bot.discord.config import DiscordConfig
    from bot.discord.permissions import Standpoint
    from bot.doors.draw_order import DrawTurn
    from bot.doors.requests import AcceptedRequest, DoorContext
    from core.ports.retention import Stale

logger = logging.getLogger(__name__)


def intents(*, see_messages: bool) -> discord.Intents:
    """Give no more than is needed: servers and their channels, messages there and to Keaton, and what these say."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.message_content = see_messages
    return wanted


class KeatonClient(commands.AutoShardedBot):
    """Listens, acknowledges, and hands on."""

    def __init__(self, parts: DoorContext, config: DiscordConfig, *, see_messages: bool) -> None:
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
        events.guard(self._connection.parsers)
        self._parts = parts
        self._see_messages = see_messages
        self._talks = Talks()
        self.desk = DiscordDesk(parts, config)
        self._snapshots = self.desk.sights.snapshots
        self._stays = DiscordPresence(self, parts.grace)
        self._removals = Removals(config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), self.desk.deleted, self.desk.word)
        self._lookback = DiscordCatchUp(self, self.desk, parts, config.alive_every_s, config.again_s)

    async def setup_hook(self) -> None:
        """Make buttons of earlier runs work, and the commands known."""
        self.add_dynamic_items(AnswerButton)
        await self.tree.set_translator(Translations())
        DiscordCommands(self.desk, self._parts.conversation, is_blind=not self._see_messages).add_to(self.tree)
        await self._lookback.begin()
        self.desk.start(take_back(self._parts.showcase, DOOR.platform, "", self._change, self._removals))
        if isinstance(self.tree, KeatonTree):
            self.desk.commands = await self.tree.sync_if_changed(self._parts.ledger)

    async def close(self) -> None:
        """Stop what is under way, then hang up."""
        await self._lookback.close()
        await self.desk.close()
        await super().close()

    async def on_ready(self) -> None:
        """Catch up with what was missed."""
        logger.info("connected to Discord as %s, in %d servers", self.user, len(self.guilds))
        self.listening = True
        for guild in self.guilds:
            await self._know_myself(guild)
        self.desk.start(self._stays.look())
        self._lookback.connected()

    async def on_shard_ready(self, _shard_id: int) -> None:
        """Catch up when one connection of several had to begin anew."""
        if self.is_ready():
            self._lookback.connected()

    async def on_resumed(self) -> None:
        """Go on: the gateway replays what was missed."""
        self.listening = True
        self._lookback.resumed()

    async def on_disconnect(self) -> None:
        """Note that from here on events may be missed."""
        self.listening = False
        self._lookback.disconnected()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Let the grace period of a server begin."""
        self._snapshots.forget_server(guild.id)
        await self._stays.left(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Be back in a server, or there for the first time."""
        self._snapshots.forget_server(guild.id)
        await self._know_myself(guild)
        await self._stays.joined(guild)
        self._removals.wake_space(str(guild.id))

    async def on_guild_channel_update(self, _before: object, after: discord.abc.GuildChannel) -> None:
        """See whether Keaton may still read a channel."""
        self._snapshots.forget_channel(after.guild.id, after.id)
        await self._stays.look_at(after)
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
        self._lookback.available(guild)
        self._removals.wake_space(str(guild.id))

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note since when what happens in a server is missed."""
        await self._lookback.unavailable(guild)

    async def _know_myself(self, guild: discord.Guild) -> None:
        """Ask for Keaton's own roles in a server, where Discord did not tell them with it."""
        me: discord.Member | None = guild.me
        if me is None and self.user is not None and not guild.unavailable:
            try:
                guild._add_member(await guild.fetch_member(self.user.id))  # noqa: SLF001 - as its events do
            except (discord.HTTPException, OSError) as error:
                logger.warning("my own roles in server %s are not known: %s", guild.id, error)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget what a channel and its threads held: it went with all of its messages."""
        self._snapshots.forget_channel(channel.guild.id, channel.id)
        await self._stays.deleted(channel.guild.id, channel.id)
        for thread in getattr(channel, "threads", ()):
            await self._stays.deleted(channel.guild.id, thread.id)
        self.desk.start(self._stays.look_for_threads(channel.guild))

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Forget what a thread held."""
        await self._stays.deleted(payload.guild_id, payload.thread_id)

    async def on_message(self, message: discord.Message, /) -> None:
        """Look at a posted message; if it is deleted meanwhile, no further."""
        self.desk.start(self.take(message), message.id)

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
        self.desk.start(self._take_edit(payload.message), payload.message_id)

    async def _take_edit(self, message: discord.Message) -> None:
        await self.compare(message)
        await self.take(message)

    async def compare(self, message: discord.Message) -> None:
        """Take back what a message does not hold any more, where Discord shows Keaton what it says."""
        if self._see_messages or (self.user is not None and mentions(message, self.user.id)):
            await self.desk.take_edit(message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Forget what only that message brought in."""
        await self._forget(payload.guild_id, payload.channel_id, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what only those messages brought in."""
        for message_id in payload.message_ids:
            await self._forget(payload.guild_id, payload.channel_id, message_id)

    async def _forget(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        if guild_id is not None:
            await self.desk.forget_message(permissions.scope_of(guild_id, channel_id), message_id)

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

    async def pressed(self, interaction: discord.Interaction[Any], action: str) -> None:
        """Acknowledge the press of a button and have it answered."""
        if not self.seen.is_new(interaction.id):
            return
        try:
            await self._acknowledge_press(interaction, action)
        except discord.NotFound:
            logger.warning("interaction %s was over before it was acknowledged", interaction.id)
        except Exception as error:  # noqa: BLE001 - whoever pressed is told, whatever it is
            await self._own_up(interaction, error)

    async def _own_up(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Log a bug under an id, and tell that to whoever pressed: silence would be worse."""
        bug_id = secrets.token_hex(3).upper()
        logger.error("bug %s", bug_id, exc_info=error)
        with suppress(discord.HTTPException):
            await whisper(interaction, broken(bug_id))

    async def _acknowledge_press(self, interaction: discord.Interaction[Any], action: str) -> None:
        if interaction.guild is None:
            await refuse(interaction, NotHere())
        elif interaction.guild.unavailable:
            await refuse(interaction, NotYetKnown())
        elif lacking := permissions.missing(interaction.app_permissions, interaction.channel):
            await refuse(interaction, MissingPermissions(lacking))
        elif unable := _unable(interaction, action):
            await refuse(interaction, MayNotPost(unable))
        else:
            await self._take_press(interaction, action)

    async def _take_press(self, interaction: discord.Interaction[Any], action: str) -> None:
        """Write a press down, acknowledge it, and have it answered."""
        message, at = interaction.message, standpoint(self.desk.sights, interaction)
        if message is None:
            return
        turn, is_private = turn_of(interaction, self.desk.sights.here(at)), message.flags.ephemeral
        standing = SavedDiscordTarget(
            interaction.token, message.id, everywhere=not lists(action), private=is_private, moderator=turn.moderator
        )
        errand = MessageKey(turn.scope, "", f"interaction:{interaction.id}:")
        try:
            taken = await self.desk.requests.take(errand, Action(turn, action, under=str(message.id)), standing.text())
        except AppError as error:
            await refuse(interaction, error)
            return
        if taken is not None:
            say = self.desk.word.of(taken)
            still, _ = await in_time(interaction, interaction.response.defer())
            if not still:
                await self.desk.requests.drop(taken.job)
                return
            self.desk.start(self._answer_press(interaction, taken, say, standing, at))

    async def _answer_press(
        self,
        interaction: Interaction,
        taken: AcceptedRequest,
        say: DrawTurn,
        standing: SavedDiscordTarget,
        at: Standpoint,
    ) -> None:
        """Work out what may be shown there, which in large servers takes its time, then answer a press."""
        event, message = taken.event, interaction.message
        if message is not None and isinstance(event, Action):
            try:
                view = await pressed_view(self.desk.sights, at, event.id, is_whispered=standing.private)
            except Exception as error:  # noqa: BLE001 - likewise
                await self._own_up(interaction, error)
                return
            taken = replace(taken, event=replace(event, turn=replace(event.turn, view=view)))
            await self.desk.press(taken, say, standing, interaction.followup, message)


def _unable(interaction: discord.Interaction[Any], action: str) -> tuple[str, ...]:
    """Give what somebody lacks who wants a message posted for all: Keaton lends nobody its own permissions."""
    is_private = interaction.message is not None and interaction.message.flags.ephemeral
    if is_private or not speaks(action):
        return ()
    return permissions.unable(interaction.permissions, interaction.channel)


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


_MAY_PASS = (OSError, aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed)
"""Worth another try. A token that was taken back while connected is one of these, and the next login tells."""


_SETTLED_S = 120.0


_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class DiscordDoor:
    """Keaton on Discord."""

    def __init__(self, parts: DoorContext, config: DiscordConfig) -> None:
        self._parts = parts
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
        async with KeatonClient(self._parts, self._config, see_messages=see_messages) as client:
            self._client = client
            try:
                await client.start(self._config.token)
            finally:
                self._client = None


def _is_no_late_list(record: logging.LogRecord) -> bool:
    """Drop the library's traceback of suggestions that came too late: whoever typed has typed on by then."""
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
