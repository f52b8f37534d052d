"""Taking a film back. Owns what goes with it, whose it is to take back, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import replies
from core.errors.asking import UnknownVideo
from core.errors.turns import NotYours
from core.naming import pick

if TYPE_CHECKING:
    from core.foreman import Foreman
    from core.jobs import Jobs
    from core.model import View
    from core.ports import Library
    from core.shown import Reply
    from core.talk import Forget, JobRef


async def forget(
    library: Library,
    foreman: Foreman,
    video_id: str,
    view: View,
    user_id: str | None = None,
    job: JobRef | None = None,
) -> None:
    """Take back a film's postings in view, of one person where that is named, and stop what is under way for these.

    Where none is left anywhere all of the film goes. For a job that is done once. Raises OperatorError.
    """
    await library.forget(video_id, view, user_id, job)
    await foreman.forget(video_id)


class Forgetting:
    """Does what people ask: each means one film, and the same one however often it is begun."""

    def __init__(self, library: Library, foreman: Foreman, jobs: Jobs) -> None:
        self._library = library
        self._foreman = foreman
        self._jobs = jobs

    async def take_back(self, event: Forget) -> tuple[Reply, ...]:
        """Take a film back for whoever may; raises UnknownVideo, AmbiguousVideo, NotYours, OperatorError."""
        turn = event.turn
        video_id, title = await self._earlier(event) or await self._meant(event)
        who = None if turn.moderator else turn.user_id
        await forget(self._library, self._foreman, video_id, turn.view, who, event.job)
        return (replies.forgotten(title, await self._library.posting(video_id, turn.view)),)

    async def _earlier(self, event: Forget) -> tuple[str, str] | None:
        """Give what an earlier run took to be meant: the film may be gone by now, and its name fit another."""
        return await self._jobs.named(event.job.id) if event.job else None

    async def _meant(self, event: Forget) -> tuple[str, str]:
        turn = event.turn
        if not event.video.strip():
            raise UnknownVideo("")
        film = pick(await self._library.videos(turn.view), event.video).video
        if not turn.moderator and not await self._library.posting(film.id, turn.view, turn.user_id):
            raise NotYours(film.title)
        if event.job:
            await self._jobs.name(event.job.id, film.id, film.title)
        return film.id, film.title
