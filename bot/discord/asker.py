"""Who asks, by a command or a press, and what an answer to them may draw on. Must not know what is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import discord

from bot.discord import sight
from bot.discord.config import DOOR, MOST_FILE_BYTES
from core.actions import lists
from core.talk import Turn

if TYPE_CHECKING:
    from core.model import View

Interaction: TypeAlias = discord.Interaction[Any]
Where: TypeAlias = Literal["this channel", "this server", "all I can read"]

_PLACES = (discord.abc.GuildChannel, discord.Thread)


def turn_of(interaction: Interaction, view: View, message_id: int | None = None) -> Turn:
    """Give the turn of whoever used a command or pressed a button; the message is Keaton's answer."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    url = f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}" if message_id else ""
    user = interaction.user
    scope = sight.scope_of(guild_id, channel_id)
    turn = Turn(DOOR, scope, view, str(user.id), user.display_name, str(message_id or ""), url)
    limit_bytes = min(interaction.filesize_limit, MOST_FILE_BYTES)
    return replace(turn, moderator=interaction.permissions.manage_messages, upload_limit_bytes=limit_bytes)


def asked_view(interaction: Interaction, where: Where) -> tuple[View, bool]:
    """Give what the answer to a search may draw on, and whether it is for the asker alone.

    Where some see this channel but not its history, and where the asker wants all that they can read, it is.
    """
    place = interaction.channel
    is_public = not isinstance(place, _PLACES) or sight.is_public(place)
    if where == "all I can read" or not is_public:
        return own_view(interaction, everywhere=where != "this channel"), True
    return public_view(interaction, everywhere=where == "this server"), False


def pressed_view(interaction: Interaction, action: str) -> View:
    """Give what may be shown under a button: as much as in a new answer, or a new list, of the same kind."""
    message, everywhere = interaction.message, not lists(action)
    if message is not None and message.flags.ephemeral:
        return own_view(interaction, everywhere=everywhere)
    return public_view(interaction, everywhere=everywhere)


def public_view(interaction: Interaction, *, everywhere: bool = False) -> View:
    """Give what an answer for all in this channel may draw on: this channel, or the whole server."""
    place = interaction.channel
    if not isinstance(place, _PLACES):
        return sight.alone(interaction.guild_id or 0, interaction.channel_id or 0)
    return sight.whole_server(place) if everywhere else sight.here(place)


def own_view(interaction: Interaction, *, everywhere: bool = False) -> View:
    """Give what an answer for the asker alone may draw on."""
    place, asker = interaction.channel, interaction.user
    if isinstance(place, _PLACES) and isinstance(asker, discord.Member):
        return sight.own(place, asker, everywhere=everywhere)
    return public_view(interaction)
