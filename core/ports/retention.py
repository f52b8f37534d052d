"""Export of a space, departures, and shown messages that must be taken back. Methods may raise StorageUnusable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import NoSuchSpace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.model.video import FrameIndex, PostedVideo, Posting, Scope, View


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
    videos: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptEmbeddings:
    """The frames of a video that one recipe gave."""

    recipe: dict[str, object]
    """The recipe's fields."""
    index: FrameIndex


class Archive(Protocol):
    """Reads all of a space. Methods raise StorageUnusable."""

    async def holdings(self) -> tuple[Holding, ...]:
        """Return the spaces that videos are known from."""
        ...

    async def view(self, space: Space) -> View:
        """Return all channels of a space that videos are known from."""
        ...

    async def postings(self, space: Space, posted: PostedVideo) -> tuple[Posting, ...]:
        """Return all postings of a video in a space, oldest first."""
        ...

    def embeddings(self, posted: PostedVideo) -> AsyncIterator[KeptEmbeddings]:
        """Return all frames of a video, one recipe after the other."""
        ...

    def notes(self, space: Space) -> AsyncIterator[tuple[str, dict[str, object]]]:
        """Return what else says that it belongs to a space (answers, switches, ...), each with the name of its kind."""
        ...


def choose(holdings: Sequence[Holding], name: str, platform: str | None) -> Space:
    """Return the space that goes by this name, on that platform where one is named; raises NoSuchSpace."""
    fitting = [one.space for one in holdings if one.space.name == name and platform in {None, one.space.platform}]
    if len(fitting) != 1:
        raise NoSuchSpace(name, tuple(f"{one.space.platform} {one.space.name}" for one in holdings), len(fitting) > 1)
    return fitting[0]


WHOLE = ""
"""In the place of a channel: all of a space."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A space or channel that Keaton is out of."""

    scope: Scope
    """Its channel is WHOLE for a whole space."""
    waited_s: float
    """For how long, as far as Keaton ran."""


class Departures(Protocol):
    """Remembers them across restarts. Each method may raise StorageUnusable."""

    async def leave(self, scope: Scope) -> None:
        """Note that Keaton is out of there; an earlier note of it stays as it is."""
        ...

    async def come_back(self, scope: Scope) -> None:
        """Note that Keaton is there again."""
        ...

    async def wait(self, elapsed_s: float) -> tuple[Departure, ...]:
        """Note that so much more time has passed, and return all departures."""
        ...

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Return the channels of a platform that videos are known from."""
        ...

    async def purge(self, scope: Scope) -> tuple[str, ...]:
        """Delete all that is kept of a space or channel; return the videos that went with it."""
        ...


class VideoFiles(Protocol):
    """Lets go of files."""

    async def forget(self, video_id: str) -> None:
        """Delete the kept file of a video that went."""
        ...


@dataclass(frozen=True, slots=True)
class Stale:
    """A message of Keaton's that shows a video which was forgotten there, or answers a message that was deleted."""

    scope: Scope
    message: str
    """The platform's id of it."""
    files: tuple[str, ...] = ()
    """The platform's ids of pictures in it that no other message shows."""
    goes: bool = False
    """It goes as a whole, with the message that it answered; else it only says that its video went."""


class ShownMessages(Protocol):
    """Remembers it across restarts."""

    async def show(
        self, scope: Scope, message: str, videos: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        """Note that a message that all in a channel can see shows videos, and by which of the platform's files.

        What was noted before and is not any more was forgotten meanwhile: then the message is to be taken back.
        """
        ...

    async def stale(self, platform: str, space: str = "") -> tuple[Stale, ...]:
        """Return the messages that are to be taken back, of one space where it is named."""
        ...

    async def settle(self, stale: Stale) -> None:
        """Note that a message is gone or does not show it any more, or cannot be changed for good."""
        ...
