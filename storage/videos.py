"""The SQL of videos, postings, links and embeddings. Functions that write run inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.errors import MessageGone, UnknownVideo
from storage import embeddings, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite

    from core.model.video import FrameIndex, IndexedVideo, Posting, Recipe, Thumbnail, Video

# Newest is what came in last: `posted_at` is only shown, for a clock may jump back.
# :stale_for is NULL, or the recipe that the videos must lack.
POSTED = """
    SELECT videos.*, newest.* FROM (
        SELECT video_id, platform, space, channel, user_id, user_name, message, posted_at, message_url,
            title AS here_title, url AS here_url, uploader AS here_uploader, id AS posting_id,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    ) AS newest
    JOIN videos ON videos.id = newest.video_id
    WHERE nth = 1 AND (
        :stale_for IS NULL
        OR EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id)
        AND NOT EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id AND recipe_key = :stale_for)
    )
    ORDER BY posting_id DESC
"""


COUNT = """
    SELECT count(DISTINCT video_id) FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
"""


# `folded` is casefold (see `Connections`): SQLite's LIKE and lower() know ASCII alone. :typed is folded already.
MATCHING = """
    SELECT videos.*, newest.* FROM (
        SELECT video_id, title AS here_title, url AS here_url, uploader AS here_uploader, id AS posting_id,
            folded(title) AS title_folded, row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
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
"""


NEWEST_POSTING = """
    SELECT *, title AS here_title, url AS here_url, uploader AS here_uploader FROM postings
    WHERE video_id = :video_id AND platform = :platform AND space = :space
    AND channel IN (SELECT value FROM json_each(:channels)) AND (:user_id IS NULL OR user_id = :user_id)
    ORDER BY id DESC LIMIT 1
"""


# No ORDER BY: SQLite's sorter would carry every BLOB about.
CHUNKS = """
    SELECT videos.*, here_title, here_url, here_uploader, first_posting_id, number, times_s, vectors FROM (
        SELECT video_id, min(id) OVER (PARTITION BY video_id) AS first_posting_id,
            title AS here_title, url AS here_url, uploader AS here_uploader,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
        AND (:video_id IS NULL OR video_id = :video_id)
    ) AS seen
    JOIN videos ON videos.id = seen.video_id AND seen.nth = 1
    JOIN indexings ON indexings.video_id = videos.id AND indexings.recipe_key = :recipe_key
    JOIN chunks ON chunks.indexing_id = indexings.id
"""


ANY_INDEX = """
    SELECT 1 FROM postings JOIN indexings USING (video_id)
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (:video_id IS NULL OR video_id = :video_id) AND recipe_key = :recipe_key
    LIMIT 1
"""


POSTED_SO = """
    SELECT DISTINCT video_id FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (NOT json_array_length(:by) OR user_id IN (SELECT value FROM json_each(:by)))
    AND (:after IS NULL OR posted_at >= :after) AND (:before IS NULL OR posted_at < :before)
"""


POSTERS = """
    SELECT DISTINCT user_id, user_name FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
"""


LAST_ANSWER = """
    SELECT * FROM answers
    WHERE platform = :platform AND space = :space AND channel = :channel AND asked_by = :user_id
    ORDER BY made_at DESC, rowid DESC LIMIT 1
"""


# Of all spaces: which of them counts is decided by `core.site_ids` alone.
LEADS = """
    SELECT videos.*, links.title AS here_title, links.url AS here_url, links.uploader AS here_uploader,
        link, platform, space, site_id
    FROM links JOIN videos ON videos.id = links.video_id WHERE link = :link
"""


LOOKS = """
    SELECT coalesce(sum(length(times_s)) / 8, 0) AS looks FROM indexings
    JOIN chunks ON chunks.indexing_id = indexings.id
    WHERE video_id = :video_id AND recipe_key = :recipe_key
"""


# What leads to a video's file.
NEEDED = "SELECT video_id FROM works WHERE video_id = :id UNION SELECT id FROM videos WHERE id = :id"


_DELETED = """
    SELECT 1 FROM errands WHERE platform = :platform AND space = :space AND channel = :channel
    AND message = :message AND message <> '' AND state = 'deleted'
"""


async def put_video(db: aiosqlite.Connection, video: IndexedVideo) -> None:
    """Insert or refresh a video, its looks with this recipe and its pictures; looks with other recipes stay."""
    await _put_video(db, video.video)
    await _put_looks(db, video.video.id, video.recipe, video.index)
    await _put_thumbnails(db, video.video.id, video.thumbnails)


async def put_links(db: aiosqlite.Connection, posting: Posting, links: Sequence[str], site_id: str) -> None:
    """Note that the links led to a posting's video in its space, under its names, wherever they led there before.

    `site_id`: see `core.site_ids`.
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
    """Insert a posting, unless the same message, or the same user without a message, posted the video there before.

    Raises UnknownVideo when the video is not kept (any more), MessageGone when the message was deleted meanwhile.
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
    """Raise UnknownVideo unless the video is kept."""
    if not await db.execute_fetchall("SELECT 1 FROM videos WHERE id = ?", (video_id,)):
        raise UnknownVideo(video_id)


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
        ((indexing_id, n, chunk.times_s, chunk.vectors) for n, chunk in enumerate(embeddings.split(index))),
    )


async def _put_thumbnails(db: aiosqlite.Connection, video_id: str, thumbnails: Sequence[Thumbnail]) -> None:
    await db.execute("DELETE FROM thumbnails WHERE video_id = ?", (video_id,))
    await db.executemany(
        "INSERT INTO thumbnails (video_id, time_s, jpeg) VALUES (?, ?, ?)",
        ((video_id, float(thumbnail.time_s), thumbnail.jpeg) for thumbnail in thumbnails),
    )
