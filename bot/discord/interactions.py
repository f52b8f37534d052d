"""Acknowledges interactions within Discord's three seconds, after what must not be lost was written down."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import discord

from bot.discord import permissions
from bot.discord.asker import turn_of
from bot.discord.config import DOOR
from bot.discord.desk import refuse
from bot.discord.refusals import ACKNOWLEDGED
from bot.discord.targets import CommandTarget, SavedDiscordTarget
from bot.doors.delivery import broken
from bot.doors.draw_order import Unnumbered
from bot.doors.messages import Item
from core.errors import AppError, MissingPermissions
from core.model.events import Find, Forget, LinkPosted, RemoteFilePosted, Switch
from core.model.requests import MessageKey
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.discord.asker import Interaction
    from bot.discord.desk import DiscordDesk
    from bot.discord.permissions import Rooms
    from bot.doors.draw_order import DrawTurn
    from bot.doors.requests import AcceptedRequest
    from core.model.events import Incoming, Turn

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asks for by a command."""

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
    """Has what commands ask for answered."""

    def __init__(self, desk: DiscordDesk) -> None:
        self._desk = desk

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
            standing = _standing(interaction, command.picture)
            standing = replace(standing, private=command.private, moderator=asked.turn.moderator)
            await self._answer_written(interaction, asked, command, standing)
            return
        place = await _thinking(interaction, Unnumbered(), private=command.private)
        if place is not None:
            self._desk.start(self._go_on(interaction, asked, command, place, None))

    async def _answer_written(
        self,
        interaction: Interaction,
        event: LinkPosted | RemoteFilePosted | Find | Forget | Switch,
        command: Command,
        standing: SavedDiscordTarget,
    ) -> None:
        try:
            (taken,) = await self._write_down(interaction, [Item("", event)], standing)
        except AppError as error:
            await refuse(interaction, error)
            return
        place = await _thinking(interaction, self._desk.word.of(taken), private=standing.private)
        if place is None:
            await self._desk.requests.drop(taken.job)
            return
        if place.message_id:
            place_text = replace(standing, answer=place.message_id).text()
            await self._desk.requests.stand(taken, place_text, str(place.message_id))
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
            await self._desk.answer(event, place)
        else:
            await self._desk.answer_taken(replace(taken, event=event), place)

    async def answer_items(self, interaction: Interaction, items: Sequence[Item], message: discord.Message) -> None:
        """Answer what was found in a message: the first to the command, all others below that message."""
        try:
            taken = await self._write_down(interaction, items, SavedDiscordTarget(interaction.token, of=message.id))
        except AppError as error:
            await refuse(interaction, error)
            return
        place = await _thinking(interaction, Unnumbered(), private=False)
        if place is None:
            for one in taken:
                await self._desk.requests.drop(one.job)
            return
        if place.message_id:
            here = permissions.scope_of(interaction.guild_id or 0, message.channel.id)
            await self._desk.requests.answered(here, str(message.id), str(place.message_id))
        for number, one in enumerate(taken):
            where = place if number == 0 else await self._desk.message_place(message, one)
            self._desk.start(self._desk.answer_taken(one, where), message.id)

    async def _write_down(
        self, interaction: Interaction, items: Sequence[Item], standing: SavedDiscordTarget
    ) -> list[AcceptedRequest]:
        """Write down what was asked for, before it is acknowledged."""
        scope = permissions.scope_of(interaction.guild_id or 0, interaction.channel_id or 0)
        keys = [(MessageKey(scope, "", f"interaction:{interaction.id}:{item.name}"), item.event) for item in items]
        place = standing.text()
        return [one for errand, event in keys if (one := await self._desk.requests.take(errand, event, place))]


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


async def _thinking(interaction: Interaction, say: DrawTurn, *, private: bool) -> CommandTarget | None:
    """Acknowledge; give the place of the answer, or None where it was too late for that."""
    still, said = await in_time(interaction, interaction.response.defer(thinking=True, ephemeral=private))
    return CommandTarget(interaction, private, said.message_id if said else None, say) if still else None


def _standing(interaction: Interaction, picture: discord.Attachment | None) -> SavedDiscordTarget:
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
