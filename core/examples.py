"""From somebody's picture, or a frame, to something to ask about: all that is kept of it is what the model saw."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.aims import unit
from core.errors import TryLater, UserError
from core.errors.asking import AnswerGone
from core.errors.films import DecoderDied, NotAPicture, OverLimit
from core.found import SAME_FRAME_S, nearest_within
from core.question import Example

if TYPE_CHECKING:
    from pathlib import Path

    from core.film_ports import PictureReader
    from core.glancing import Glances
    from core.model import Floats, View
    from core.ports import Encoder, Media
    from core.question import Stretch
    from core.search import Searcher
    from core.talk import PictureFile


class Examples:
    """Looks at pictures."""

    def __init__(
        self,
        media: Media,
        reader: PictureReader,
        encoder: Encoder,
        searcher: Searcher,
        glances: Glances,
        limit_bytes: int,
    ) -> None:
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._searcher = searcher
        self._glances = glances
        self._limit_bytes = limit_bytes

    async def of(self, file: PictureFile) -> Example:
        """Give what the model sees in a picture; raises NotAPicture, OverLimit, DecoderDied, OperatorError."""
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
                frame = await self._glances.frame(moment.video_id, time_s)
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
