"""The buttons under an answer as discord.py components. Their ids say all, so they work after a restart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, Self

import discord
from discord import ui

from core.model import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Pressed = Callable[[discord.Interaction[Any], str], Awaitable[None]]


class Presses(Protocol):
    """What a client that shows such buttons must offer."""

    async def pressed(self, interaction: discord.Interaction[Any], action: str) -> None:
        """Take a press; called within Discord's three seconds."""
        ...


class AnswerButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=re.compile(f"^(?:{actions.PATTERN})$")):
    """A button of an answer."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Give the button that was pressed."""
        if not isinstance(item, ui.Button):
            raise TypeError(f"{item!r} is no button")
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the client."""
        client: Presses = interaction.client
        await client.pressed(interaction, self.custom_id)
