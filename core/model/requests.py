"""Requests that are written down before they are acknowledged, and the keys under which they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from core.errors import FilmForgotten, JobCancelled, MessageGone
from core.model.video import Posting

if TYPE_CHECKING:
    from core.errors import UserError
    from core.model.video import Scope, Video


@dataclass(frozen=True, slots=True)
class Poster:
    """Who brings a video in, and where."""

    scope: Scope
    user_id: str
    user_name: str
    message: str
    message_url: str = ""
    job: JobRef | None = None
    """The row of the job ledger that asks for it: then what is seen is written down as it comes."""

    @property
    def length_s(self) -> float | None:
        """Return a guess at the video's length."""
        return self.job.length_s if self.job else None

    def posting(self, video: Video) -> Posting:
        """Return the posting of a video by this person, now, under the names that it has here."""
        who, now = (self.user_id, self.user_name, self.message), datetime.now(UTC)
        return Posting(video.id, self.scope, *who, now, self.message_url, video.title, video.url, video.uploader)


JobKind: TypeAlias = Literal["link", "file", "remote", "find", "press", "forget", "switch"]
JobState: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted, with all that is needed to do it after a restart."""

    key: MessageKey
    """Names it: the same request is taken up once."""
    kind: JobKind
    source: str
    """A link, a file's path, the key of a platform's file, the words of a search, a button's id, a video's name, or
    "on" or "off"."""
    name: str
    """Of the file; for a search, of the one video to look in; for a switch, the channel that is switched; or ""."""
    user_id: str
    user_name: str
    message: str = ""
    """The platform's id of the message that the video counts as posted by, or ""."""
    message_url: str = ""
    place: str = ""
    """The door's own note of where the answer stands, as JSON."""
    length_s: float | None = None
    """How long the video is, as far as that can be guessed before it was fetched."""
    under: str = ""
    """The platform's id of the message whose button was pressed, where that draws it; or ""."""
    picture: str = ""
    """The path of the picture that is asked about, where it lies on this disk by now; or ""."""
    moderator: bool = False
    """The asker could cancel there what others asked for, at that time."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was written down, and how it stands."""

    id: int
    request: Request
    state: JobState
    reason: str
    """Why it failed, or failed last, as the error's name; or ""."""
    failures: int
    """How often it failed in a way that may pass."""
    not_before_s: float
    """When it is to be tried again, in Unix seconds; 0 is now."""
    video_id: str
    """The video that it is about, once that is known, or ""."""
    frames: int
    """How many frames of the video were embedded, once that is done; 0 where the video was known."""

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be done."""
        return self.state in {"queued", "running"}

    @property
    def ref(self) -> JobRef:
        """Return what events carry of it."""
        return JobRef(self.id, self.request.length_s)


def why_ended(job: Job | None) -> UserError | None:
    """Tell why a job is not to be done (any more); None for one that is."""
    if job is None:
        return MessageGone()
    if job.reason == FilmForgotten.__name__:
        return FilmForgotten()
    return None if job.is_open else JobCancelled()


@dataclass(frozen=True, slots=True)
class MessageKey:
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


@dataclass(frozen=True, slots=True)
class JobRef:
    """A row of the job ledger: the request was written down, and goes on after a restart."""

    id: int
    length_s: float | None = None
    """How long the video is, as far as that can be guessed before it was fetched."""
