"""The job ledger, what a door remembers of messages, and checkpoints of videos under way.

Methods may raise StorageUnusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.model.requests import JobRef, MessageKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.requests import Job, JobRef, MessageKey, Request
    from core.model.video import FrameIndex, Scope, Thumbnail, Video
    from core.ports.video import VideoOpened


class Jobs(Protocol):
    """Remembers requests across restarts."""

    async def accept(self, request: Request) -> Job | None:
        """Write a request down and take it up; None when that was done before, unless by a process that died."""
        ...

    async def job(self, job_id: int) -> Job | None:
        """Return a job."""
        ...

    async def left(self, platform: str) -> tuple[Job, ...]:
        """Return the jobs of a platform that nobody living works on, oldest first.

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
        """Note where its answer stands, and as which message: its video counts as posted by that."""
        ...

    async def vouch(self, job_id: int) -> None:
        """Note that the asker moderates where they asked."""
        ...

    async def name(self, job_id: int, video_id: str, title: str) -> None:
        """Note which video a request to forget means, and by which name."""
        ...

    async def named(self, job_id: int) -> tuple[str, str] | None:
        """Return which video (id and title) an open request to forget was taken to mean, if it was."""
        ...

    async def picture(self, job_id: int, path: str) -> None:
        """Note where a copy of the picture that it asks about is about to lie."""
        ...

    async def settle(self, job_id: int) -> str:
        """End a job whose answer was shown: done, cancelled, or failed where a reason was noted for good.

        What was seen for it goes unless another open job is about the same video. Return the id of a video whose file
        nobody needs any more, or "".
        """
        ...

    async def call_off(self, job_id: int) -> str:
        """End a cancelled job, but for saying so where it was asked for; return what `settle` gives.

        Raises JobCancelled where there is nothing to end any more: its video is kept, or it has ended.
        """
        ...

    async def cancel(self, job_id: int) -> str:
        """End a job that is not wanted any more; return what `settle` gives."""
        ...

    async def about(self, scope: Scope, message: str) -> tuple[int, ...]:
        """Return the ids of the open jobs that a message asked for, or whose answer it is."""
        ...

    async def is_outdone(self, job_id: int, message: str) -> bool:
        """Tell whether a press that draws a message, in its channel, was written down after a job."""
        ...

    async def is_pressed(self, job_id: int, button: str) -> bool:
        """Tell whether the asker of a job, or a moderator, has pressed a button in its channel, by its id."""
        ...

    async def renew(self) -> None:
        """Say that this process still works on what it took up."""
        ...

    async def park(self) -> None:
        """Say that this process works on nothing any more: what it leaves open is to be taken up by the next."""
        ...

    async def needed(self) -> tuple[frozenset[str], frozenset[str]]:
        """Drop what was seen for jobs that are not open; return the videos and the posted files that are needed.

        The videos by id: those that are kept, and those that open jobs are about. The files by path.
        """
        ...


class Ledger(Protocol):
    """Remembers across restarts. Platforms send things twice, and Keaton may die in between."""

    async def begin(self, key: MessageKey) -> bool:
        """Take something up; tell whether it is to be done.

        False when it was taken up before, unless by a process that died before it was settled.
        """
        ...

    async def settle(self, key: MessageKey) -> None:
        """Note that something is done for ever, well or not."""
        ...

    async def unsettled(self, platform: str) -> tuple[MessageKey, ...]:
        """Return what another process took up and did not settle, oldest first."""
        ...

    async def take_cards_back(self, scope: Scope, message: str) -> None:
        """Have what answers a deleted message removed, by this run or the next.

        see `card_note` and `core.ports.retention`.
        """
        ...

    async def retract(self, scope: Scope, message: str) -> tuple[str, ...]:
        """Take back what a deleted message posted, now and later; return the videos that went with it.

        What answers it is removed. A video goes when no other posting of it is left anywhere. What it asked for and is
        still under way can post nothing any more: that raises MessageGone.
        """
        ...

    async def brought(self, scope: Scope, message: str) -> bool:
        """Tell whether a message brought a video, or is to."""
        ...

    async def retract_others(self, scope: Scope, message: str, items: frozenset[str]) -> tuple[str, ...]:
        """Take back what an edited message posted by anything but these items; return the videos that went with it.

        What was answered to items that are not in it any more is removed. An item that comes back is indexed anew.
        """
        ...

    async def posted(self, platform: str, most: int) -> tuple[tuple[Scope, str], ...]:
        """Return the messages that videos are known from, newest first, to see whether they are still there."""
        ...

    async def is_on(self, scope: Scope, *, by_default: bool) -> bool:
        """Tell whether what is posted in a channel is indexed; the default counts until it is switched."""
        ...

    async def switch(self, scope: Scope, *, on: bool, job: JobRef | None = None) -> bool:
        """Switch a channel on or off; tell whether it is on then.

        A request that was written down before one that has switched that channel already changes nothing.
        """
        ...

    async def remember(self, name: str, text: str) -> None:
        """Keep a small note in the place of an older one by that name; an empty text takes it away."""
        ...

    async def recall(self, name: str) -> str:
        """Return a note, or "" where there is none."""
        ...

    async def notes(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the names and texts of all notes whose name begins so."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """A video whose file lies in the store and that is yet to be indexed to its end."""

    video_id: str
    link: str
    """The canonical link or the file's key that leads to it, or ""."""
    url: str
    title: str
    uploader: str
    several: bool
    """Its link leads to several videos, and this is the first."""
    length_s: float = 0.0
    """0 until the file was opened."""
    site_id: str = ""
    """What the extractor that fetched it said that it is; see `core.site_ids`."""


@dataclass(frozen=True, slots=True, eq=False)
class SoFar:
    """What was seen of a video before."""

    index: FrameIndex
    thumbnails: tuple[Thumbnail, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A video that can be searched as far as it was indexed."""

    video: Video
    index: FrameIndex
    share: float
    """How much of it was indexed, 0 to 1."""


class Checkpoints(Protocol):
    """Keeps what was seen of videos that are not done."""

    async def start(self, job_id: int) -> None:
        """Note that a job's turn has come."""
        ...

    async def begin(self, job_id: int, work: Work, recipe_key: str) -> int:
        """Write down that a job is about this video; frames with another recipe go.

        Return how often that was so since a frame was last written down for it. Raises JobCancelled, FilmForgotten or
        MessageGone where the job is not open (any more).
        """
        ...

    async def at(self, link: str, scope: Scope) -> Work | None:
        """Return the video that a canonical link or a file's key leads to for who posts it there; see `site_ids`."""
        ...

    async def of(self, video_id: str) -> Work | None:
        """Return a video by its id, with no names."""
        ...

    async def opened(self, video_id: str, opened: VideoOpened) -> None:
        """Note what its file says of itself."""
        ...

    async def add(self, video_id: str, part: FrameIndex, thumbnails: Sequence[Thumbnail]) -> None:
        """Write down at least one frame; those that do not come after all that are known are left out.

        Raises FilmForgotten where nothing is kept of the video any more.
        """
        ...

    async def so_far(self, video_id: str, recipe_key: str) -> SoFar | None:
        """Return what was seen with this recipe, where that is anything."""
        ...
