"""How videos are forgotten, and when data of places that Keaton was removed from is purged.

The grace period counts only the time that Keaton runs: a calendar that jumps must not purge early.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.errors import AppError, ForgottenInCopy, NotYours, UnknownVideo
from core.model.video import pick
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.jobs import JobRunner
    from core.model.events import Forget
    from core.model.reply import Reply
    from core.model.requests import JobRef
    from core.model.video import Scope, View
    from core.ports.jobs import Jobs
    from core.ports.library import Library, Media
    from core.ports.retention import Departures, VideoFiles

log = logging.getLogger(__name__)


class DepartureGrace:
    """Lets go of what was left, some time later."""

    def __init__(
        self, departures: Departures, files: VideoFiles, clock_s: Callable[[], float], grace_s: float, every_s: float
    ) -> None:
        """Take a clock that only ever goes forward, and how often to purge."""
        self._departures = departures
        self._files = files
        self._clock_s = clock_s
        self._grace_s = grace_s
        self._every_s = every_s
        self._purged_s = clock_s()

    async def left(self, scope: Scope) -> None:
        """Note that Keaton was removed from a space or channel."""
        log.info("removed from %s %s %s", scope.platform, scope.space, scope.channel or "as a whole")
        await self.purge()  # time that passed before does not count for it
        await self._departures.leave(scope)

    async def back(self, scope: Scope) -> None:
        """Note that Keaton is in a space or channel."""
        await self._departures.come_back(scope)

    async def gone(self, scope: Scope) -> None:
        """Delete all that is known of a space or channel that does not exist any more."""
        for video_id in await self._departures.purge(scope):
            await self._files.forget(video_id)

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Return the channels of a platform that videos are known from."""
        return await self._departures.places(platform)

    async def purge(self) -> None:
        """Purge what has waited for long enough."""
        now_s = self._clock_s()
        elapsed_s, self._purged_s = now_s - self._purged_s, now_s
        for departure in await self._departures.wait(max(0.0, elapsed_s)):
            if departure.waited_s >= self._grace_s:
                log.info("the grace period of %s %s is over", departure.scope.platform, departure.scope.space)
                await self.gone(departure.scope)

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.purge()
            except AppError:
                log.exception("what was left could not be purged; it is tried again")


class Forgetting:
    """Does what people ask: each means one video, and the same one however often it is begun."""

    def __init__(self, library: Library, media: Media, runner: JobRunner, jobs: Jobs) -> None:
        self._library = library
        self._media = media
        self._runner = runner
        self._jobs = jobs

    async def forget(self, video_id: str, view: View, user_id: str | None = None, job: JobRef | None = None) -> None:
        """Take back a video's postings in view, of one person where that is named, and stop what runs for these.

        Where none is left anywhere all of the video goes. For a job that is done once. Raises OperatorError.
        """
        try:
            await self._library.forget(video_id, view, user_id, job)
        except ForgottenInCopy as error:  # the database cannot be asked any more which files are needed
            for gone in error.videos:
                await self._media.forget(gone)
            raise
        await self._runner.forget(video_id)

    async def take_back(self, event: Forget) -> tuple[Reply, ...]:
        """Take a video back for its poster or a moderator.

        Raises UnknownVideo, AmbiguousVideo, NotWholeName, NotYours, OperatorError.
        """
        turn = event.turn
        video_id, title = await self._earlier(event) or await self._meant(event)
        who = None if turn.moderator else turn.user_id
        await self.forget(video_id, turn.view, who, event.job)
        return (replies.forgotten(title, await self._library.posting(video_id, turn.view)),)

    async def _earlier(self, event: Forget) -> tuple[str, str] | None:
        """Return what an earlier run took to be meant: the video may be gone by now, and its name fit another."""
        return await self._jobs.named(event.job.id) if event.job else None

    async def _meant(self, event: Forget) -> tuple[str, str]:
        turn = event.turn
        if not event.video.strip():
            raise UnknownVideo("")
        video = pick(await self._library.videos(turn.view), event.video, whole=True).video
        if not turn.moderator and not await self._library.posting(video.id, turn.view, turn.user_id):
            raise NotYours(video.title)
        if event.job:
            await self._jobs.name(event.job.id, video.id, video.title)
        return video.id, video.title
