"""`SqliteLibrary`: videos, postings, embeddings, answers and votes in one SQLite file that processes can share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import continuity, forgetting, videos
from storage.answers import AnswerTables
from storage.checkpoints import PartialTables
from storage.database import Connections
from storage.embeddings import EmbeddingTables, put_index
from storage.videos import VideoTables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    import aiosqlite

    from core.model.requests import JobRef
    from core.model.video import IndexedVideo, Posting, View


class SqliteLibrary(VideoTables, EmbeddingTables, PartialTables, AnswerTables):
    """All that is kept, in one file. Any number of these, in any number of processes, may share it."""

    @property
    def connections(self) -> Connections:
        """Return the open file, for the other ports that live in it."""
        return self._db

    @classmethod
    async def open(cls, path: Path) -> SqliteLibrary:
        """Open the library at this path, making it where there is none yet.

        Raises StorageUnusable, SchemaTooNew.
        """
        return cls(await Connections.open(path))

    async def close(self) -> None:
        """Let go of the file."""
        await self._db.close()

    async def save(
        self, video: IndexedVideo, posting: Posting, links: Sequence[str], job: JobRef | None = None, site_id: str = ""
    ) -> None:
        """Keep a video, its posting, that these links led to it there, and that a job brought it: all, or nothing.

        `site_id`: see `core.site_ids`. Raises JobCancelled, FilmForgotten or MessageGone where the job is not open (any
        more).
        """
        async with self._db.writing() as db:
            await _put(db, video)
            await _post(db, posting, job, len(video.index))
            await videos.put_links(db, posting, links, site_id)
            await db.execute("DELETE FROM works WHERE video_id = ?", (video.video.id,))

    async def refresh(self, video: IndexedVideo) -> None:
        """Replace the embeddings and thumbnails of a video that is kept already: all of them, or nothing.

        Raises UnknownVideo when it was forgotten meanwhile.
        """
        async with self._db.writing() as db:
            await videos.must_be_kept(db, video.video.id)
            await _put(db, video)

    async def post(
        self, posting: Posting, job: JobRef | None = None, looks: int = 0, links: Sequence[str] = (), site_id: str = ""
    ) -> None:
        """Make a video that is already kept visible in one more channel. The same posting twice counts once.

        A job brought it with so many frames, and these links led to it. Raises UnknownVideo when it is not kept (any
        more); JobCancelled, FilmForgotten or MessageGone where the job is not open (any more).
        """
        async with self._db.writing() as db:
            await _post(db, posting, job, looks)
            await videos.put_links(db, posting, links, site_id)

    async def forget(self, video_id: str, view: View, user_id: str | None = None, job: JobRef | None = None) -> bool:
        """Take back the video's postings in view, of one person where that is named, and answers that showed it.

        Tell whether no posting is left anywhere, so that the video itself went. For a job this is done once.
        """
        async with self._db.forgetting() as db:
            if job is not None and not await forgetting.is_first(db, job):
                return False
            return await forgetting.drop_postings(db, video_id, view, user_id)

    async def unless_needed(self, video_id: str, forget: Callable[[str], Awaitable[None]]) -> None:
        """Delete a video's file unless it is needed by now; nothing can be written down until it is deleted."""
        async with self._db.writing() as db:
            if not await videos.is_needed(db, video_id):
                await forget(video_id)

    async def has_loss(self) -> bool:
        """Tell whether videos may be missing that were kept, so that files which none leads to must not be deleted."""
        return bool(await self._db.rows(continuity.UNSETTLED, {}))

    async def settle_losses(self) -> None:
        """Note that such files were set aside."""
        async with self._db.writing() as db:
            await continuity.settle(db)

    async def put_losses_away(self) -> None:
        """Note that the operator was told what is missing."""
        async with self._db.writing() as db:
            await continuity.put_away(db)


async def _put(db: aiosqlite.Connection, video: IndexedVideo) -> None:
    await videos.put_video(db, video.video, video.thumbnails)
    await put_index(db, video.video.id, video.recipe, video.index)


async def _post(db: aiosqlite.Connection, posting: Posting, job: JobRef | None, frames: int) -> None:
    await forgetting.must_stand(db, posting)
    await videos.put_posting(db, posting)
    await forgetting.bring(db, job, posting.video_id, frames)
