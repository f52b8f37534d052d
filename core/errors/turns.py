"""Why somebody may not do something there, or not now. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import TryLater, UserError


@dataclass(eq=False)
class NotHere(UserError):
    """Keaton works in shared channels alone, not in private talks."""


@dataclass(eq=False)
class NotAllowed(UserError):
    """The asker may not do that there."""

    needed: str
    """The permission, as the platform calls it."""


@dataclass(eq=False)
class NotForGuests(UserError):
    """Full members alone decide that there, and the platform has not said that the asker is one."""


@dataclass(eq=False)
class MayNotPost(UserError):
    """The asker may not post there what they want posted for all."""

    names: tuple[str, ...]
    """The permissions that they lack, as the platform calls them."""


@dataclass(eq=False)
class MissingPermissions(UserError):
    """The platform does not let Keaton do its work in that channel."""

    names: tuple[str, ...]
    """As the platform calls them."""


@dataclass(eq=False)
class NotYours(UserError):
    """The asker has not posted the film there, and moderates nothing."""

    title: str


@dataclass(eq=False)
class NotYourJob(UserError):
    """Only whoever asked for a film may cancel it."""


@dataclass(eq=False)
class JobCancelled(UserError):
    """Somebody did not want the film any more."""


@dataclass(eq=False)
class FilmForgotten(UserError):
    """The film was taken back there while it was under way."""


@dataclass(eq=False)
class MessageGone(UserError):
    """The message was deleted before its film was kept."""


@dataclass(eq=False)
class TooFast(TryLater):
    """One person started too much within a minute."""

    wait_s: float


@dataclass(eq=False)
class QueueFull(TryLater):
    """One person has too many films waiting."""

    most: int


@dataclass(eq=False)
class NotShown(UserError):
    """The platform takes an answer in no form."""

    advice: str
    """What an admin can do, as a sentence."""


@dataclass(eq=False)
class NotYetKnown(TryLater):
    """The platform has not told Keaton about that place yet, as after an outage."""
