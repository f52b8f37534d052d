"""Who brings a film in, what becomes of that, and how much is done at once. Owns these nouns alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from core.model import Posting

if TYPE_CHECKING:
    from core.model import Scope, Video
    from core.talk import JobRef


@dataclass(frozen=True, slots=True)
class Poster:
    """Who brings a film in, and where."""

    scope: Scope
    user_id: str
    user_name: str
    message: str
    message_url: str = ""
    job: JobRef | None = None
    """The row of the job ledger that asks for it: then what is seen is written down as it comes."""

    @property
    def length_s(self) -> float | None:
        """Give a guess at the film's length."""
        return self.job.length_s if self.job else None

    def posting(self, video: Video) -> Posting:
        """Give the posting of a film by this person, now, under the names that it has here."""
        who, now = (self.user_id, self.user_name, self.message), datetime.now(UTC)
        return Posting(video.id, self.scope, *who, now, self.message_url, video.title, video.url, video.uploader)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A film that can be searched now."""

    video: Video
    looks: int
    """0 when it was known in this channel before, and nothing had to be done."""
    several: bool = False
    """The link leads to several films, and this is the first."""


@dataclass(frozen=True, slots=True)
class IndexingLimits:
    """How much is done at once."""

    films_at_once: int
    batch: int
    """Frames a forward pass."""
    films_a_space: int = 32
    """Of those at once, how many of one guild or workspace."""
    save_every_s: float = 2.0
    """How often what is seen for a job is written down."""
    file_bytes: float = inf
    """How large a file may be that somebody names on this machine's own disk, or posts on the page."""
