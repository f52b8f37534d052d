"""From somebody's picture to something to ask about. Owns that nothing of it is kept but what the model saw."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors.films import NotAPicture, OverLimit
from core.question import Example

if TYPE_CHECKING:
    from pathlib import Path

    from core.film_ports import PictureReader
    from core.model import Floats
    from core.ports import Encoder, Media
    from core.search import Searcher
    from core.talk import PictureFile


class Examples:
    """Looks at pictures."""

    def __init__(
        self, media: Media, reader: PictureReader, encoder: Encoder, searcher: Searcher, limit_bytes: int
    ) -> None:
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._searcher = searcher
        self._limit_bytes = limit_bytes

    async def of(self, file: PictureFile) -> Example:
        """Give what the model sees in a picture; raises NotAPicture, OverLimit, DecoderDied, OperatorError."""
        data = await file.read(self._limit_bytes)
        if len(data) > self._limit_bytes:
            raise OverLimit(file.name, "size_bytes", self._limit_bytes, len(data))
        recipe = await self._searcher.recipe()
        try:
            return Example.of(await self._seen(data), recipe.key)
        except NotAPicture as error:
            raise NotAPicture(file.name) from error
        except OverLimit as error:
            raise replace(error, name=file.name) from error

    async def _seen(self, data: bytes) -> Floats:
        info = await self._encoder.ready()
        async with self._media.workshop() as folder:
            path: Path = folder / "picture"
            await asyncio.to_thread(path.write_bytes, data)
            pixels = await self._reader.picture(path, info.preprocess)
        vectors = await self._encoder.images(pixels[None])
        vector: Floats = vectors[0]
        return vector
