"""Requests that are written down before they are acknowledged, as nouns and a port. Owns no implementation.

Each method of a port may raise StorageUnusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from core.errors.turns import FilmForgotten, JobCancelled, MessageGone
from core.talk import JobRef

if TYPE_CHECKING:
    from core.errors import UserError
    from core.ledger import Errand
    from core.model import Scope

JobKind: TypeAlias = Literal["link", "file", "remote", "find", "press", "forget", "switch"]
JobState: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants done, with all that is needed to do it after a restart."""

    errand: Errand
    """Names it: the same request is taken up once."""
    kind: JobKind
    source: str
    """A link, the path of a file, the key of a platform's file, the words of a search, a button's id, a film's name, or
    "on" or "off"."""
    name: str
    """Of the file; for a search, of the one film to look in; for a switch, the channel that is switched; or ""."""
    user_id: str
    user_name: str
    message: str = ""
    """The platform's id of the message that the film counts as posted by, or ""."""
    message_url: str = ""
    place: str = ""
    """The door's own note of where the answer stands, as JSON."""
    length_s: float | None = None
    """How long the film is, as far as that can be guessed before it was fetched."""
    under: str = ""
    """The platform's id of the message whose button was pressed, where that draws it; or ""."""
    picture: str = ""
    """The path of the picture that is asked about, where it lies on this disk by now; or ""."""
    moderator: bool = False
    """Whoever asked could cancel there what others asked for, at that time."""


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
    """The film that it is about, once that is known, or ""."""
    looks: int
    """How many looks at the film it took, once that is done; 0 where the film was known."""

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be done."""
        return self.state in {"queued", "running"}

    @property
    def ref(self) -> JobRef:
        """Give what events carry of it."""
        return JobRef(self.id, self.request.length_s)


def why_ended(job: Job | None) -> UserError | None:
    """Tell why a job is not to be done (any more); None for one that is."""
    if job is None:
        return MessageGone()
    if job.reason == FilmForgotten.__name__:
        return FilmForgotten()
    return None if job.is_open else JobCancelled()


class Jobs(Protocol):
    """Remembers requests across restarts."""

    async def accept(self, request: Request) -> Job | None:
        """Write a request down and take it up; None when that was done before, unless by a process that died."""
        ...

    async def job(self, job_id: int) -> Job | None:
        """Give a job."""
        ...

    async def left(self, platform: str) -> tuple[Job, ...]:
        """Give the jobs of a platform that nobody living works on, oldest first.

        They are open, or were called back or cancelled: then it is only left to tell so.
        """
        ...

    async def put_off(self, job_id: int, reason: str, until_s: float) -> None:
        """Note that it failed in a way that may pass, and when (Unix seconds) it is to be tried again."""
        ...

    async def fail(self, job_id: int, reason: str) -> None:
        """Note why it failed for good; it stays open until the answer was shown."""
        ...

    async def stand(self, job_id: int, place: str, message: str) -> None:
        """Note where its answer stands, and as which message: its film counts as posted by that."""
        ...

    async def vouch(self, job_id: int) -> None:
        """Note that whoever asked for it moderates where they did."""
        ...

    async def name(self, job_id: int, video_id: str, title: str) -> None:
        """Note which film a request to forget means, and by which name."""
        ...

    async def named(self, job_id: int) -> tuple[str, str] | None:
        """Give which film (id and title) an open request to forget was taken to mean, if it was."""
        ...

    async def picture(self, job_id: int, path: str) -> None:
        """Note where a copy of the picture that it asks about is about to lie."""
        ...

    async def settle(self, job_id: int) -> str:
        """End a job whose answer was shown: done, cancelled, or failed where a reason was noted for good.

        What was seen for it goes unless another open job is about the same film. Gives the id of a film whose file
        nobody needs any more, or "".
        """
        ...

    async def call_off(self, job_id: int) -> str:
        """End a job that somebody cancelled, but for saying so where it was asked for; gives what `settle` gives.

        Raises JobCancelled where there is nothing to end any more: its film is kept, or it has ended.
        """
        ...

    async def cancel(self, job_id: int) -> str:
        """End a job that is not wanted any more; gives what `settle` gives."""
        ...

    async def about(self, scope: Scope, message: str) -> tuple[int, ...]:
        """Give the ids of the open jobs that a message asked for, or whose answer it is."""
        ...

    async def is_outdone(self, job_id: int, message: str) -> bool:
        """Tell whether a press that draws a message, in its channel, was written down after a job."""
        ...

    async def is_pressed(self, job_id: int, button: str) -> bool:
        """Tell whether whoever asked for a job, or a moderator, has pressed a button in its channel, by its id."""
        ...

    async def renew(self) -> None:
        """Say that this process still works on what it took up."""
        ...

    async def park(self) -> None:
        """Say that this process works on nothing any more: what it leaves open is to be taken up by the next."""
        ...

    async def needed(self) -> tuple[frozenset[str], frozenset[str]]:
        """Drop what was seen for jobs that are not open; give the films and the posted files that are needed.

        The films by id: those that are kept, and those that open jobs are about. The files by path.
        """
        ...
