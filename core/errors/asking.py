"""Why a question has no answer. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UserError


@dataclass(eq=False)
class UnknownVideo(UserError):
    """No film by that name is visible to the asker."""

    name: str


@dataclass(eq=False)
class AmbiguousVideo(UserError):
    """Several visible films go by that name."""

    name: str
    titles: tuple[str, ...]


@dataclass(eq=False)
class UnknownPoster(UserError):
    """Nobody by that name posted a film that is visible to the asker."""

    name: str


@dataclass(eq=False)
class NotUnderstood(UserError):
    """A part of the question is written as no mark and no filter is."""

    part: str
    why: str
    """"date", or one of `core.asking.Doubt`."""


@dataclass(eq=False)
class UnknownChannel(UserError):
    """There is no channel by that name from which an answer may be shown where it was asked for."""

    name: str


@dataclass(eq=False)
class NoSuchSpace(UserError):
    """No space goes by that name, or spaces of several platforms do."""

    name: str
    known: tuple[str, ...]
    """Platform and name of each."""
    several: bool


@dataclass(eq=False)
class EmptyQuery(UserError):
    """Nothing was asked for."""


@dataclass(eq=False)
class NothingIndexed(UserError):
    """There is no film to search yet."""


@dataclass(eq=False)
class NoneFit(UserError):
    """There are films, but none that was posted by that person, then or there."""


@dataclass(eq=False)
class NotInOrder(UserError):
    """Nowhere does the one thing follow the other in time."""

    first: str
    second: str
    window_s: float


@dataclass(eq=False)
class NothingElse(UserError):
    """There is nothing to search but the very moment that more is wanted like."""


@dataclass(eq=False)
class NothingToRefine(UserError):
    """The asker has no earlier question there."""


@dataclass(eq=False)
class PictureOutdated(UserError):
    """The model has changed since the picture was shown: its vector says nothing any more."""


@dataclass(eq=False)
class AnswerGone(UserError):
    """The answer under a button is not there any more."""
