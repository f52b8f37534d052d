"""Carries out the requests in the job ledger: starts, retries, gives up, cancels and cleans up."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AppError, DecoderDied, FetchFailed, FilmForgotten, JobCancelled, NotYourJob, StorageUnusable
from core.model.actions import Cancel
from core.model.events import PictureFile
from core.model.reply import Progress
from core.model.requests import why_ended
from core.model.video import Indexed, View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from core.model.events import Turn
    from core.model.requests import Job, JobRef, Request
    from core.model.video import Scope
    from core.ports.jobs import Jobs
    from core.ports.library import Library, Media

    Report = Callable[[Progress], None]
    Work = Callable[[Report], Awaitable[Indexed]]

logger = logging.getLogger(__name__)
_RENEW_EVERY_S = 20.0


class JobRunner:
    """Carries out what is in the job ledger."""

    def __init__(
        self, jobs: Jobs, library: Library, media: Media, patience: RetryPolicy, clock_s: Callable[[], float]
    ) -> None:
        """Work by a clock that gives Unix seconds."""
        self.jobs = jobs
        """What is only written down or read is asked of the ledger itself."""
        self._library = library
        self._media = media
        self._patience = patience
        self._clock_s = clock_s
        self._underway = Underway()
        self._renewing: asyncio.Task[None] | None = None

    async def accept(self, request: Request) -> Job | None:
        """Write a request down, before it is acknowledged; None when it was taken up before.

        What a process took up that died since is taken up again. Raises StorageUnusable.
        """
        job = await self.jobs.accept(request)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
        return job

    async def carry_out(self, ref: JobRef | None, work: Work, report: Report) -> Indexed:
        """Do some work, again where it failed in a way that may pass; raises what it raised last.

        Raises JobCancelled, FilmForgotten or MessageGone where it is not wanted (any more).
        """
        if ref is None:
            return await work(report)
        with self._underway.carrying(ref.id):  # first, so that what ends the job from now on finds its task
            job = await self.jobs.job(ref.id)
            if job is None:
                raise JobCancelled
            reason = why_ended(job)
            if not isinstance(reason, FilmForgotten) and (done := await self._brought(job)):
                return done  # who cancelled it came too late
            if reason or await self._is_called_off(job):
                raise reason or JobCancelled
            try:
                return await self._persist(job, work, report)
            except FilmForgotten as error:  # nothing is kept of it any more: it may have been cancelled, too
                raise (why_ended(await self.jobs.job(ref.id)) or error) from None

    async def _is_called_off(self, job: Job) -> bool:
        """Tell whether an earlier run acknowledged its cancelling, which may come to be done only after the video."""
        return await self.jobs.is_pressed(job.id, Cancel(job.id).id)

    async def kept_picture(self, ref: JobRef, file: PictureFile) -> PictureFile:
        """Return a picture that is asked about, which is copied to this disk when it is first read.

        So a later run need not ask for it again: its address may have expired by then. The copy goes with the job.
        """
        job = await self.jobs.job(ref.id)
        known = Path(job.request.picture) if job and job.request.picture else None

        async def read(limit_bytes: int) -> bytes:
            kept = await self._media.posted(known) if known else None
            if kept is not None:
                return kept
            data = await file.read(limit_bytes)
            if known is None and len(data) <= limit_bytes:
                place = self._media.inbox / f"picture-{ref.id}"
                with suppress(StorageUnusable):  # then it is asked for again
                    await self.jobs.picture(ref.id, str(place))
                    await self._media.take_posted(place, data)
            return data

        return PictureFile(file.name, read, file.path)

    async def fail(self, ref: JobRef | None, error: Exception) -> None:
        """Note why a job failed for good."""
        if ref is not None:
            with suppress(StorageUnusable):  # it is tried again at the next start
                await self.jobs.fail(ref.id, type(error).__name__)

    async def settle(self, ref: JobRef) -> None:
        """End a job whose answer was shown."""
        job = await self.jobs.job(ref.id)
        await self._drop(await self.jobs.settle(ref.id), job)

    async def cancel(self, job_id: int, turn: Turn) -> bool:
        """Cancel a job for its asker; tell whether it was under way here, so that its own answer says so.

        Raises JobCancelled where it has ended, NotYourJob for others.
        """
        job = await self.jobs.job(job_id)
        if job is None or not job.is_open or job.request.key.scope != turn.scope:
            raise JobCancelled
        if turn.door.shared and turn.user_id != job.request.user_id and not turn.moderator:
            raise NotYourJob
        video_id = await self.jobs.call_off(job_id)
        was_under_way = await self._underway.break_off(job_id, JobCancelled())
        await self._drop(video_id, job)
        return was_under_way

    async def cancel_message(self, scope: Scope, message: str) -> None:
        """Cancel all open jobs that a message asked for, or whose answer it is."""
        for job_id in await self.jobs.about(scope, message):
            await self.drop(job_id)

    async def cancel_others(self, scope: Scope, message: str, items: frozenset[str]) -> None:
        """Cancel the open jobs that a message asked for by items which are not among these."""
        for job_id in await self.jobs.about(scope, message):
            job = await self.jobs.job(job_id)
            asks_for_video = job is not None and job.request.kind in {"link", "remote"}
            if job and asks_for_video and job.request.key.message == message and job.request.key.item not in items:
                await self.drop(job_id)

    async def break_off(self) -> None:
        """Stop what runs here for requests that were ended by something else: a video was forgotten, a message deleted.

        Raises StorageUnusable.
        """
        for job_id in self._underway.ids:
            if reason := why_ended(await self.jobs.job(job_id)):
                await self._underway.break_off(job_id, reason)

    async def forget(self, video_id: str) -> None:
        """Break off what would keep a video's file again, then delete that unless it is needed.

        Raises StorageUnusable.
        """
        await self.break_off()
        await self._library.unless_needed(video_id, self._media.forget)

    async def tidy(self) -> int:
        """Drop what no open job and no video needs, of what an earlier run left; count the files.

        Where videos may be missing that were kept, such files are set aside, and come back when videos lead to them
        again. Raises StorageUnusable.
        """
        await self._media.bring_back(self.jobs.needed)
        if await self._library.has_loss():
            await self.set_aside()
            await self._library.settle_losses()
        return await self._media.sweep(self.jobs.needed)

    async def set_aside(self) -> Path | None:
        """Move media that no video and no open job needs out of the store; return the folder, or None.

        Raises StorageUnusable.
        """
        return await self._media.set_aside(self.jobs.needed)

    async def close(self) -> None:
        """Leave what is open to the next run."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)
        with suppress(StorageUnusable):  # a lease runs out by itself
            await self.jobs.park()

    async def _persist(self, job: Job, work: Work, report: Report) -> Indexed:
        failures = job.failures
        wait_s = job.not_before_s - self._clock_s()
        await asyncio.sleep(min(max(0.0, wait_s), LONGEST_S))
        while True:
            try:
                return await work(report)
            except AppError as error:
                failures += 1
                await self._put_off(job, error, failures, report)

    async def _put_off(self, job: Job, error: AppError, failures: int, report: Report) -> None:
        wait_s = self._patience.wait_s(error, failures)
        if wait_s is None:
            raise error
        logger.info("job %d failed (%s); trying again in %d s", job.id, type(error).__name__, wait_s)
        report(Progress("retrying", None, wait_s, trouble=error))
        with suppress(StorageUnusable):
            await self.jobs.put_off(job.id, type(error).__name__, self._clock_s() + wait_s)
        await asyncio.sleep(wait_s)

    async def _brought(self, job: Job) -> Indexed | None:
        """Return what an earlier run did, and only did not come to say; under the names that the video has there."""
        video = await self._library.video(job.video_id) if job.frames else None
        posting = await self._library.posting(job.video_id, View.of(job.request.key.scope)) if video else None
        return Indexed(posting.named(video), job.frames) if posting and video else None

    async def drop(self, job_id: int) -> None:
        """Cancel a job that nobody is to be told about. Raises StorageUnusable."""
        await self._underway.break_off(job_id, JobCancelled())
        job = await self.jobs.job(job_id)
        await self._drop(await self.jobs.cancel(job_id), job)

    async def _drop(self, video_id: str, job: Job | None) -> None:
        if video_id:
            await self._library.unless_needed(video_id, self._media.forget)
        if job is not None and job.request.picture:
            await self._media.drop_posted(Path(job.request.picture))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY_S)
            with suppress(StorageUnusable):
                await self.jobs.renew()
                await self.break_off()  # what another process forgot


LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Decides how often, and after how long, something is tried again."""

    retries: int = 4
    first_wait_s: float = 15.0
    factor: float = 4.0

    def wait_s(self, error: AppError, failures: int) -> float | None:
        """Return the seconds to wait after that many failures, of which this is the last; None to give up."""
        match error:
            case DecoderDied():
                most = min(1, self.retries)  # a video that kills its decoder twice would do it a third time
            case FetchFailed() | StorageUnusable():
                most = self.retries
            case _:
                most = 0
        return min(LONGEST_S, self.first_wait_s * self.factor ** (failures - 1)) if failures <= most else None


class Underway:
    """Knows the task of each request that is being carried out here."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[object]] = {}
        self._reasons: dict[int, AppError] = {}

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the ids of these requests."""
        return tuple(self._tasks)

    @contextmanager
    def carrying(self, job_id: int) -> Iterator[None]:
        """Say that the current task carries out a request; raises the reason where that is broken off."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("jobs are carried out by tasks")
        self._tasks[job_id] = task
        try:
            yield
        except asyncio.CancelledError:
            if job_id not in self._reasons:
                raise
        finally:
            if self._tasks.get(job_id) is task:
                del self._tasks[job_id]
        # Also where the work ended well, or swallowed that it was cancelled.
        if job_id in self._reasons:
            task.uncancel()
            raise self._reasons.pop(job_id)

    async def break_off(self, job_id: int, reason: AppError) -> bool:
        """Let the task of a request end with this reason, and wait until it has; tell whether there is one."""
        task = self._tasks.get(job_id)
        if task is None:
            return False
        if job_id not in self._reasons:
            self._reasons[job_id] = reason
            task.cancel()
        await asyncio.wait({task})
        self._reasons.pop(job_id, None)
        return True
