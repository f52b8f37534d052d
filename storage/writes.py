"""The SQL that changes what is kept. Each function runs inside a transaction that somebody else holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.errors.asking import UnknownVideo
from core.errors.turns import MessageGone
from storage import recall, rows, sealing, vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite

    from core.model import Film, FrameIndex, Posting, Recipe, Thumbnail, Video, View


_DELETED = """
    SELECT 1 FROM errands WHERE platform = :platform AND space = :space AND channel = :channel
    AND message = :message AND message <> '' AND state = 'deleted'
"""

# The whole answer: its buttons count its moments, and must not come to mean others.
_DROP_ANSWERS = """
    DELETE FROM answers
    WHERE (
        video_id = :id
        OR EXISTS (SELECT 1 FROM json_each(moments) WHERE json_extract(value, '$.video_id') = :id)
        OR EXISTS (SELECT 1 FROM json_tree(earlier) WHERE key = 'video_id' AND atom = :id)
        OR json_extract(beside, '$.picture.source.video_id') = :id
    )
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE video_id = :id AND platform = view_platform AND space = view_space
        AND channel IN (SELECT value FROM json_each(view_channels))
    )
"""

# A posting by a link has the link's names, so a link whose names no posting of its space has is one that nobody posted
# there any more.
_DROP_NAMES = """
    DELETE FROM links WHERE video_id = :id AND NOT EXISTS (
        SELECT 1 FROM postings
        WHERE postings.video_id = :id AND postings.platform = links.platform AND postings.space = links.space
        AND (postings.title, postings.url, postings.uploader) = (links.title, links.url, links.uploader)
    )
"""

# What is remembered of requests that are done.
_DROP_JOBS = """
    DELETE FROM jobs WHERE video_id = :id AND ended_s IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = jobs.video_id AND postings.platform = jobs.platform
        AND postings.space = jobs.space AND postings.channel = jobs.channel
    )
"""

# Where a posting goes a trigger does this; what was shown of a film that was under way never had one.
_TAKE_BACK = """
    INSERT OR IGNORE INTO stale_showings
    SELECT platform, space, channel, message, files FROM showings WHERE video_id = :id
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = showings.video_id
        AND postings.platform = showings.platform AND postings.space = showings.space
    )
    AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE jobs.video_id = showings.video_id AND jobs.platform = showings.platform
        AND jobs.space = showings.space AND state IN ('queued', 'running')
    )
"""

_RENAME = """
    UPDATE videos SET (title, url, uploader) = (left_over.title, left_over.url, left_over.uploader)
    FROM (SELECT * FROM postings WHERE video_id = :id ORDER BY id DESC LIMIT 1) AS left_over
    WHERE videos.id = :id AND (videos.title, videos.url, videos.uploader)
    <> (left_over.title, left_over.url, left_over.uploader)
"""


async def put_film(db: aiosqlite.Connection, film: Film) -> None:
    """Insert or refresh a film, its looks with this recipe and its pictures; looks with other recipes stay."""
    await _put_video(db, film.video)
    await _put_looks(db, film.video.id, film.recipe, film.index)
    await _put_thumbnails(db, film.video.id, film.thumbnails)


async def put_links(db: aiosqlite.Connection, posting: Posting, links: Sequence[str], site_id: str) -> None:
    """Note that the links led to a posting's film in its space, under its names, wherever they led there before.

    `site_id`: see `core.leads`.
    """
    await db.executemany(
        """
        INSERT INTO links (link, platform, space, site_id, video_id, title, url, uploader)
        VALUES (:link, :platform, :space, :site_id, :video_id, :title, :url, :uploader)
        ON CONFLICT DO UPDATE SET site_id = excluded.site_id, video_id = excluded.video_id, title = excluded.title,
            url = excluded.url, uploader = excluded.uploader
        """,
        [{**rows.of_posting(posting), "link": link, "site_id": site_id} for link in links],
    )


async def put_posting(db: aiosqlite.Connection, posting: Posting) -> None:
    """Insert a posting, unless the same message, or the same user without a message, posted the film there before.

    Raises UnknownVideo when the film is not kept (any more), MessageGone when the message was deleted meanwhile.
    """
    if await db.execute_fetchall(_DELETED, rows.of_posting(posting)):
        raise MessageGone
    await must_be_kept(db, posting.video_id)
    await db.execute(
        """
        INSERT INTO postings
        (video_id, platform, space, channel, user_id, user_name, message, posted_at, message_url, title, url, uploader)
        VALUES (:video_id, :platform, :space, :channel, :user_id, :user_name, :message, :posted_at, :message_url,
                :title, :url, :uploader)
        ON CONFLICT DO NOTHING
        """,
        rows.of_posting(posting),
    )


async def must_be_kept(db: aiosqlite.Connection, video_id: str) -> None:
    """Raise UnknownVideo unless the film is kept."""
    if not await db.execute_fetchall("SELECT 1 FROM videos WHERE id = ?", (video_id,)):
        raise UnknownVideo(video_id)


async def drop_postings(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> bool:
    """Delete a film's postings in view, or one person's of them, and what they leave behind; see `drop_unposted`.

    Open requests of theirs for it end in the same transaction, so that none keeps it and no later run fetches it again.
    """
    values = {"video_id": video_id, "user_id": user_id, **rows.of_view(view)}
    await recall.call_back(db, video_id, view, user_id)
    await db.execute(
        """
        DELETE FROM postings
        WHERE video_id = :video_id AND platform = :platform AND space = :space
        AND channel IN (SELECT value FROM json_each(:channels)) AND (:user_id IS NULL OR user_id = :user_id)
        """,
        values,
    )
    await sealing.seal(db, video_id, view)
    return await drop_unposted(db, video_id)


async def drop_unposted(db: aiosqlite.Connection, video_id: str) -> bool:
    """Delete answers that showed a film where no posting of it is left in their view, and names it had there alone.

    What was asked for there goes too. Where no posting is left at all, delete the film with all that hangs on it;
    tell whether.
    """
    await db.execute(_DROP_JOBS, {"id": video_id})
    return await drop_unseen(db, video_id)


async def drop_unseen(db: aiosqlite.Connection, video_id: str) -> bool:
    """Do as `drop_unposted` does, but keep how requests for the film ended."""
    for sql in (_DROP_ANSWERS, _DROP_NAMES, _TAKE_BACK, _RENAME):
        await db.execute(sql, {"id": video_id})
    cursor = await db.execute(
        "DELETE FROM videos WHERE id = :id AND NOT EXISTS (SELECT 1 FROM postings WHERE video_id = :id)",
        {"id": video_id},
    )
    return cursor.rowcount > 0


async def _put_video(db: aiosqlite.Connection, video: Video) -> None:
    # Not REPLACE: that deletes the old row, and with it the postings.
    await db.execute(
        """
        INSERT INTO videos (id, url, title, duration_s, width_px, height_px, truncated, uploader)
        VALUES (:id, :url, :title, :duration_s, :width_px, :height_px, :truncated, :uploader)
        ON CONFLICT (id) DO UPDATE SET
            url = excluded.url, title = excluded.title, duration_s = excluded.duration_s,
            width_px = excluded.width_px, height_px = excluded.height_px, truncated = excluded.truncated,
            uploader = excluded.uploader
        """,
        asdict(video),
    )


async def _put_looks(db: aiosqlite.Connection, video_id: str, recipe: Recipe, index: FrameIndex) -> None:
    await db.execute(
        "INSERT INTO recipes (key, description) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (recipe.key, json.dumps(asdict(recipe), sort_keys=True)),
    )
    await db.execute("DELETE FROM indexings WHERE video_id = ? AND recipe_key = ?", (video_id, recipe.key))
    cursor = await db.execute("INSERT INTO indexings (video_id, recipe_key) VALUES (?, ?)", (video_id, recipe.key))
    indexing_id = cursor.lastrowid
    await db.executemany(
        "INSERT INTO chunks (indexing_id, number, times_s, vectors) VALUES (?, ?, ?, ?)",
        ((indexing_id, n, chunk.times_s, chunk.vectors) for n, chunk in enumerate(vectors.split(index))),
    )


async def _put_thumbnails(db: aiosqlite.Connection, video_id: str, thumbnails: Sequence[Thumbnail]) -> None:
    await db.execute("DELETE FROM thumbnails WHERE video_id = ?", (video_id,))
    await db.executemany(
        "INSERT INTO thumbnails (video_id, time_s, jpeg) VALUES (?, ?, ?)",
        ((video_id, float(thumbnail.time_s), thumbnail.jpeg) for thumbnail in thumbnails),
    )
