"""SqliteWorks: core.works.Works in the library's own file. Owns its SQL; knows no platform and no engine."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from core.model import Thumbnail, Video
from core.works import Partial, SoFar, Work
from storage import vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    from core.model import FrameIndex
    from core.ports import FilmOpened
    from storage.connections import Connections

_BEGIN = """
    INSERT INTO works (video_id, link, url, title, uploader, several, recipe_key)
    VALUES (:video_id, :link, :url, :title, :uploader, :several, :recipe_key)
    ON CONFLICT DO UPDATE SET link = excluded.link, url = excluded.url, title = excluded.title,
        uploader = excluded.uploader, several = excluded.several
"""

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

# A film that is kept with this recipe is found there. No ORDER BY: SQLite's sorter would carry every BLOB about.
PARTIALS = """
    SELECT works.*, work_chunks.first_s, work_chunks.times_s, work_chunks.vectors
    FROM works JOIN work_chunks USING (video_id)
    WHERE recipe_key = :recipe_key AND (:video_id IS NULL OR works.video_id = :video_id)
    AND EXISTS (
        SELECT 1 FROM jobs WHERE jobs.video_id = works.video_id AND state IN ('queued', 'running')
        AND platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    )
    AND NOT EXISTS (
        SELECT 1 FROM indexings WHERE indexings.video_id = works.video_id AND indexings.recipe_key = works.recipe_key
    )
"""


class SqliteWorks:
    """What was seen of films that are not done."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def begin(self, job_id: int, work: Work, recipe_key: str) -> None:
        """Write down that a job is about this film; looks with another recipe go."""
        values = {**asdict(work), "recipe_key": recipe_key, "job_id": job_id}
        async with self._db.writing() as db:
            await db.execute("DELETE FROM works WHERE video_id = :video_id AND recipe_key <> :recipe_key", values)
            await db.execute(_BEGIN, values)
            await db.execute("UPDATE jobs SET video_id = :video_id WHERE id = :job_id", values)

    async def at(self, link: str) -> Work | None:
        """Give the film that a canonical link or a file's key leads to."""
        return await self._one("link = :key AND link <> ''", link)

    async def of(self, video_id: str) -> Work | None:
        """Give a film by its id."""
        return await self._one("video_id = :key", video_id)

    async def opened(self, video_id: str, opened: FilmOpened) -> None:
        """Note what its file says of itself."""
        sql = """
            UPDATE works SET duration_s = :duration_s, width_px = :width_px, height_px = :height_px,
                expected_looks = :expected_looks WHERE video_id = :video_id
        """
        async with self._db.writing() as db:
            await db.execute(sql, {"video_id": video_id, **asdict(opened)})

    async def add(self, video_id: str, part: FrameIndex, thumbnails: Sequence[Thumbnail]) -> None:
        """Write down at least one look; those that do not come after all that are known are left out."""
        times = {"first_s": float(part.times_s[0]), "last_s": float(part.times_s[-1])}
        blobs = [asdict(chunk) for chunk in vectors.split(part, len(part))]
        async with self._db.writing() as db:
            added = await db.execute(_ADD, {"video_id": video_id, **times, **blobs[0]})
            if added.rowcount > 0:
                sql = "INSERT OR IGNORE INTO work_thumbnails (video_id, time_s, jpeg) VALUES (?, ?, ?)"
                await db.executemany(sql, ((video_id, float(one.time_s), one.jpeg) for one in thumbnails))
                await db.execute("UPDATE jobs SET starts = 0 WHERE video_id = ?", (video_id,))

    async def so_far(self, video_id: str, recipe_key: str) -> SoFar | None:
        """Give what was seen with this recipe, where that is anything."""
        chunks = await self._db.rows(_CHUNKS, {"video_id": video_id, "recipe_key": recipe_key})
        if not chunks:
            return None
        sql = "SELECT time_s, jpeg FROM work_thumbnails WHERE video_id = :video_id ORDER BY time_s"
        pictures = await self._db.rows(sql, {"video_id": video_id})
        index = vectors.join([vectors.Chunk(row["times_s"], row["vectors"]) for row in chunks])
        return SoFar(index, tuple(Thumbnail(*row) for row in pictures))

    async def _one(self, where: str, key: str) -> Work | None:
        found = await self._db.rows(f"SELECT * FROM works WHERE {where}", {"key": key})  # noqa: S608
        return next(map(_work, found), None)


def partials(found: list[Row]) -> tuple[Partial, ...]:
    """Give the films of rows of PARTIALS; blocks."""
    found.sort(key=lambda row: (row["video_id"], row["first_s"]))
    return tuple(_partial(list(film)) for _, film in groupby(found, key=lambda row: row["video_id"]))


def _partial(film: list[Row]) -> Partial:
    work = _work(film[0])
    index = vectors.join([vectors.Chunk(row["times_s"], row["vectors"]) for row in film])
    size = film[0]["width_px"], film[0]["height_px"]
    video = Video(work.video_id, work.url, work.title, work.length_s, *size, uploader=work.uploader)
    return Partial(video, index, min(1.0, len(index) / max(1, film[0]["expected_looks"])))


def _work(row: Row) -> Work:
    several = bool(row["several"])
    return Work(
        row["video_id"], row["link"], row["url"], row["title"], row["uploader"], several, length_s=row["duration_s"]
    )
