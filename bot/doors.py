"""What the doors to chat platforms have in common. Must not know any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.requests import Requests

if TYPE_CHECKING:
    from core.channels import Channels
    from core.conversation import Conversation
    from core.departures import Grace
    from core.foreman import Foreman
    from core.ledger import Ledger
    from core.showcase import Showcase
    from core.talk import Incoming

_FILM_ENDS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".ts", ".3gp")
_PICTURE_ENDS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")

MOST_FILMS_A_MESSAGE = 5


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


def is_picture(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a picture that can be asked about."""
    return mimetype.startswith("image/") or name.lower().endswith(_PICTURE_ENDS)


def is_film(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a film; a text that is called index.ts is none."""
    if mimetype.startswith("text/"):
        return False
    return mimetype.startswith("video/") or name.lower().endswith(_FILM_ENDS)
