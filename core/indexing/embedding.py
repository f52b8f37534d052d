"""Samples a video, computes its embeddings and saves them, batch by batch.

If it is interrupted, nothing is left behind that could not be forgotten.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from core.concurrency import read_ahead
from core.errors import VideoGone, called
from core.indexing.checkpoint import Checkpoint
from core.indexing.gathered import Gathered, looked, put, take, to_encode, video_of
from core.model.reply import Progress
from core.model.video import Indexed, Recipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.indexing.gathered import Source
    from core.model.requests import JobRef, Poster
    from core.model.video import EncoderInfo, IndexedVideo, Sampling
    from core.ports.jobs import Checkpoints
    from core.ports.library import Encoder, Library, Media
    from core.ports.metrics import Watch
    from core.ports.video import FrameReader

    Report = Callable[[Progress], None]
    Note = Callable[[Gathered], Awaitable[None]]

_AHEAD = 2


class FrameEmbedder:
    """Looks at videos, frame after frame."""

    def __init__(self, reader: FrameReader, encoder: Encoder, sampling: Sampling, batch: int) -> None:
        """Take what frames go through, and how many go at once."""
        self._reader = reader
        self._encoder = encoder
        self._sampling = sampling
        self._batch = batch

    def recipe(self, info: EncoderInfo) -> Recipe:
        """Give the recipe that videos are looked at with."""
        return Recipe.of(info, self._sampling)

    async def look(self, source: Source, info: EncoderInfo, gathered: Gathered, note: Note, report: Report) -> Gathered:
        """Look at a video from where that was left off; `note` gets to see each batch. Raises UserError, TryLater."""
        with called(source.title):
            return await self._look(source, info, gathered, note, report)

    async def _look(
        self, source: Source, info: EncoderInfo, gathered: Gathered, note: Note, report: Report
    ) -> Gathered:
        started_s = time.monotonic()
        events = self._reader.looks(source.path, self._sampling, info.preprocess, gathered.seen)
        async with read_ahead(events, _AHEAD * self._batch) as ready:
            async for event in ready:
                if take(gathered, event, self._batch):
                    await self._encode(gathered)
                    await note(gathered)
                    report(looked(gathered, time.monotonic() - started_s))
        await self._encode(gathered)
        report(looked(gathered, time.monotonic() - started_s))
        return gathered

    async def _encode(self, gathered: Gathered) -> None:
        if gathered.batch:
            pixels = to_encode(gathered)
            put(gathered, await self._encoder.looks(pixels) if len(pixels) else gathered.vectors[-1][:0])


class VideoEmbedder:
    """Looks at videos and keeps what was seen."""

    def __init__(
        self, library: Library, media: Media, works: Checkpoints, eyes: FrameEmbedder, watch: Watch, save_every_s: float
    ) -> None:
        self._library = library
        self._media = media
        self._works = works
        self._eyes = eyes
        self._watch = watch
        self._save_every_s = save_every_s

    async def in_pieces(
        self, source: Source, info: EncoderInfo, poster: Poster, job: JobRef, report: Report
    ) -> Indexed:
        """Look at a video so that a later run can go on; what is left of it when the job ends is not ours to drop.

        But where the job had ended before, as when the video was forgotten, a file that was kept since is.
        """
        async with self._no_orphan(source.video_id):
            return await self._in_pieces(source, info, poster, job, report)

    async def _in_pieces(
        self, source: Source, info: EncoderInfo, poster: Poster, job: JobRef, report: Report
    ) -> Indexed:
        recipe = self._eyes.recipe(info)
        notebook = Checkpoint(self._works, source, recipe.key, self._save_every_s)
        gathered = await notebook.begin(job.id)
        if source.kept and await self._media.path(source.video_id) is None:
            raise VideoGone(source.title)  # whoever was about it before has dropped it a moment ago
        if not source.kept:
            source = replace(source, path=await self._media.keep(source.path, source.video_id), kept=True)
        video = video_of(source, await self._eyes.look(source, info, gathered, notebook.note, report), recipe)
        report(Progress("saving", None))
        await self._save(source, video, poster)
        return Indexed(video.video, len(video.index))

    async def at_a_stretch(self, source: Source, info: EncoderInfo, poster: Poster | None, report: Report) -> Indexed:
        """Look at a video in one go and keep it; raises UserError, TryLater, OperatorError."""
        gathered = await self._eyes.look(source, info, Gathered(), _unnoted, report)
        video = video_of(source, gathered, self._eyes.recipe(info))
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
