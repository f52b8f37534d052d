"""What chat platforms make Keaton remember, as a port: switches, what was done already, small notes.

Owns no implementation; each method may raise StorageUnusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from core.model import Scope
    from core.talk import JobRef


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing in one message that is to be done once: a link, an attachment, an event."""

    scope: Scope
    message: str
    """The platform's id of the message."""
    item: str
    """Names the thing within the message."""


def card_note(scope: Scope, message: str, item: str = "") -> str:
    """Name the note of which message of Keaton's answers something in a message; without it, what all these begin with.

    Such a note goes with the message, and what it names goes too.
    """
    return f"{scope.platform}:shown:{scope.space}:{scope.channel}:{message}:{item}"


class Ledger(Protocol):
    """Remembers across restarts. Platforms send things twice, and Keaton may die in between."""

    async def begin(self, errand: Errand) -> bool:
        """Take up an errand; tell whether it is to be done.

        False when it was taken up before, unless by a process that died before it was settled.
        """
        ...

    async def settle(self, errand: Errand) -> None:
        """Note that an errand is done for ever, well or not."""
        ...

    async def unsettled(self, platform: str) -> tuple[Errand, ...]:
        """Give the errands that another process took up and did not settle, oldest first."""
        ...

    async def take_cards_back(self, scope: Scope, message: str) -> None:
        """Have what answers a deleted message removed, by this run or the next; see `card_note` and `core.showcase`."""
        ...

    async def retract(self, scope: Scope, message: str) -> tuple[str, ...]:
        """Take back what a deleted message posted, now and later; give the films that went with it.

        What answers it is removed. A film goes when no other posting of it is left anywhere. An errand of the message
        that is still under way can post nothing any more: that raises MessageGone.
        """
        ...

    async def brought(self, scope: Scope, message: str) -> bool:
        """Tell whether a message brought a film, or is to."""
        ...

    async def retract_others(self, scope: Scope, message: str, items: frozenset[str]) -> tuple[str, ...]:
        """Take back what an edited message posted by anything but these items; return the films that went with it.

        What was answered to items that are not in it any more is removed. An item that comes back is looked at anew.
        """
        ...

    async def posted(self, platform: str, most: int) -> tuple[tuple[Scope, str], ...]:
        """Give the messages that films are known from, newest first, to see whether they are still there."""
        ...

    async def is_on(self, scope: Scope, *, by_default: bool) -> bool:
        """Tell whether Keaton looks at what is posted in a channel; the default counts until somebody switched."""
        ...

    async def switch(self, scope: Scope, *, on: bool, job: JobRef | None = None) -> bool:
        """Switch a channel on or off; tell whether it is on then.

        A request that was written down before one that has switched that channel already changes nothing.
        """
        ...

    async def remember(self, name: str, text: str) -> None:
        """Keep a small note in the place of an older one by that name; an empty text takes it away."""
        ...

    async def recall(self, name: str) -> str:
        """Give a note, or "" where there is none."""
        ...

    async def notes(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Give the names and texts of all notes whose name begins so."""
        ...
