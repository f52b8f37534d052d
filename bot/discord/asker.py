"""Who used a command or pressed a button, and what an answer to them may draw on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import discord

from bot.discord import permissions
from bot.discord.config import DOOR, MOST_FILE_BYTES
from core.model.actions import lists
from core.model.events import Turn

if TYPE_CHECKING:
    from bot.discord.permissions import Standpoint
    from bot.discord.sights import Sights
    from core.model.video import View

Interaction: TypeAlias = discord.Interaction[Any]


def turn_of(interaction: Interaction, view: View, message_id: int | None = None) -> Turn:
    """Give the turn of whoever used a command or pressed a button; the message is Keaton's answer."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    url = f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}" if message_id else ""
    user = interaction.user
    scope = permissions.scope_of(guild_id, channel_id)
    turn = Turn(DOOR, scope, view, str(user.id), user.display_name, str(message_id or ""), url)
    return replace(turn, moderator=interaction.permissions.manage_messages, upload_limit_bytes=limit_of(interaction))


def limit_of(interaction: Interaction) -> int:
    """Return the size of the largest file that any message in answer to an interaction may have.

    An interaction's own limit counts its user's Nitro, which holds for answers by its token alone. A message of
    Keaton's own, and each edit once the token has expired, has the server's (discord-api-docs #7603).
    """
    of_server = interaction.guild.filesize_limit if interaction.guild else interaction.filesize_limit
    return min(interaction.filesize_limit, of_server, MOST_FILE_BYTES)


def standpoint(sights: Sights, interaction: Interaction) -> Standpoint:
    """Return from where somebody asks; cheap, so that it may be asked for before an acknowledgement."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    return sights.at(interaction.guild, guild_id, interaction.channel, channel_id, interaction.user)


async def pressed_view(sights: Sights, at: Standpoint, action: str, *, is_whispered: bool) -> View:
    """Return what may be shown under a button: as much as in a new answer, or a new list, of the same kind."""
    everywhere = not lists(action)
    if is_whispered:
        return await sights.own(at, everywhere=everywhere)
    return await sights.public(at) if everywhere else sights.here(at)
