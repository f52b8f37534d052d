"""All that is kept of one space, to be handed to those whose it is. Nouns and a port; owns no implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors.asking import NoSuchSpace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.model import FrameIndex, PostedVideo, Posting, View


@dataclass(frozen=True, slots=True)
class Space:
    """A guild, a workspace, or a local library."""

    platform: str
    name: str
    """As the platform ids it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much is kept of a space."""

    space: Space
    channels: int
    films: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptLooks:
    """The looks at a film that one recipe gave."""

    recipe: dict[str, object]
    """The recipe's fields."""
    index: FrameIndex


class Archive(Protocol):
    """Reads all of a space. Methods raise StorageUnusable."""

    async def holdings(self) -> tuple[Holding, ...]:
        """Give the spaces that films are known from."""
        ...

    async def view(self, space: Space) -> View:
        """Give all channels of a space that films are known from."""
        ...

    async def postings(self, space: Space, posted: PostedVideo) -> tuple[Posting, ...]:
        """Give all postings of a film in a space, oldest first."""
        ...

    def looks(self, posted: PostedVideo) -> AsyncIterator[KeptLooks]:
        """Give all looks at a film, one recipe after the other."""
        ...

    def notes(self, space: Space) -> AsyncIterator[tuple[str, dict[str, object]]]:
        """Give what else says that it belongs to a space (answers, switches, ...), each with the name of its kind."""
        ...


def choose(holdings: Sequence[Holding], name: str, platform: str | None) -> Space:
    """Give the space that goes by this name, on that platform where one is named; raises NoSuchSpace."""
    fitting = [one.space for one in holdings if one.space.name == name and platform in {None, one.space.platform}]
    if len(fitting) != 1:
        raise NoSuchSpace(name, tuple(f"{one.space.platform} {one.space.name}" for one in holdings), len(fitting) > 1)
    return fitting[0]
