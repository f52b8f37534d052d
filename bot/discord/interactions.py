"""Commands and presses: acknowledged within Discord's three seconds, after what must not be lost was written down."""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import discord

from bot.discord import permissions
from bot.discord.config import DOOR
from bot.discord.desk import refuse, whisper
from bot.discord.interaction_targets import CommandTarget, SavedDiscordTarget, keeper, limit_of
from bot.discord.targets import ACKNOWLEDGED
from bot.doors.delivery import broken
from bot.doors.messages import Item
from bot.doors.requests import Unnumbered
from core.errors import AppError, MayNotPost, MissingPermissions, NotHere, NotYetKnown
from core.model.actions import lists, speaks
from core.model.events import Action, Find, Forget, LinkPosted, RemoteFilePosted, Switch, Turn
from core.model.requests import MessageKey
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.discord.desk import DiscordDesk
    from bot.discord.permissions import Rooms, Sights, Standpoint
    from bot.doors.requests import AcceptedRequest, DrawTurn
    from core.model.events import Incoming

Interaction: TypeAlias = discord.Interaction[Any]
_SEEN_KEPT = 5000
T = TypeVar("T")

logger = logging.getLogger(__name__)


class SeenInteractions:
    """The interactions of late: after a RESUME the gateway sends some twice. Their tokens outlive no process."""

    def __init__(self) -> None:
        self._ids: OrderedDict[int, None] = OrderedDict()

    def is_new(self, interaction_id: int) -> bool:
        """Tell whether an interaction was not seen before."""
        if interaction_id in self._ids:
            return False
        self._ids[interaction_id] = None
        if len(self._ids) > _SEEN_KEPT:
            self._ids.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Command:
    """What a person asks for by a command."""

    event: Callable[[Turn], Incoming]
    view: Callable[[], Awaitable[View]]
    """Works out what the answer may draw on; called once the command was acknowledged: it takes its time."""
    private: bool = False
    needs: tuple[str, ...] | None = None
    """Permissions that Keaton lacks, other than those of a public answer."""
    picture: discord.Attachment | None = None
    rooms: Callable[[], Awaitable[Rooms]] | None = None
    """Works out which channels `in:` may name, likewise."""


class InteractionHandler:
    """Has what commands and presses ask for answered."""

    def __init__(self, desk: DiscordDesk, seen: SeenInteractions) -> None:
        self._desk = desk
        self._seen = seen

    async def answer(self, interaction: Interaction, command: Command) -> None:
        """Acknowledge, then show what comes."""
        lacking = command.needs
        if lacking is None:
            lacking = permissions.missing(interaction.app_permissions, interaction.channel)
        if lacking:
            await refuse(interaction, MissingPermissions(lacking))
            return
        nothing = View(DOOR.platform, str(interaction.guild_id), frozenset())
        asked = command.event(turn_of(interaction, nothing))
        if isinstance(asked, LinkPosted | RemoteFilePosted | Find | Forget | Switch):
            saved = _saved(interaction, command.picture)
            saved = replace(saved, private=command.private, moderator=asked.turn.moderator)
            await self._answer_written(interaction, asked, command, saved)
            return
        place = await _thinking(interaction, Unnumbered(), _ignore, private=command.private)
        if place is not None:
            self._desk.start(self._go_on(interaction, asked, command, place, None))

    async def _answer_written(
        self,
        interaction: Interaction,
        event: LinkPosted | RemoteFilePosted | Find | Forget | Switch,
        command: Command,
        saved: SavedDiscordTarget,
    ) -> None:
        try:
            (taken,) = await self._write_down(interaction, [Item("", event)], saved)
        except AppError as error:
            await refuse(interaction, error)
            return
        keep, draw_turn = keeper(self._desk.requests, taken, saved), self._desk.answers.draw_order.of(taken)
        place = await _thinking(interaction, draw_turn, keep, private=saved.private)
        if place is None:
            await self._desk.requests.drop(taken.job)
            return
        if place.message_id:
            await keep(place.message_id)
        self._desk.start(self._go_on(interaction, taken.event, command, place, taken))

    async def _go_on(
        self,
        interaction: Interaction,
        event: Incoming,
        command: Command,
        place: CommandTarget,
        taken: AcceptedRequest | None,
    ) -> None:
        """Work out what the answer may draw on, then give it."""
        try:
            turn = replace(turn_of(interaction, await command.view(), place.message_id), scope=event.turn.scope)
            event = replace(event, turn=turn)
            if isinstance(event, Find) and event.filters.channel and command.rooms:
                event = replace(event, rooms=await command.rooms())
        except Exception:
            bug_id = secrets.token_hex(3).upper()
            logger.exception("bug %s", bug_id)
            await place.post(broken(bug_id))
            return
        if taken is None:
            await self._desk.answers.answer(event, place)
        else:
            await self._desk.answers.answer_taken(replace(taken, event=event), place)

    async def answer_items(self, interaction: Interaction, items: Sequence[Item], message: discord.Message) -> None:
        """Answer what was found in a message: the first to the command, all others below that message."""
        try:
            taken = await self._write_down(interaction, items, SavedDiscordTarget(interaction.token, of=message.id))
        except AppError as error:
            await refuse(interaction, error)
            return
        place = await _thinking(interaction, Unnumbered(), _ignore, private=False)
        if place is None:
            for one in taken:
                await self._desk.requests.drop(one.job)
            return
        if place.message_id:
            here = permissions.scope_of(interaction.guild_id or 0, message.channel.id)
            await self._desk.requests.answered(here, str(message.id), str(place.message_id))
        for number, one in enumerate(taken):
            where = place if number == 0 else await self._desk.target(message, one)
            self._desk.start(self._desk.answers.answer_taken(one, where), message)

    async def _write_down(
        self, interaction: Interaction, items: Sequence[Item], saved: SavedDiscordTarget
    ) -> list[AcceptedRequest]:
        """Write down what was asked for, before it is acknowledged."""
        scope = permissions.scope_of(interaction.guild_id or 0, interaction.channel_id or 0)
        keys = [(MessageKey(scope, "", f"interaction:{interaction.id}:{item.name}"), item.event) for item in items]
        place = saved.json()
        return [one for key, event in keys if (one := await self._desk.requests.take(key, event, place))]

    async def press(self, interaction: Interaction, action: str) -> None:
        """Acknowledge the press of a button and have it answered."""
        if not self._seen.is_new(interaction.id):
            return
        try:
            await self._acknowledge_press(interaction, action)
        except discord.NotFound:
            logger.warning("interaction %s was over before it was acknowledged", interaction.id)
        except Exception as error:  # noqa: BLE001 - the person who pressed is told, whatever it is
            await self._own_up(interaction, error)

    async def _own_up(self, interaction: Interaction, error: Exception) -> None:
        """Log a bug under an id, and tell that to the person who pressed: silence would be worse."""
        bug_id = secrets.token_hex(3).upper()
        logger.error("bug %s", bug_id, exc_info=error)
        with suppress(discord.HTTPException):
            await whisper(interaction, broken(bug_id))

    async def _acknowledge_press(self, interaction: Interaction, action: str) -> None:
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

    async def _take_press(self, interaction: Interaction, action: str) -> None:
        """Write a press down, acknowledge it, and have it answered."""
        message, at = interaction.message, standpoint(self._desk.sights, interaction)
        if message is None:
            return
        turn, is_private = turn_of(interaction, self._desk.sights.here(at)), message.flags.ephemeral
        saved = SavedDiscordTarget(
            interaction.token, message.id, everywhere=not lists(action), private=is_private, moderator=turn.moderator
        )
        key = MessageKey(turn.scope, "", f"interaction:{interaction.id}:")
        try:
            taken = await self._desk.requests.take(key, Action(turn, action, under=str(message.id)), saved.json())
        except AppError as error:
            await refuse(interaction, error)
            return
        if taken is not None:
            draw_turn = self._desk.answers.draw_order.of(taken)
            still, _ = await in_time(interaction, interaction.response.defer())
            if not still:
                await self._desk.requests.drop(taken.job)
                return
            self._desk.start(self._answer_press(interaction, taken, draw_turn, saved, at))

    async def _answer_press(
        self,
        interaction: Interaction,
        taken: AcceptedRequest,
        draw_turn: DrawTurn,
        saved: SavedDiscordTarget,
        at: Standpoint,
    ) -> None:
        """Work out what may be shown there, which in large servers takes its time, then answer a press."""
        event, message = taken.event, interaction.message
        if message is not None and isinstance(event, Action):
            try:
                view = await pressed_view(self._desk.sights, at, event.id, is_whispered=saved.private)
            except Exception as error:  # noqa: BLE001 - likewise
                await self._own_up(interaction, error)
                return
            taken = replace(taken, event=replace(event, turn=replace(event.turn, view=view)))
            await self._desk.answers.press(taken, draw_turn, saved, interaction.followup, message)


async def in_time(interaction: Interaction, acknowledging: Awaitable[T]) -> tuple[bool, T | None]:
    """Acknowledge; tell whether Discord still took that, and what it said."""
    try:
        return True, await acknowledging
    except discord.NotFound:
        logger.warning("interaction %s was over before it was acknowledged", interaction.id)
        return False, None
    except discord.HTTPException as error:
        if error.code != ACKNOWLEDGED:  # else an earlier try got through, whatever Discord said of it
            raise
        return True, None


async def _thinking(
    interaction: Interaction, draw_turn: DrawTurn, keep: Callable[[int], Awaitable[None]], *, private: bool
) -> CommandTarget | None:
    """Acknowledge; return the target of the answer, or None where it was too late for that."""
    still, said = await in_time(interaction, interaction.response.defer(thinking=True, ephemeral=private))
    if not still:
        return None
    message_id = (said.message_id if said else None) or 0
    where = interaction.followup, interaction.channel, limit_of(interaction), message_id
    return CommandTarget(*where, draw_turn, keep, private)


async def _ignore(_message_id: int) -> None:
    return


def _saved(interaction: Interaction, picture: discord.Attachment | None) -> SavedDiscordTarget:
    """Keep of a command's options what the event does not tell; a menu's picture is in no option."""
    chosen = interaction.namespace
    file = getattr(chosen, "file", None)
    url = next((one.url for one in (picture, file) if isinstance(one, discord.Attachment)), "")
    return SavedDiscordTarget(
        interaction.token,
        everywhere=getattr(chosen, "in", None) in {"this server", "all I can read"},
        url=url,
        words=str(getattr(chosen, "text", "") or ""),
        picture=picture.filename if picture else "",
    )


def turn_of(interaction: Interaction, view: View, message_id: int | None = None) -> Turn:
    """Return the turn of the person who used a command or pressed a button; the message is Keaton's answer."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    url = f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}" if message_id else ""
    user = interaction.user
    scope = permissions.scope_of(guild_id, channel_id)
    turn = Turn(DOOR, scope, view, str(user.id), user.display_name, str(message_id or ""), url)
    return replace(turn, moderator=interaction.permissions.manage_messages, upload_limit_bytes=limit_of(interaction))


def standpoint(sights: Sights, interaction: Interaction) -> Standpoint:
    """Return from where a person asks; cheap, so that it may be asked for before an acknowledgement."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    return sights.at(interaction.guild, guild_id, interaction.channel, channel_id, interaction.user)


async def pressed_view(sights: Sights, at: Standpoint, action: str, *, is_whispered: bool) -> View:
    """Return what may be shown under a button: as much as in a new answer, or a new list, of the same kind."""
    everywhere = not lists(action)
    if is_whispered:
        return await sights.own(at, everywhere=everywhere)
    return await sights.public(at) if everywhere else sights.here(at)


def _unable(interaction: discord.Interaction[Any], action: str) -> tuple[str, ...]:
    """Return what a person lacks who wants a message posted for all: Keaton lends nobody its own permissions."""
    is_private = interaction.message is not None and interaction.message.flags.ephemeral
    if is_private or not speaks(action):
        return ()
    return permissions.unable(interaction.permissions, interaction.channel)
