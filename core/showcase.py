"""What is to be taken back of what was said: where films are shown that were forgotten, and answers to what is gone.

Nouns and a port. Each method may raise StorageUnusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Scope


@dataclass(frozen=True, slots=True)
class Stale:
    """A message of Keaton's that shows a film which was forgotten there, or answers a message that was deleted."""

    scope: Scope
    message: str
    """The platform's id of it."""
    files: tuple[str, ...] = ()
    """The platform's ids of pictures in it that no other message shows."""
    goes: bool = False
    """It goes as a whole, with the message that it answered; else it only says that its film went."""


class Showcase(Protocol):
    """Remembers it across restarts."""

    async def show(
        self, scope: Scope, message: str, films: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        """Note that a message that all in a channel can see shows films, and by which of the platform's files.

        What was noted before and is not any more was forgotten meanwhile: then the message is to be taken back.
        """
        ...

    async def stale(self, platform: str, space: str = "") -> tuple[Stale, ...]:
        """Give the messages that are to be taken back, of one space where it is named."""
        ...

    async def settle(self, stale: Stale) -> None:
        """Note that a message is gone or does not show it any more, or cannot be changed for good."""
        ...
