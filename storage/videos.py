"""Videos, who posted them where, and the links that led to them. Functions run inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.errors import UnknownVideo
from core.model.video import PostedVideo, Posting, Scope, Thumbnail, Video
from core.site_ids import Lead, choose
from storage.database import IN_VIEW, Tables, of_view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    import aiosqlite

    from core.model.query import Posted
    from core.model.video import View
    from core.site_ids import Led

# What a posting calls its video, beside the names that came with the video's first posting.
_NAMES_HERE = "title AS here_title, url AS here_url, uploader AS here_uploader"

# Newest is what came in last: `posted_at` is only shown, for a clock may jump back.
# :stale_for is NULL, or the recipe that the videos must lack.
_POSTED = f"""
    SELECT videos.*, newest.* FROM (
        SELECT video_id, platform, space, channel, user_id, user_name, message, posted_at, message_url, {_NAMES_HERE},
            id AS posting_id, row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings WHERE {IN_VIEW}
    ) AS newest
    JOIN videos ON videos.id = newest.video_id
    WHERE nth = 1 AND (
        :stale_for IS NULL
        OR EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id)
        AND NOT EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id AND recipe_key = :stale_for)
    )
    ORDER BY posting_id DESC
"""  # noqa: S608 - our own words, as in all SQL here

_COUNT = f"SELECT count(DISTINCT video_id) FROM postings WHERE {IN_VIEW}"  # noqa: S608

# `folded` is casefold (see `Connections`): SQLite's LIKE and lower() know ASCII alone. :typed is folded already.
_MATCHING = f"""
    SELECT videos.*, newest.* FROM (
        SELECT video_id, {_NAMES_HERE}, id AS posting_id, folded(title) AS title_folded,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings WHERE {IN_VIEW}
    ) AS newest
    JOIN videos ON videos.id = newest.video_id
    WHERE nth = 1 AND NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE NOT instr(title_folded, value))
    ORDER BY CASE
        WHEN title_folded = :typed THEN 0
        WHEN instr(title_folded, :typed) = 1 THEN 1
        WHEN instr(title_folded, ' ' || :typed) THEN 2
        ELSE 3
    END, posting_id DESC
    LIMIT :most
"""  # noqa: S608

_NEWEST_POSTING = f"""
    SELECT *, {_NAMES_HERE} FROM postings
    WHERE video_id = :video_id AND {IN_VIEW} AND (:user_id IS NULL OR user_id = :user_id)
    ORDER BY id DESC LIMIT 1
"""  # noqa: S608

ALL_POSTINGS = f"""
    SELECT *, {_NAMES_HERE} FROM postings
    WHERE platform = :platform AND space = :space AND video_id = :video_id ORDER BY id
"""  # noqa: S608

_POSTED_SO = f"""
    SELECT DISTINCT video_id FROM postings WHERE {IN_VIEW}
    AND (NOT json_array_length(:by) OR user_id IN (SELECT value FROM json_each(:by)))
    AND (:after IS NULL OR posted_at >= :after) AND (:before IS NULL OR posted_at < :before)
"""  # noqa: S608

_POSTERS = f"SELECT DISTINCT user_id, user_name FROM postings WHERE {IN_VIEW}"  # noqa: S608

# Of all spaces: which of them counts is decided by `core.site_ids` alone.
_LEADS = """
    SELECT videos.*, links.title AS here_title, links.url AS here_url, links.uploader AS here_uploader,
        link, platform, space, site_id
    FROM links JOIN videos ON videos.id = links.video_id WHERE link = :link
"""

# What leads to a video's file.
NEEDED = "SELECT video_id FROM works WHERE video_id = :id UNION SELECT id FROM videos WHERE id = :id"

_PUT_VIDEO = """
    INSERT INTO videos (id, url, title, duration_s, width_px, height_px, truncated, uploader)
    VALUES (:id, :url, :title, :duration_s, :width_px, :height_px, :truncated, :uploader)
    ON CONFLICT (id) DO UPDATE SET
        url = excluded.url, title = excluded.title, duration_s = excluded.duration_s, width_px = excluded.width_px,
        height_px = excluded.height_px, truncated = excluded.truncated, uploader = excluded.uploader
"""

_PUT_LINK = """
    INSERT INTO links (link, platform, space, site_id, video_id, title, url, uploader)
    VALUES (:link, :platform, :space, :site_id, :video_id, :title, :url, :uploader)
    ON CONFLICT DO UPDATE SET site_id = excluded.site_id, video_id = excluded.video_id, title = excluded.title,
        url = excluded.url, uploader = excluded.uploader
"""

_PUT_POSTING = """
    INSERT INTO postings
    (video_id, platform, space, channel, user_id, user_name, message, posted_at, message_url, title, url, uploader)
    VALUES (:video_id, :platform, :space, :channel, :user_id, :user_name, :message, :posted_at, :message_url, :title,
        :url, :uploader)
    ON CONFLICT DO NOTHING
"""

_DROP_POSTINGS = f"""
    DELETE FROM postings WHERE video_id = :video_id AND {IN_VIEW} AND (:user_id IS NULL OR user_id = :user_id)
"""  # noqa: S608

# A posting by a link has the link's names, so a link whose names no posting of its space has is not posted there any
# more.
_DROP_LINKS = """
    DELETE FROM links WHERE video_id = :id AND NOT EXISTS (
        SELECT 1 FROM postings
        WHERE postings.video_id = :id AND postings.platform = links.platform AND postings.space = links.space
        AND (postings.title, postings.url, postings.uploader) = (links.title, links.url, links.uploader)
    )
"""

_RENAME = """
    UPDATE videos SET (title, url, uploader) = (left_over.title, left_over.url, left_over.uploader)
    FROM (SELECT * FROM postings WHERE video_id = :id ORDER BY id DESC LIMIT 1) AS left_over
    WHERE videos.id = :id AND (videos.title, videos.url, videos.uploader)
    <> (left_over.title, left_over.url, left_over.uploader)
"""

_DROP_VIDEO = "DELETE FROM videos WHERE id = :id AND NOT EXISTS (SELECT 1 FROM postings WHERE video_id = :id)"


class VideoTables(Tables):
    """Reads videos and their postings."""

    async def video_at(self, link: str, scope: Scope) -> Led | None:
        """Return the video that a canonical link or a file's key leads to for its poster; see `core.site_ids`."""
        return choose(map(_lead, await self._db.rows(_LEADS, {"link": link})), link, scope)

    async def video(self, video_id: str) -> Video | None:
        """Return a video by its id, visible or not, without title, address and uploader: those belong to postings."""
        sql = "SELECT * FROM videos WHERE id = :video_id"
        return next(map(video_of, await self._db.rows(sql, {"video_id": video_id})), None)

    async def videos(self, view: View) -> tuple[PostedVideo, ...]:
        """Return the videos in view, each with its newest posting there and as that one names it, newest first."""
        return tuple(map(_posted_video, await self._db.rows(_POSTED, {**of_view(view), "stale_for": None})))

    async def stale(self, view: View, recipe_key: str) -> tuple[PostedVideo, ...]:
        """Return the videos in view that have embeddings, but none with this recipe; newest first."""
        return tuple(map(_posted_video, await self._db.rows(_POSTED, {**of_view(view), "stale_for": recipe_key})))

    async def count(self, view: View) -> int:
        """Return how many videos are in view."""
        ((number,),) = await self._db.rows(_COUNT, of_view(view))
        return int(number)

    async def matching(self, view: View, typed: str, most: int) -> tuple[Video, ...]:
        """Return the videos in view whose titles there hold each word that was typed; see the port."""
        folded = " ".join(typed.casefold().split())
        values = {**of_view(view), "typed": folded, "words": json.dumps(folded.split()), "most": most}
        return tuple(map(named_video, await self._db.rows(_MATCHING, values)))

    async def posting(self, video_id: str, view: View, user_id: str | None = None) -> Posting | None:
        """Return a video's newest posting in view, of one person where that is named."""
        values = {**of_view(view), "video_id": video_id, "user_id": user_id}
        return next(map(posting_of, await self._db.rows(_NEWEST_POSTING, values)), None)

    async def posted(self, view: View, how: Posted) -> frozenset[str]:
        """Return the ids of the videos that were posted so within the view."""
        by = {"by": json.dumps(sorted(how.by)), "after": stamp(how.after), "before": stamp(how.before)}
        return frozenset(row[0] for row in await self._db.rows(_POSTED_SO, {**of_view(view), **by}))

    async def posters(self, view: View) -> tuple[tuple[str, str], ...]:
        """Return id and name of all who posted a video in view; who changed names comes with each."""
        return tuple((row[0], row[1]) for row in await self._db.rows(_POSTERS, of_view(view)))

    async def thumbnails(self, video_id: str) -> tuple[Thumbnail, ...]:
        """Return a video's thumbnails in the order of time."""
        sql = "SELECT time_s, jpeg FROM thumbnails WHERE video_id = :video_id ORDER BY time_s"
        return tuple(Thumbnail(*row) for row in await self._db.rows(sql, {"video_id": video_id}))


async def put_video(db: aiosqlite.Connection, video: Video, thumbnails: Sequence[Thumbnail]) -> None:
    """Insert or refresh a video with its thumbnails; its postings stay, which REPLACE would delete."""
    await db.execute(_PUT_VIDEO, asdict(video))
    await db.execute("DELETE FROM thumbnails WHERE video_id = ?", (video.id,))
    sql = "INSERT INTO thumbnails (video_id, time_s, jpeg) VALUES (?, ?, ?)"
    await db.executemany(sql, ((video.id, float(one.time_s), one.jpeg) for one in thumbnails))


async def put_links(db: aiosqlite.Connection, posting: Posting, links: Sequence[str], site_id: str) -> None:
    """Note that the links led to a posting's video in its space, under its names, wherever they led there before.

    `site_id`: see `core.site_ids`.
    """
    row = _of_posting(posting)
    await db.executemany(_PUT_LINK, ({**row, "link": link, "site_id": site_id} for link in links))


async def put_posting(db: aiosqlite.Connection, posting: Posting) -> None:
    """Insert a posting, unless the same message, or the same user without a message, posted the video there before.

    Raises UnknownVideo when the video is not kept (any more).
    """
    await must_be_kept(db, posting.video_id)
    await db.execute(_PUT_POSTING, _of_posting(posting))


async def must_be_kept(db: aiosqlite.Connection, video_id: str) -> None:
    """Raise UnknownVideo unless the video is kept."""
    if not await db.execute_fetchall("SELECT 1 FROM videos WHERE id = ?", (video_id,)):
        raise UnknownVideo(video_id)


async def is_needed(db: aiosqlite.Connection, video_id: str) -> bool:
    """Tell whether a video is kept or under way, so that its file is needed."""
    return bool(await db.execute_fetchall(NEEDED, {"id": video_id}))


async def drop_postings(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> None:
    """Delete a video's postings in view, or one person's of them."""
    await db.execute(_DROP_POSTINGS, {"video_id": video_id, "user_id": user_id, **of_view(view)})


async def drop_names(db: aiosqlite.Connection, video_id: str) -> bool:
    """Delete names of a video that no posting has any more, and the video where no posting is left; tell whether."""
    for sql in (_DROP_LINKS, _RENAME):
        await db.execute(sql, {"id": video_id})
    return (await db.execute(_DROP_VIDEO, {"id": video_id})).rowcount > 0


def stamp(at: datetime | None) -> str | None:
    """Return a time as `postings` has it, so that text order is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def video_of(row: Row) -> Video:
    """Return the video of a row with the columns of `videos`, without names: those there came with any posting."""
    size = row["width_px"], row["height_px"]
    return Video(row["id"], "", "", row["duration_s"], *size, truncated=bool(row["truncated"]))


def named_video(row: Row) -> Video:
    """Return the video of a row that has besides what it is called here."""
    return replace(video_of(row), title=row["here_title"], url=row["here_url"], uploader=row["here_uploader"])


def posting_of(row: Row) -> Posting:
    """Return the posting of a row with the columns of `postings`."""
    return Posting(
        video_id=row["video_id"],
        scope=Scope(row["platform"], row["space"], row["channel"]),
        user_id=row["user_id"],
        user_name=row["user_name"],
        message=row["message"],
        posted_at=datetime.fromisoformat(row["posted_at"]),
        message_url=row["message_url"],
        title=row["here_title"],
        url=row["here_url"],
        uploader=row["here_uploader"],
    )


def _of_posting(posting: Posting) -> dict[str, object]:
    names = ("video_id", "user_id", "user_name", "message", "message_url", "title", "url", "uploader")
    plain = {name: getattr(posting, name) for name in names}
    return {**plain, **asdict(posting.scope), "posted_at": stamp(posting.posted_at)}


def _lead(row: Row) -> Lead:
    return Lead(row["link"], row["platform"], row["space"], row["site_id"], named_video(row))


def _posted_video(row: Row) -> PostedVideo:
    return PostedVideo(named_video(row), posting_of(row))
