"""Known films whose kept file had to make room: the file comes back when somebody posts the film again.

Owns when a file is taken back; must not know how it is fetched. What was seen of the film stays as it is.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core import leads
from core.errors import AppError
from core.gathering import content_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.film_ports import Fetched
    from core.intake import Indexed
    from core.ports import Library, Media

log = logging.getLogger(__name__)


class Restorer:
    """Brings files back into the store."""

    def __init__(self, library: Library, media: Media) -> None:
        self._library = library
        self._media = media

    async def lacks(self, video_id: str) -> bool:
        """Tell whether a film's file is gone; one that is there counts as used."""
        return await self._media.path(video_id) is None

    async def fetched(self, known: Indexed, link: str, download: Callable[[Path], Awaitable[Fetched]]) -> None:
        """Fetch a film's file again if it is gone, by `download` into a folder, and keep it if it is that film still.

        `link` is the canonical link, or the file's key, that it is fetched by.

        Where that fails the film stays as it is: it can be searched, and posted once more.
        """
        try:
            if not await self.lacks(known.video.id):
                return
            async with self._media.workshop() as folder:
                got = await download(folder)
                content = await asyncio.to_thread(content_id, got.path)
                if leads.is_same(known.video.id, content, link, got.video_id):
                    await self.put_back(got.path, known.video.id)
        except AppError as error:
            log.warning("the file of %s could not be fetched again: %s", known.video.id, type(error).__name__)

    async def put_back(self, path: Path, video_id: str) -> None:
        """Keep a file that lies in a workshop where the film's own is gone, unless the film was forgotten meanwhile.

        Raises StorageUnusable.
        """
        try:
            if await self.lacks(video_id):
                await self._media.keep(path, video_id)
        finally:
            await asyncio.shield(self._library.unless_needed(video_id, self._media.forget))
