"""Samples a video, computes its embeddings and saves them, batch by batch.

What was computed is saved every so often, so that a restart goes on from there. If indexing is interrupted, nothing is
left behind that could not be forgotten.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from core.concurrency import read_ahead
from core.errors import GivenUp, NoFrames, VideoGone, called
from core.formatting import one_line
from core.indexing.local_files import file_id
from core.model.reply import Progress
from core.model.video import FrameIndex, Indexed, IndexedVideo, Recipe, Thumbnail, Video
from core.ports.jobs import Work
from core.ports.video import ResumePoint, SampledFrame, VideoEnded, VideoOpened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from core.model.requests import JobRef, Poster
    from core.model.video import EncoderInfo, Floats, Pixels, Sampling
    from core.ports.jobs import Checkpoints, SoFar
    from core.ports.library import Encoder, Library, Media
    from core.ports.metrics import Watch
    from core.ports.video import FrameReader

    Report = Callable[[Progress], None]
    Note = Callable[["Gathered"], Awaitable[None]]

_FIRST_BATCH = 2


@dataclass(frozen=True, slots=True)
class Source:
    """A video that lies on the disk and is yet to be indexed."""

    path: Path
    video_id: str
    title: str
    url: str
    link: str
    uploader: str = ""
    kept: bool = False
    """It lies in the store already."""
    several: bool = False
    """Its link leads to several videos, and this is the first."""
    site_id: str = ""
    """What the extractor that fetched it said that it is; see `core.site_ids`."""


@dataclass(slots=True)
class Gathered:
    """What has been read of a video so far."""

    opened: VideoOpened | None = None
    ended: VideoEnded | None = None
    times_s: list[float] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    batch: list[SampledFrame] = field(default_factory=list)
    before: int = 0
    """How many of the frames come from an earlier reading."""

    @classmethod
    def after(cls, so_far: SoFar | None) -> Gathered:
        """Return what an earlier reading saw, to go on from, or nothing."""
        if so_far is None:
            return cls()
        index = so_far.index
        pictures = list(so_far.thumbnails)
        return cls(times_s=index.times_s.tolist(), vectors=[index.vectors], thumbnails=pictures, before=len(index))

    @property
    def seen(self) -> ResumePoint | None:
        """Return how far the earlier reading went, where there was one."""
        return ResumePoint(self.times_s[self.before - 1], self.before) if self.before else None


def take(gathered: Gathered, event: VideoOpened | SampledFrame | VideoEnded, batch: int) -> bool:
    """Take an event in; tell whether a batch is full.

    The first batches are small and grow, so that a video can be searched from its first seconds on.
    """
    match event:
        case VideoOpened():
            gathered.opened = event
        case VideoEnded():
            gathered.ended = event
        case SampledFrame():
            gathered.times_s.append(event.time_s)
            gathered.batch.append(event)
            if event.thumbnail is not None:
                gathered.thumbnails.append(Thumbnail(event.time_s, event.thumbnail))
    wanted = min(batch, max(_FIRST_BATCH, len(gathered.times_s) - len(gathered.batch)))
    return len(gathered.batch) >= wanted


def to_encode(gathered: Gathered) -> Pixels:
    """Return the pictures of the batch that differ, (N, S, S, 3) uint8, N at least 0."""
    return np.array([frame.pixels for frame in gathered.batch if not frame.repeats], np.uint8)


def put(gathered: Gathered, encoded: Floats) -> None:
    """Give each frame of the batch its vector, or that of the frame which it repeats, and start the next batch."""
    before = [gathered.vectors[-1][-1:]] if gathered.vectors else []
    rows = np.cumsum([not frame.repeats for frame in gathered.batch]) + (len(before) - 1)
    gathered.vectors.append(np.concatenate([*before, encoded])[rows])
    gathered.batch.clear()


def progress_of(gathered: Gathered, elapsed_s: float) -> Progress:
    """Tell how far the looking is."""
    length_s = gathered.opened.duration_s if gathered.opened else 0.0
    if not length_s or not gathered.times_s:
        return Progress("looking", None)
    share = 1.0 if gathered.ended else min(1.0, gathered.times_s[-1] / length_s)
    now = share - (gathered.seen.until_s / length_s if gathered.seen else 0.0)
    return Progress("looking", share, elapsed_s * (1 - share) / now if now > 0 else None)


def video_of(source: Source, gathered: Gathered, recipe: Recipe) -> IndexedVideo:
    """Return the video that was read; raises NoFrames when nothing was."""
    opened, ended = gathered.opened, gathered.ended
    if opened is None or ended is None or not gathered.vectors:
        raise NoFrames(source.title)
    duration_s = ended.reached_s if ended.truncated else max(opened.duration_s, ended.reached_s)
    video = Video(
        source.video_id,
        source.url,
        source.title,
        duration_s,
        opened.width_px,
        opened.height_px,
        ended.truncated,
        source.uploader,
    )
    index = FrameIndex(np.array(gathered.times_s, np.float64), np.concatenate(gathered.vectors))
    return IndexedVideo(video, recipe, index, tuple(gathered.thumbnails))


def content_id(path: Path) -> str:
    """Return the id of a file in a workshop by its content; blocks. Raises FileMissing, FileUnreadable, NotAFile."""
    return file_id(path, path.name, inf)


def stem(name: str) -> str:
    """Return a file's name as a title: one line of plain text, whatever bytes the name is made of."""
    line = one_line(name)
    return line.rsplit(".", 1)[0] or line


logger = logging.getLogger(__name__)
_MOST_STARTS = 10
"""So often may a video be begun without one frame being written down: then it may be what the process dies of."""


class Checkpoint:
    """What is seen of one video."""

    def __init__(self, checkpoints: Checkpoints, source: Source, recipe_key: str, every_s: float) -> None:
        self._checkpoints = checkpoints
        self._source = source
        self._recipe_key = recipe_key
        self._every_s = every_s
        self._written_s = float("-inf")  # the first frames are written at once: they can be searched then
        self._frames = self._pieces = 0
        self._thumbnails = 0
        self._is_opened = False

    async def begin(self, job_id: int) -> Gathered:
        """Write down which video a job is about; return what was seen of it before.

        Raises GivenUp for a video that was begun again and again in vain.
        """
        source = self._source
        names = source.url, source.title, source.uploader
        work = Work(source.video_id, source.link, *names, source.several, site_id=source.site_id)
        if await self._checkpoints.begin(job_id, work, self._recipe_key) > _MOST_STARTS:
            raise GivenUp(source.title)
        gathered = Gathered.after(await self._checkpoints.so_far(source.video_id, self._recipe_key))
        self._frames, self._thumbnails = len(gathered.times_s), len(gathered.thumbnails)
        self._pieces = len(gathered.vectors)
        if gathered.before:
            logger.info("job %d goes on after the %d frames that were embedded before", job_id, gathered.before)
        return gathered

    async def note(self, gathered: Gathered) -> None:
        """Write down what is new, where the last time is long enough ago."""
        now_s = time.monotonic()
        if now_s - self._written_s < self._every_s:
            return
        self._written_s = now_s
        await self._write(gathered)

    async def _write(self, gathered: Gathered) -> None:
        video_id = self._source.video_id
        if gathered.opened and not self._is_opened:
            await self._checkpoints.opened(video_id, gathered.opened)
            self._is_opened = True
        encoded, pieces = sum(map(len, gathered.vectors)), len(gathered.vectors)
        if encoded == self._frames:
            return
        vectors = np.concatenate(gathered.vectors[self._pieces :])
        part = FrameIndex(np.array(gathered.times_s[self._frames : encoded], np.float64), vectors)
        pictures = [one for one in gathered.thumbnails[self._thumbnails :] if one.time_s <= part.times_s[-1]]
        await self._checkpoints.add(video_id, part, pictures)
        self._frames, self._pieces, self._thumbnails = encoded, pieces, self._thumbnails + len(pictures)


_AHEAD = 2


class FrameEmbedder:
    """Computes the embeddings of videos, frame after frame."""

    def __init__(self, reader: FrameReader, encoder: Encoder, sampling: Sampling, batch: int) -> None:
        """Take what frames go through, and how many go at once."""
        self._reader = reader
        self._encoder = encoder
        self._sampling = sampling
        self._batch = batch

    def recipe(self, info: EncoderInfo) -> Recipe:
        """Return the recipe that videos are indexed with."""
        return Recipe.of(info, self._sampling)

    async def embed(
        self, source: Source, info: EncoderInfo, gathered: Gathered, note: Note, report: Report
    ) -> Gathered:
        """Embed frames from where an earlier run left off; `note` is told of each batch. Raises UserError, TryLater."""
        with called(source.title):
            return await self._embed(source, info, gathered, note, report)

    async def _embed(
        self, source: Source, info: EncoderInfo, gathered: Gathered, note: Note, report: Report
    ) -> Gathered:
        started_s = time.monotonic()
        events = self._reader.frames(source.path, self._sampling, info.preprocess, gathered.seen)
        async with read_ahead(events, _AHEAD * self._batch) as ready:
            async for event in ready:
                if take(gathered, event, self._batch):
                    await self._encode(gathered)
                    await note(gathered)
                    report(progress_of(gathered, time.monotonic() - started_s))
        await self._encode(gathered)
        report(progress_of(gathered, time.monotonic() - started_s))
        return gathered

    async def _encode(self, gathered: Gathered) -> None:
        if gathered.batch:
            pixels = to_encode(gathered)
            put(gathered, await self._encoder.frames(pixels) if len(pixels) else gathered.vectors[-1][:0])


class VideoEmbedder:
    """Computes and saves the embeddings of videos."""

    def __init__(
        self,
        library: Library,
        media: Media,
        checkpoints: Checkpoints,
        embedder: FrameEmbedder,
        watch: Watch,
        save_every_s: float,
    ) -> None:
        self._library = library
        self._media = media
        self._checkpoints = checkpoints
        self._embedder = embedder
        self._watch = watch
        self._save_every_s = save_every_s

    async def in_pieces(
        self, source: Source, info: EncoderInfo, poster: Poster, job: JobRef, report: Report
    ) -> Indexed:
        """Index a video so that a later run can go on; what is left of it when the job ends is not ours to drop.

        But where the job had ended before, as when the video was forgotten, a file that was kept since is.
        """
        async with self._no_orphan(source.video_id):
            return await self._in_pieces(source, info, poster, job, report)

    async def _in_pieces(
        self, source: Source, info: EncoderInfo, poster: Poster, job: JobRef, report: Report
    ) -> Indexed:
        recipe = self._embedder.recipe(info)
        checkpoint = Checkpoint(self._checkpoints, source, recipe.key, self._save_every_s)
        gathered = await checkpoint.begin(job.id)
        if source.kept and await self._media.path(source.video_id) is None:
            raise VideoGone(source.title)  # an earlier request has dropped it a moment ago
        if not source.kept:
            source = replace(source, path=await self._media.keep(source.path, source.video_id), kept=True)
        video = video_of(source, await self._embedder.embed(source, info, gathered, checkpoint.note, report), recipe)
        report(Progress("saving", None))
        await self._save(source, video, poster)
        return Indexed(video.video, len(video.index))

    async def at_a_stretch(self, source: Source, info: EncoderInfo, poster: Poster | None, report: Report) -> Indexed:
        """Index a video in one go and keep it; raises UserError, TryLater, OperatorError."""
        gathered = await self._embedder.embed(source, info, Gathered(), _unnoted, report)
        video = video_of(source, gathered, self._embedder.recipe(info))
        report(Progress("saving", None))
        async with self._no_orphan(source.video_id):
            await self._save(source, video, poster)
        return Indexed(video.video, len(video.index))

    async def _save(self, source: Source, video: IndexedVideo, poster: Poster | None) -> None:
        if not source.kept:
            await self._media.keep(source.path, source.video_id)
        links = [source.link] if source.link else []
        with self._watch.stage("save"):
            if poster is None:
                await self._library.refresh(video)
            else:
                await self._library.save(video, poster.posting(video.video), links, poster.job, source.site_id)

    @asynccontextmanager
    async def _no_orphan(self, video_id: str) -> AsyncIterator[None]:
        """Leave no file behind, when cancelled or failed, that no video leads to: it could never be forgotten."""
        try:
            yield
        except BaseException:
            await asyncio.shield(self._library.unless_needed(video_id, self._media.forget))
            raise


async def _unnoted(_gathered: Gathered) -> None:
    """Nobody asked for it in writing."""
