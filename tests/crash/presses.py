"""Buttons that people of a town pressed, and what is to come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import actions

if TYPE_CHECKING:
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Message


@dataclass(frozen=True)
class Press:
    """The press of a button."""

    it: Interaction
    card: Message
    label: str

    @property
    def action(self) -> str:
        """Return the id of what was asked for, also where it was chosen in the menu."""
        (chosen,) = self.it.data.get("values") or [self.it.data["custom_id"]]
        return str(chosen)

    @property
    def is_vote(self) -> bool:
        return self.label.startswith(("👍", "👎"))

    @property
    def is_promised(self) -> bool:
        return self.it.ack_s is not None

    @property
    def is_told(self) -> bool:
        """Tell whether who pressed was told something instead, for their eyes alone."""
        return bool(self.it.whispers)

    @property
    def shows(self) -> str:
        """Return words that the card then holds, or "" where that depends."""
        wish = actions.read(self.action)
        if not isinstance(wish, actions.Show):
            return ""
        modes = {"preview": "Preview: ", "sheet": "The whole video"}
        return modes.get(wish.mode, f"Moment {wish.number} of")
