"""`SqliteCheckpoints`: the embeddings so far of videos under way."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from core.errors import FilmForgotten, StorageDamaged
from core.model.video import Thumbnail, Video
from core.ports.jobs import Partial, SoFar, Work
from core.site_ids import Lead, choose
from storage import embeddings, forgetting, videos
from storage.database import IN_VIEW, Tables, of_view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    from core.model.video import FrameIndex, Scope, View
    from core.ports.video import VideoOpened

log = logging.getLogger(__name__)

_BEGIN = "INSERT INTO works (video_id, recipe_key) VALUES (:video_id, :recipe_key) ON CONFLICT DO NOTHING"

_ADD = """
    INSERT INTO work_chunks (video_id, first_s, last_s, times_s, vectors)
    SELECT video_id, :first_s, :last_s, :times_s, :vectors FROM works
    WHERE video_id = :video_id AND NOT EXISTS
    (SELECT 1 FROM work_chunks WHERE video_id = :video_id AND last_s >= :first_s)
"""

_CHUNKS = """
    SELECT times_s, vectors FROM work_chunks JOIN works USING (video_id)
    WHERE video_id = :video_id AND recipe_key = :recipe_key ORDER BY first_s
"""

_ABOUT = """
    UPDATE jobs SET video_id = :video_id, title = :title, url = :url, uploader = :uploader, link = :link,
        site_id = :site_id, several = :several, starts = starts + 1
    WHERE id = :job_id
"""

# The names are those of the job that fetched it; of all spaces: `core.site_ids` decides which of them counts.
_LEADS = """
    SELECT jobs.link, jobs.platform, jobs.space, jobs.site_id, jobs.several, works.duration_s, works.width_px,
        works.height_px, works.video_id, jobs.title, jobs.url, jobs.uploader
    FROM jobs JOIN works ON works.video_id = jobs.video_id
    WHERE jobs.link = :link AND jobs.link <> '' AND jobs.state IN ('queued', 'running')
"""

# A video that is kept with this recipe is found there. Its names are those of the newest job in view.
_UNDER_WAY = f"""
    FROM (
        SELECT video_id, title, url, uploader, max(id) FROM jobs
        WHERE state IN ('queued', 'running') AND video_id <> ''
        AND {IN_VIEW}
        AND (:video_id IS NULL OR video_id = :video_id)
        GROUP BY video_id
    ) AS asked
    JOIN works ON works.video_id = asked.video_id AND works.recipe_key = :recipe_key
    AND NOT EXISTS (
        SELECT 1 FROM indexings WHERE indexings.video_id = works.video_id AND indexings.recipe_key = works.recipe_key
    )
"""  # noqa: S608 - our own words, as in all SQL here

_NAMED = "asked.*, works.duration_s, works.width_px, works.height_px, works.expected_looks"

# No ORDER BY: SQLite's sorter would carry every BLOB about.
_PARTIALS = f"""
    SELECT {_NAMED}, work_chunks.first_s, work_chunks.times_s, work_chunks.vectors
    {_UNDER_WAY} JOIN work_chunks ON work_chunks.video_id = works.video_id
"""

_SHARES = f"""
    SELECT {_NAMED}, (SELECT sum(length(times_s)) / 8 FROM work_chunks WHERE video_id = works.video_id) AS frames
    {_UNDER_WAY} ORDER BY asked.title
"""  # noqa: S608


class SqliteCheckpoints(Tables):
    """Checkpoints of videos under way, for those that index them."""

    async def start(self, job_id: int) -> None:
        """Note that a job's turn has come."""
        sql = "UPDATE jobs SET state = 'running', not_before_s = 0 WHERE id = ? AND state = 'queued'"
        async with self._db.writing() as db:
            await db.execute(sql, (job_id,))

    async def begin(self, job_id: int, work: Work, recipe_key: str) -> int:
        """Write down that a job is about this video; embeddings with another recipe go.

        Return how often that was so since a frame was last written down for it. Raises FilmForgotten, JobCancelled or
        MessageGone where the job is not open (any more).
        """
        values = {**asdict(work), "recipe_key": recipe_key, "job_id": job_id}
        async with self._db.writing() as db:
            await forgetting.must_be_wanted(db, job_id, work.video_id)
            await db.execute("DELETE FROM works WHERE video_id = :video_id AND recipe_key <> :recipe_key", values)
            await db.execute(_BEGIN, values)
            await db.execute(_ABOUT, values)
            ((starts,),) = await db.execute_fetchall("SELECT starts FROM jobs WHERE id = ?", (job_id,))
        return int(starts)

    async def at(self, link: str, scope: Scope) -> Work | None:
        """Return the video that a canonical link or a file's key leads to for who posts it there; see `site_ids`."""
        found = await self._db.rows(_LEADS, {"link": link})
        led = choose(
            (Lead(row["link"], row["platform"], row["space"], row["site_id"], _video(row)) for row in found),
            link,
            scope,
        )
        if led is None:
            return None
        several = any(row["several"] for row in found if row["video_id"] == led.video.id)
        names = led.video.url, led.video.title, led.video.uploader
        return Work(led.video.id, link, *names, several, led.video.duration_s, led.site_id)

    async def of(self, video_id: str) -> Work | None:
        """Return a video by its id, with no names."""
        found = await self._db.rows("SELECT duration_s FROM works WHERE video_id = :id", {"id": video_id})
        return next((Work(video_id, "", "", "", "", several=False, length_s=row[0]) for row in found), None)

    async def opened(self, video_id: str, opened: VideoOpened) -> None:
        """Note what its file says of itself."""
        sql = """
            UPDATE works SET duration_s = :duration_s, width_px = :width_px, height_px = :height_px,
                expected_looks = :expected_frames WHERE video_id = :video_id
        """
        async with self._db.writing() as db:
            await db.execute(sql, {"video_id": video_id, **asdict(opened)})

    async def add(self, video_id: str, part: FrameIndex, thumbnails: Sequence[Thumbnail]) -> None:
        """Write down at least one frame; those that do not come after all that are known are left out.

        Raises FilmForgotten where nothing is kept of the video any more.
        """
        times = {"first_s": float(part.times_s[0]), "last_s": float(part.times_s[-1])}
        blobs = [asdict(chunk) for chunk in embeddings.split(part, len(part))]
        async with self._db.writing() as db:
            if not await videos.is_needed(db, video_id):
                raise FilmForgotten
            added = await db.execute(_ADD, {"video_id": video_id, **times, **blobs[0]})
            if added.rowcount > 0:
                sql = "INSERT OR IGNORE INTO work_thumbnails (video_id, time_s, jpeg) VALUES (?, ?, ?)"
                await db.executemany(sql, ((video_id, float(one.time_s), one.jpeg) for one in thumbnails))
                await db.execute("UPDATE jobs SET starts = 0 WHERE video_id = ?", (video_id,))

    async def so_far(self, video_id: str, recipe_key: str) -> SoFar | None:
        """Return the embeddings so far with this recipe, where there are any."""
        chunks = await self._db.rows(_CHUNKS, {"video_id": video_id, "recipe_key": recipe_key})
        if not chunks:
            return None
        sql = "SELECT time_s, jpeg FROM work_thumbnails WHERE video_id = :video_id ORDER BY time_s"
        pictures = await self._db.rows(sql, {"video_id": video_id})
        index = embeddings.join([embeddings.Chunk(row["times_s"], row["vectors"]) for row in chunks])
        return SoFar(index, tuple(Thumbnail(*row) for row in pictures))


class PartialTables(Tables):
    """Checkpoints of videos under way, for those that search."""

    async def partials(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[Partial, ...]:
        """Return the videos that open jobs of this view are about, as far as they were indexed with this recipe."""
        values = {**of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return await asyncio.to_thread(_partials, await self._db.rows(_PARTIALS, values))

    async def shares(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[tuple[Video, float], ...]:
        """Return those videos without embeddings, each with the share (0 to 1) that was indexed."""
        found = await self._db.rows(_SHARES, {**of_view(view), "recipe_key": recipe_key, "video_id": video_id})
        return tuple((_video(row), _share(row, row["frames"] or 0)) for row in found)


def _partials(found: list[Row]) -> tuple[Partial, ...]:
    """Return the videos of rows of _PARTIALS but for damaged ones."""
    found.sort(key=lambda row: (row["video_id"], row["first_s"]))
    whole = []
    for video_id, video in groupby(found, key=lambda row: row["video_id"]):
        try:
            whole.append(_partial(list(video)))
        except StorageDamaged:
            log.error("the checkpoint of %s is damaged", video_id)  # noqa: TRY400 - the trace tells no more
    return tuple(whole)


def _partial(video: list[Row]) -> Partial:
    index = embeddings.join([embeddings.Chunk(row["times_s"], row["vectors"]) for row in video])
    return Partial(_video(video[0]), index, _share(video[0], len(index)))


def _video(row: Row) -> Video:
    size = row["width_px"], row["height_px"]
    return Video(row["video_id"], row["url"], row["title"], row["duration_s"], *size, uploader=row["uploader"])


def _share(row: Row, frames: int) -> float:
    return min(1.0, frames / row["expected_looks"]) if row["expected_looks"] else 0.0
