"""Embeddings of frames that were not sampled, and of pictures that people ask with.

Frames come from kept files alone. Those that make an answer better wait while another answer is waited for.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.errors import AnswerGone, DecoderDied, NotAPicture, OverLimit, TryLater, UserError
from core.model.query import Example
from core.model.results import SAME_FRAME_S, nearest_within
from core.model.video import FrameIndex
from core.search.query_vectors import unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from core.concurrency import ForegroundPriority
    from core.model.events import PictureFile
    from core.model.query import Query, Stretch
    from core.model.results import Curve
    from core.model.video import Floats, Pixels, Video, View
    from core.ports.library import Encoder, Media
    from core.ports.video import ExtraFrameReader, PictureReader, SampledFrame
    from core.search.searcher import Searcher

_FRAME_S = 0.04
"""Frames nearer to each other than that are not told apart when a cut is looked for."""
_MOST_FRAMES = 50
_CELLS = 16
_AT_ONCE = 16
"""Frames encoded at a time, a second's work for ViT-B-32 on two cores: questions that come meanwhile go first."""


class ExtraFrames:
    """Decodes and embeds extra frames while nobody waits for an answer."""

    def __init__(
        self, media: Media, reader: ExtraFrameReader, encoder: Encoder, searcher: Searcher, priority: ForegroundPriority
    ) -> None:
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._searcher = searcher
        self._priority = priority

    async def at(
        self, query: Query, video: Video, times_s: Sequence[float], known: Collection[float] = ()
    ) -> Curve | None:
        """Return the curve of the frames at these rising times, but for those whose very times are known.

        None where there is nothing to look at: the file is gone, or seeking does not lead there. Raises AppError.
        """
        path = await self._media.path(video.id)
        if path is None or not times_s:
            return None
        await self._priority.idle()
        frames = await self._reader.frames_at(path, times_s, (await self._encoder.ready()).preprocess)
        frames = tuple(frames[at] for at in unknown([frame.time_s for frame in frames], known))
        if not frames:
            return None
        vectors = np.concatenate(
            [await self._encoded(frames[at : at + _AT_ONCE]) for at in range(0, len(frames), _AT_ONCE)]
        )
        index = FrameIndex(np.array([frame.time_s for frame in frames]), vectors)
        return await self._searcher.compared(query, video, index)

    async def frame(self, video_id: str, time_s: float) -> FrameIndex | None:
        """Return the embedding of the frame at a time, for who waits for it; None where the file is gone.

        Raises AppError.
        """
        path = await self._media.path(video_id)
        if path is None:
            return None
        preprocess = (await self._encoder.ready()).preprocess
        frames = await self._reader.frames_at(path, [time_s], preprocess, at_once=True)
        if not frames:
            return None
        return FrameIndex(np.array([frames[0].time_s]), await self._encoder.images(frames[0].pixels[None]))

    async def scores(self, query: Query, video: Video, time_s: float) -> tuple[float, ...] | None:
        """Return the similarity of the frame at a time to each of several texts, likewise; raises AppError."""
        frame = await self.frame(video.id, time_s)
        return (await self._searcher.compared(query, video, frame)).among(0) if frame else None

    async def cut(self, video_id: str, after_s: float, until_s: float) -> float:
        """Return the time of the first frame behind a cut that lies after one time, and at another at the latest.

        That is where two frames differ most. Where the file is gone it is the latest time. Raises AppError.
        """
        path = await self._media.path(video_id)
        if path is None or until_s - after_s <= _FRAME_S:
            return until_s
        times_s = np.linspace(after_s, until_s, 1 + min(_MOST_FRAMES, math.ceil((until_s - after_s) / _FRAME_S)))
        await self._priority.idle()
        frames = await self._reader.frames_at(path, times_s.tolist(), (await self._encoder.ready()).preprocess)
        if len(frames) < 2:
            return until_s
        cells = await asyncio.to_thread(lambda: [coarse(one.pixels) for one in frames])
        changes = [np.abs(one - next_).mean() for one, next_ in pairwise(cells)]
        return float(frames[1 + int(np.argmax(changes))].time_s)

    async def _encoded(self, frames: Sequence[SampledFrame]) -> Floats:
        await self._priority.idle()
        return await self._encoder.frames(np.stack([frame.pixels for frame in frames]))


def coarse(pixels: Pixels) -> Floats:
    """Return the mean colours of a frame's (S, S, 3) uint8 pixels in a grid of at most 16 x 16 cells, as float32."""
    cells = min(_CELLS, len(pixels))
    step = len(pixels) // cells
    trimmed = pixels[: cells * step, : cells * step].astype(np.float32)
    means: Floats = trimmed.reshape(cells, step, cells, step, 3).mean(axis=(1, 3))
    return means


class Examples:
    """Looks at pictures."""

    def __init__(
        self,
        media: Media,
        reader: PictureReader,
        encoder: Encoder,
        searcher: Searcher,
        extra_frames: ExtraFrames,
        limit_bytes: int,
    ) -> None:
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._searcher = searcher
        self._extra_frames = extra_frames
        self._limit_bytes = limit_bytes

    async def of(self, file: PictureFile) -> Example:
        """Return what the model sees in a picture; raises NotAPicture, OverLimit, DecoderDied, OperatorError."""
        data = await file.read(self._limit_bytes)
        if len(data) > self._limit_bytes:
            raise OverLimit(file.name, "size_bytes", self._limit_bytes, len(data))
        recipe = await self._searcher.recipe()
        try:
            return Example.of(await self._seen(data), recipe.key)
        except (NotAPicture, OverLimit, DecoderDied) as error:
            raise replace(error, name=file.name) from error

    async def at(self, view: View, moment: Stretch, time_s: float) -> Example:
        """Return the very frame of a video in view at a time; where the file is gone, the sampled one nearest to it.

        Raises AnswerGone, OperatorError.
        """
        index = await self._searcher.index(view, moment.video_id)
        if index is None:
            raise AnswerGone
        nearest = nearest_within(index.times_s, moment, time_s)
        vectors = index.vectors[nearest : nearest + 1]
        if abs(float(index.times_s[nearest]) - time_s) > SAME_FRAME_S:
            with suppress(UserError, TryLater):
                frame = await self._extra_frames.frame(moment.video_id, time_s)
                vectors = frame.vectors if frame else vectors
        return Example.of(unit(vectors[0]), (await self._searcher.recipe()).key, moment)

    async def _seen(self, data: bytes) -> Floats:
        info = await self._encoder.ready()
        async with self._media.workshop() as folder:
            path: Path = folder / "picture"
            await asyncio.to_thread(path.write_bytes, data)
            pixels = await self._reader.picture(path, info.preprocess)
        vectors = await self._encoder.images(pixels[None])
        vector: Floats = vectors[0]
        return vector


def unknown(times_s: Iterable[float], known: Collection[float]) -> list[int]:
    """Return which of some times are none of those that are known."""
    seen = np.array(sorted(known))
    return [at for at, time_s in enumerate(times_s) if not len(seen) or np.abs(seen - time_s).min() > SAME_FRAME_S]
