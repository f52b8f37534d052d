"""Turns messages, presses and commands into events and delivers the replies. Each thing is done once."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import messages, permissions
from bot.discord.config import DOOR
from bot.discord.interaction_targets import DiscordPressTarget
from bot.discord.permissions import Sights
from bot.discord.render import card
from bot.discord.targets import NOBODY, ChannelTurns, Clickable, DiscordWorkReaction, MessageTarget, WarningTarget
from bot.doors.delivery import NotNow, Refused
from bot.doors.desk import Answers, Desk, about_message
from bot.doors.messages import Item
from bot.doors.pace import Pace
from bot.doors.requests import Unnumbered
from bot.doors.targets import VisibleTarget
from core.conversation.commands import parse_about
from core.errors import AppError, MissingPermissions, NotHere
from core.model.events import Find, Turn
from core.model.requests import MessageKey, card_note
from core.model.video import View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.discord.config import DiscordConfig
    from bot.discord.interaction_targets import SavedDiscordTarget
    from bot.discord.permissions import Standpoint
    from bot.doors.delivery import ReplyTarget
    from bot.doors.pace import PaceTurns
    from bot.doors.requests import AcceptedRequest, DoorContext, DrawTurn
    from core.model.events import Incoming
    from core.model.reply import Reply
    from core.model.video import Scope

logger = logging.getLogger(__name__)

_CANNOT_SAY = {"View Channel", "Send Messages", "Send Messages In Threads"}
_SPOKEN = {discord.MessageType.default, discord.MessageType.reply}
_TOLD_AGAIN_AFTER_S = 60.0
_MOST_TOLD = 1000


class DiscordAnswers(Answers[VisibleTarget]):
    """Shows the replies to requests on Discord."""

    def __init__(self, context: DoorContext, config: DiscordConfig) -> None:
        super().__init__(context, config.min_gap_s, config.retry_s)
        self._posts, self._edits = Pace(config.budget), Pace(config.budget)
        self.commands: dict[str, str] = {}
        """How each command is mentioned so that it can be clicked; empty until Discord has told their ids."""

    def turns(self, target: VisibleTarget, event: Incoming) -> PaceTurns | None:
        """Return the turns of a message: those of a channel share a budget, the answers to commands have their own."""
        if not isinstance(target, MessageTarget):
            return None
        channel = event.turn.scope.channel
        return ChannelTurns(target, self._posts.of(channel), self._edits.of(channel))

    def dressed(self, shown: ReplyTarget, target: VisibleTarget) -> ReplyTarget:
        """Return a target whose replies name commands so that they can be clicked; a refused one gets a sign."""
        clickable = Clickable(shown, self.commands)
        return WarningTarget(clickable, target.asked) if isinstance(target, MessageTarget) else clickable

    async def press(
        self,
        taken: AcceptedRequest,
        draw_turn: DrawTurn,
        saved: SavedDiscordTarget,
        hook: discord.Webhook,
        pressed: discord.Message | discord.PartialMessage,
        *,
        late: bool = False,
    ) -> None:
        """Answer the press of a button; of several presses under one message the newest decides what stands there."""

        async def keep(message_id: int) -> None:
            await self.requests.stand(taken, replace(saved, own=message_id).json(), "")

        own = discord.PartialMessage(channel=pressed.channel, id=saved.own) if saved.own else None
        limit_bytes = taken.event.turn.max_upload_bytes
        aloud = MessageTarget(pressed, limit_bytes, keep, draw_turn, _nonce(taken.key.item), own, late)
        place = DiscordPressTarget(hook, pressed, limit_bytes, draw_turn, aloud, saved.private)
        await self.answer_taken(taken, place)


class DiscordDesk(Desk[discord.Message, VisibleTarget]):
    """Takes messages, presses and commands; answers appear on Discord."""

    def __init__(self, context: DoorContext, config: DiscordConfig) -> None:
        self.answers = DiscordAnswers(context, config)
        super().__init__(context, DOOR, self.answers, DiscordWorkReaction(Pace(config.reactions)))
        self.sights = Sights()

    async def take_message(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a posted message, where this channel is on."""
        if message.guild is None or message.type not in _SPOKEN or message.author.bot:
            return
        turn = messages.turn_of(message, message.guild.id, self.here(message), late=late)
        items = messages.videos(message, turn, asked=False)
        if items and await self.context.channels.is_on(permissions.switch_of(message.channel, turn.scope)):
            await self.take_items(message, items)

    async def take_reply(self, message: discord.Message, *, late: bool = False) -> bool:
        """Take a reply to an answer as words to add to its question, where *Refine* was pressed; tell whether."""
        told = message.reference.message_id if message.reference else None
        if told is None or message.guild is None or message.type not in _SPOKEN or message.author.bot:
            return False
        if not message.content and not message.attachments:
            return False  # without the message content intent Discord shows words to those alone who are mentioned
        asked_s, who = message.created_at.timestamp(), str(message.author.id)
        answer_id = await self.invitations.accept(_scope(message), who, str(told), str(message.id), asked_s)
        if not answer_id:
            return False
        turn = messages.turn_of(message, message.guild.id, self.here(message), late=late)
        (event, *_) = parse_about(turn, message.content, messages.picture(message), answer_id)
        await self.take_items(message, (Item("mention", await self._with_rooms(event, message)),))
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
        await self.take_items(message, items)

    async def may_answer(self, message: discord.Message, taken: Sequence[AcceptedRequest]) -> bool:
        """Name what is missing before any work; where Keaton may not even say so, the log has it."""
        lacking = _lacking(message)
        if lacking:
            logger.warning("in channel %s the permissions %s are missing", message.channel.id, ", ".join(lacking))
            await self.say_problem(message, MissingPermissions(lacking))
            for one in taken:
                await self.requests.end(one)
        return not lacking

    async def say_problem(self, message: discord.Message, error: AppError) -> None:
        """Say it below the message, where Keaton may."""
        if not _CANNOT_SAY.isdisjoint(_lacking(message)):
            return
        target = MessageTarget(message, 0, _ignore, Unnumbered(), _nonce(_note(message, "")))
        with suppress(Refused, NotNow):
            await target.post(replies.problem(error))

    def key(self, message: discord.Message, item: str) -> MessageKey:
        """Name one thing in a message."""
        return MessageKey(_scope(message), str(message.id), item)

    async def target(self, message: discord.Message, taken: AcceptedRequest) -> MessageTarget:
        """Return where one thing in a message is answered, as an earlier run left it."""
        note = _note(message, taken.key.item)
        shown = await self.context.ledger.recall(note)
        posted = discord.PartialMessage(channel=message.channel, id=int(shown)) if shown else None

        async def keep(message_id: int) -> None:
            await self.context.ledger.remember(note, str(message_id))

        limit_bytes = message.guild.filesize_limit if message.guild else 0
        draw_turn, is_late = self.answers.draw_order.of(taken), taken.event.turn.late
        # A link that was edited away and put back is another request, and has another card.
        nonce = _nonce(f"{note}:{taken.job.id}" if taken.job else note)
        return MessageTarget(message, limit_bytes, keep, draw_turn, nonce, posted, is_late)

    async def compare(self, message: discord.Message) -> None:
        """Take back what an edited message brought and does not hold any more."""
        me: discord.Member | None = message.guild.me if message.guild else None
        if message.guild is None or (me is not None and message.author.id == me.id):
            return
        scope = _scope(message)
        turn = Turn(DOOR, scope, View.of(scope), "", "", str(message.id))
        await self.forget_rest(scope, str(message.id), messages.names(message, turn))

    def here(self, message: discord.Message) -> View:
        """Return what a public answer below a message may draw on."""
        return self.sights.here(self._at(message))

    async def _with_rooms(self, event: Incoming, message: discord.Message) -> Incoming:
        """Let `in:` name the channels whose videos may be shown where it was asked, to the person who asked."""
        if not isinstance(event, Find) or not event.filters.channel:
            return event
        return replace(event, rooms=await self.sights.rooms(self._at(message), "this server"))

    def _at(self, message: discord.Message) -> Standpoint:
        guild_id = message.guild.id if message.guild else 0
        return self.sights.at(message.guild, guild_id, message.channel, message.channel.id, message.author)

    def start(self, work: Coroutine[None, None, None], about: discord.Message | None = None) -> None:
        """Run work beside everything else; `about` is the message that it is about."""
        self.tasks.start(work, about_message(str(about.channel.id), str(about.id)) if about else "")

    async def close(self) -> None:
        """Stop what is under way; the ledger knows what is to be taken up again."""
        await self.tasks.close()
        self.sights.close()


async def refuse(interaction: discord.Interaction[Any], error: AppError) -> None:
    """Say at once, to the asker alone, why nothing will be done."""
    await whisper(interaction, replies.problem(error))


async def whisper(interaction: discord.Interaction[Any], reply: Reply) -> None:
    """Say something without pictures to the asker alone, whether the interaction was acknowledged or not."""
    view = card(replace(reply, commands=interaction.client.desk.answers.commands), ()).view
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
    """Return how a message mentions Keaton in its words, if it does: by its name, or by the role that is its alone.

    Discord's own mention of whom a reply answers is none.
    """
    role = message.guild.self_role if message.guild else None
    ways = [f"<@{my_id}>", f"<@!{my_id}>", *([f"<@&{role.id}>"] if role else [])]
    return tuple(way for way in ways if way in message.content)


def _scope(message: discord.Message) -> Scope:
    return permissions.scope_of(message.guild.id if message.guild else 0, message.channel.id)


def _note(message: discord.Message, item: str) -> str:
    return card_note(_scope(message), str(message.id), item)


def _nonce(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()[:25]


async def _ignore(_message_id: int) -> None:
    return


class Talks:
    """Says to people who write to Keaton where it works."""

    def __init__(self) -> None:
        self._told_s: OrderedDict[int, float] = OrderedDict()

    async def answer(self, message: discord.Message) -> None:
        """Say it to a person, once a minute at most."""
        if message.author.bot or not _is_due(self._told_s.get(message.author.id)):
            return
        self._told_s[message.author.id] = time.monotonic()
        self._told_s.move_to_end(message.author.id)
        while len(self._told_s) > _MOST_TOLD:
            self._told_s.popitem(last=False)
        try:
            await message.channel.send(view=card(replies.problem(NotHere()), ()).view, allowed_mentions=NOBODY)
        except discord.HTTPException as error:  # they may not take direct messages (50007)
            logger.info("a direct message cannot be answered: %s", error)


def _is_due(told_s: float | None) -> bool:
    return told_s is None or time.monotonic() - told_s >= _TOLD_AGAIN_AFTER_S
