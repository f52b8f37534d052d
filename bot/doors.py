"""What the doors to chat platforms have in common. Must not know any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.requests import Requests
from core.links import FILM_ENDS
from core.talk import LeftOut, LinkPosted, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.channels import Channels
    from core.conversation import Conversation
    from core.departures import Grace
    from core.foreman import Foreman
    from core.ledger import Ledger
    from core.showcase import Showcase
    from core.talk import Incoming

_PICTURE_ENDS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")

MOST_FILMS_A_MESSAGE = 5
LEFT_OUT = "left out"
"""Names the thing in a message that says what else is in it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the product that such a door uses."""

    conversation: Conversation
    channels: Channels
    ledger: Ledger
    foreman: Foreman
    grace: Grace
    showcase: Showcase

    @property
    def requests(self) -> Requests:
        """Give what writes requests down."""
        return Requests(self.foreman, self.ledger)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a message that is to be looked at once."""

    name: str
    """The same whenever the message is read."""
    event: Incoming


def bounded(items: Sequence[Item]) -> tuple[Item, ...]:
    """Give what is looked at in a message, and behind that one thing which names all else."""
    taken, rest = tuple(items[:MOST_FILMS_A_MESSAGE]), items[MOST_FILMS_A_MESSAGE:]
    if not rest:
        return taken
    names = tuple(_name(one.event) for one in rest)
    return (*taken, Item(LEFT_OUT, LeftOut(rest[0].event.turn, names, MOST_FILMS_A_MESSAGE)))


def _name(event: Incoming) -> str:
    match event:
        case LinkPosted():
            return event.url
        case RemoteFilePosted():
            return event.file.name
        case _:
            return ""


def is_picture(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a picture that can be asked about."""
    return mimetype.startswith("image/") or name.lower().endswith(_PICTURE_ENDS)


def is_film(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a film; a text that is called index.ts is none."""
    if mimetype.startswith("text/"):
        return False
    return mimetype.startswith("video/") or name.lower().endswith(FILM_ENDS)
