"""Films that are being looked at, written down piece by piece, as nouns and a port. Owns no implementation.

Each method of a port may raise StorageUnusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.film_ports import FilmOpened
    from core.model import FrameIndex, Scope, Thumbnail, Video


@dataclass(frozen=True, slots=True)
class Work:
    """A film whose file lies in the store and that is yet to be looked at to its end."""

    video_id: str
    link: str
    """The canonical link or the file's key that leads to it, or ""."""
    url: str
    title: str
    uploader: str
    several: bool
    """Its link leads to several films, and this is the first."""
    length_s: float = 0.0
    """0 until the file was opened."""
    site_id: str = ""
    """What the extractor that fetched it said that it is; see `core.leads`."""


@dataclass(frozen=True, slots=True, eq=False)
class SoFar:
    """What was seen of a film before."""

    index: FrameIndex
    thumbnails: tuple[Thumbnail, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A film that can be searched as far as it was looked at."""

    video: Video
    index: FrameIndex
    share: float
    """How much of it was looked at, 0 to 1."""


class Works(Protocol):
    """Keeps what was seen of films that are not done."""

    async def start(self, job_id: int) -> None:
        """Note that a job's turn has come."""
        ...

    async def begin(self, job_id: int, work: Work, recipe_key: str) -> int:
        """Write down that a job is about this film; looks with another recipe go.

        Gives how often that was so since a look was last written down for it. Raises JobCancelled, FilmForgotten or
        MessageGone where the job is not open (any more).
        """
        ...

    async def at(self, link: str, scope: Scope) -> Work | None:
        """Return the film that a canonical link or a file's key leads to for who posts it there; see `core.leads`."""
        ...

    async def of(self, video_id: str) -> Work | None:
        """Give a film by its id, with no names."""
        ...

    async def opened(self, video_id: str, opened: FilmOpened) -> None:
        """Note what its file says of itself."""
        ...

    async def add(self, video_id: str, part: FrameIndex, thumbnails: Sequence[Thumbnail]) -> None:
        """Write down at least one look; those that do not come after all that are known are left out.

        Raises FilmForgotten where nothing is kept of the film any more.
        """
        ...

    async def so_far(self, video_id: str, recipe_key: str) -> SoFar | None:
        """Give what was seen with this recipe, where that is anything."""
        ...
