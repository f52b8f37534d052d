"""Turns messages, presses and commands into events and delivers the replies. Each thing is done once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import messages, permissions
from bot.discord.config import DOOR
from bot.discord.reactions import DiscordWorkReaction, WarningTarget
from bot.discord.render import card
from bot.discord.sights import Sights
from bot.discord.targets import NOBODY, ChannelTurns, Clickable, DiscordPressTarget, MessageTarget
from bot.doors.delivery import BackgroundTasks, deliver
from bot.doors.draw_order import DrawOrder, Unnumbered
from bot.doors.fallback import NotNow, Refused
from bot.doors.messages import Item
from bot.doors.pace import Pace
from bot.doors.targets import RecordingTarget, SettlingTarget, TidyingEnds
from bot.doors.waiting import WaitingLines
from core.conversation.channels import Invitations
from core.conversation.commands import parse_about
from core.errors import AppError, MissingPermissions
from core.model.events import Find, MessageDeleted, MessageEdited, Turn
from core.model.requests import MessageKey, card_note
from core.model.video import View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.discord.config import DiscordConfig
    from bot.discord.permissions import Standpoint
    from bot.discord.targets import SavedDiscordTarget
    from bot.doors.delivery import ReplyTarget
    from bot.doors.draw_order import DrawTurn
    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.doors.targets import Ends, VisibleTarget
    from core.model.events import Incoming
    from core.model.reply import Reply
    from core.model.video import Scope

logger = logging.getLogger(__name__)

_CANNOT_SAY = {"View Channel", "Send Messages", "Send Messages In Threads"}
_SPOKEN = {discord.MessageType.default, discord.MessageType.reply}


class DiscordDesk:
    """Takes messages, presses and commands; answers appear on Discord."""

    def __init__(self, parts: DoorContext, config: DiscordConfig) -> None:
        self._parts = parts
        self.requests = parts.requests
        self._config = config
        self._chores = BackgroundTasks()
        self.word = DrawOrder(self.requests)
        self.sights = Sights()
        self._lines = WaitingLines()
        self._posts, self._edits = Pace(config.budget), Pace(config.budget)
        self._eyes = DiscordWorkReaction(Pace(config.reactions))
        self._invitations = Invitations(parts.ledger, time.time)
        self.deleted = asyncio.Event()
        """Set when a message was deleted, whose answers are to be removed now."""
        self.commands: dict[str, str] = {}
        """How each command is mentioned so that it can be clicked; empty until Discord has told their ids."""

    async def take_message(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a posted message, where this channel is on."""
        if message.guild is None or message.type not in _SPOKEN or message.author.bot:
            return
        turn = messages.turn_of(message, message.guild.id, self.here(message), late=late)
        items = messages.videos(message, turn, asked=False)
        if items and await self._parts.channels.is_on(permissions.switch_of(message.channel, turn.scope)):
            await self._take_items(message, items)

    async def take_reply(self, message: discord.Message, *, late: bool = False) -> bool:
        """Take a reply to an answer as words to add to its question, where *Refine* was pressed; tell whether."""
        told = message.reference.message_id if message.reference else None
        if told is None or message.guild is None or message.type not in _SPOKEN or message.author.bot:
            return False
        if not message.content and not message.attachments:
            return False  # without the message content intent Discord shows words to those alone who are mentioned
        asked_s, who = message.created_at.timestamp(), str(message.author.id)
        answer_id = await self._invitations.accept(_scope(message), who, str(told), str(message.id), asked_s)
        if not answer_id:
            return False
        turn = messages.turn_of(message, message.guild.id, self.here(message), late=late)
        (event, *_) = parse_about(turn, message.content, messages.picture(message), answer_id)
        await self._take_items(message, (Item("mention", await self._with_rooms(event, message)),))
        return True

    async def take_mention(self, message: discord.Message, me: discord.ClientUser, *, late: bool = False) -> None:
        """Do what a message says that mentions Keaton, whether the channel is on or not.

        System messages are no such: that of a new thread, for instance, holds its name, and refuses replies.
        """
        if message.guild is None or message.type not in _SPOKEN or message.author.bot:
            return
        turn = messages.turn_of(message, message.guild.id, self.here(message), late=late)
        items = messages.videos(message, turn, asked=True)
        if not items:
            words = message.content
            for mention in mentions(message, me.id):
                words = words.replace(mention, "")
            events = parse_about(turn, words, messages.picture(message), await messages.answer_under(message))
            items = tuple([Item("mention", await self._with_rooms(event, message)) for event in events[:1]])
        await self._take_items(message, items)

    async def _take_items(self, message: discord.Message, items: Sequence[Item]) -> None:
        taken: list[AcceptedRequest] = []
        for item in items:
            try:
                one = await self.requests.take(_errand(message, item), item.event)
            except AppError as error:  # it cannot be written down: that much can be said
                await self._say_problem(message, error)
                break
            if one:
                taken.append(one)
        if not taken:
            return
        if lacking := _lacking(message):
            await self._refuse(message, taken, lacking)
            return
        self._eyes.expect(message, len(taken))
        for one in taken:
            self.start(self._run_errand(message, one), message.id)

    async def _refuse(
        self, message: discord.Message, taken: Sequence[AcceptedRequest], lacking: tuple[str, ...]
    ) -> None:
        """Name what is missing before any work; where Keaton may not even say so, the log has it."""
        logger.warning("in channel %s the permissions %s are missing", message.channel.id, ", ".join(lacking))
        await self._say_problem(message, MissingPermissions(lacking))
        for one in taken:
            await self.requests.end(one)

    async def _say_problem(self, message: discord.Message, error: AppError) -> None:
        if not _CANNOT_SAY.isdisjoint(_lacking(message)):
            return
        place = MessageTarget(message, 0, _ignore, Unnumbered(), _nonce(_note(message, "")))
        with suppress(Refused, NotNow):
            await place.post(replies.problem(error))

    async def _run_errand(self, message: discord.Message, taken: AcceptedRequest) -> None:
        async with self._eyes.on(message) as unreact:
            place = await self.message_place(message, taken)
            await self.answer_taken(taken, place, TidyingEnds(unreact, self.requests))

    async def message_place(self, message: discord.Message, taken: AcceptedRequest) -> MessageTarget:
        """Give the place below a message where one of its things is answered, as an earlier run left it."""
        note = _note(message, taken.errand.item)
        shown = await self._parts.ledger.recall(note)
        standing = discord.PartialMessage(channel=message.channel, id=int(shown)) if shown else None

        async def keep(message_id: int) -> None:
            await self._parts.ledger.remember(note, str(message_id))

        limit_bytes = message.guild.filesize_limit if message.guild else 0
        say, is_late = self.word.of(taken), taken.event.turn.late
        # A link that was edited away and put back is another request, and has another card.
        nonce = _nonce(f"{note}:{taken.job.id}" if taken.job else note)
        return MessageTarget(message, limit_bytes, keep, say, nonce, standing, is_late)

    async def answer_taken(self, taken: AcceptedRequest, place: VisibleTarget, ends: Ends | None = None) -> None:
        """Show the replies to something that was written down; then it is done, unless Discord is out of order."""
        noted, ends = RecordingTarget(place, self._parts.showcase, taken.event.turn.scope), ends or self.requests
        answered = SettlingTarget(noted, ends, taken)
        if isinstance(place, MessageTarget):
            stands = await self._deliver_below(taken.event, answered, place)
        else:
            stands = await self._deliver(taken.event, answered)
        if stands:
            await ends.end(taken)

    async def answer(self, event: Incoming, place: VisibleTarget) -> None:
        """Show the replies to an event in a place."""
        await self._deliver(event, RecordingTarget(place, self._parts.showcase, event.turn.scope))

    async def _deliver(self, event: Incoming, shown: ReplyTarget) -> bool:
        clickable, config = Clickable(shown, self.commands), self._config
        replies = self._parts.conversation.handle(event)
        return await deliver(replies, clickable, config.min_gap_s, retry_s=config.retry_s)

    async def _deliver_below(self, event: Incoming, shown: ReplyTarget, place: MessageTarget) -> bool:
        """Show replies in a message of a channel, whose messages share a budget; those to commands have their own."""
        channel = str(place.asked.channel.id)
        replies = self._lines.told(self._parts.conversation.handle(event), channel)
        turns = ChannelTurns(place, self._posts.of(channel), self._edits.of(channel))
        seen = WarningTarget(Clickable(shown, self.commands), place.asked)
        return await deliver(replies, seen, self._config.min_gap_s, turns, self._config.retry_s)

    async def press(
        self,
        taken: AcceptedRequest,
        say: DrawTurn,
        standing: SavedDiscordTarget,
        hook: discord.Webhook,
        pressed: discord.Message | discord.PartialMessage,
        *,
        late: bool = False,
    ) -> None:
        """Answer the press of a button; of several presses under one message the newest decides what stands there."""

        async def keep(message_id: int) -> None:
            await self.requests.stand(taken, replace(standing, own=message_id).text(), "")

        own = discord.PartialMessage(channel=pressed.channel, id=standing.own) if standing.own else None
        limit_bytes = taken.event.turn.max_upload_bytes
        aloud = MessageTarget(pressed, limit_bytes, keep, say, _nonce(taken.errand.item), own, late)
        place = DiscordPressTarget(hook, pressed, limit_bytes, say, aloud, standing.private)
        await self.answer_taken(taken, place)

    async def take_edit(self, message: discord.Message) -> None:
        """Take back what an edited message brought and does not hold any more."""
        me: discord.Member | None = message.guild.me if message.guild else None
        if message.guild is None or (me is not None and message.author.id == me.id):
            return
        scope = _scope(message)
        turn = Turn(DOOR, scope, View.of(scope), "", "", str(message.id))
        async for _ in self._parts.conversation.handle(MessageEdited(turn, messages.names(message, turn))):
            pass
        self.deleted.set()

    async def forget_message(self, scope: Scope, message_id: int) -> None:
        """Stop what a deleted message started, forget what it brought, and have taken back what was said about it."""
        await self._chores.cancel(str(message_id))
        turn = Turn(DOOR, scope, View.of(scope), "", "", str(message_id))
        async for _ in self._parts.conversation.handle(MessageDeleted(turn)):
            pass
        self.deleted.set()

    def here(self, message: discord.Message) -> View:
        """Return what a public answer below a message may draw on."""
        return self.sights.here(self._at(message))

    async def _with_rooms(self, event: Incoming, message: discord.Message) -> Incoming:
        """Let `in:` name the channels whose videos may be shown where it was asked, to whoever asked."""
        if not isinstance(event, Find) or not event.filters.channel:
            return event
        return replace(event, rooms=await self.sights.rooms(self._at(message), "this server"))

    def _at(self, message: discord.Message) -> Standpoint:
        guild_id = message.guild.id if message.guild else 0
        return self.sights.at(message.guild, guild_id, message.channel, message.channel.id, message.author)

    def start(self, work: Coroutine[None, None, None], about: int = 0) -> None:
        """Run work beside everything else; `about` is the message that it is about."""
        self._chores.start(work, str(about or ""))

    async def close(self) -> None:
        """Stop what is under way; the ledger knows what is to be taken up again."""
        await self._chores.close()
        self.sights.close()


async def refuse(interaction: discord.Interaction[Any], error: AppError) -> None:
    """Say at once, to the asker alone, why nothing will be done."""
    await whisper(interaction, replies.problem(error))


async def whisper(interaction: discord.Interaction[Any], reply: Reply) -> None:
    """Say something without pictures to the asker alone, whether the interaction was acknowledged or not."""
    view = card(replace(reply, commands=interaction.client.desk.commands), ()).view
    if interaction.response.is_done():
        await interaction.followup.send(view=view, ephemeral=True, allowed_mentions=NOBODY)
    else:
        await interaction.response.send_message(view=view, ephemeral=True, allowed_mentions=NOBODY)


def _lacking(message: discord.Message) -> tuple[str, ...]:
    if message.guild is None or not isinstance(message.channel, discord.abc.GuildChannel | discord.Thread):
        return ()
    me: discord.Member | None = message.guild.me
    return permissions.missing(message.channel.permissions_for(me), message.channel) if me else ()


def mentions(message: discord.Message, my_id: int) -> tuple[str, ...]:
    """Give how a message mentions Keaton in its words, if it does: by its name, or by the role that is its alone.

    Discord's own mention of whom a reply answers is none.
    """
    role = message.guild.self_role if message.guild else None
    ways = [f"<@{my_id}>", f"<@!{my_id}>", *([f"<@&{role.id}>"] if role else [])]
    return tuple(way for way in ways if way in message.content)


def _scope(message: discord.Message) -> Scope:
    return permissions.scope_of(message.guild.id if message.guild else 0, message.channel.id)


def _errand(message: discord.Message, item: Item) -> MessageKey:
    return MessageKey(_scope(message), str(message.id), item.name)


def _note(message: discord.Message, item: str) -> str:
    return card_note(_scope(message), str(message.id), item)


def _nonce(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()[:25]


async def _ignore(_message_id: int) -> None:
    return
