"""`SqliteHistory`: what stands on the page, with its pictures, for as long as its videos are kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from core.ports.history import HistoryMessage
from storage.database import HERE, Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite

    from core.model.video import Scope

MOST_PICTURE_BYTES = 32_000_000
"""Pictures of older messages go first; the messages stay."""

_NEWEST = f"""
    SELECT id, author, at_ms, audience, body, coalesce(
        (SELECT group_concat(video_id, char(10)) FROM page_videos WHERE message = id), ''
    ) AS videos
    FROM page_messages WHERE {HERE} ORDER BY id DESC LIMIT :most
"""  # noqa: S608 - our own words

_KEEP = """
    INSERT OR REPLACE INTO page_messages (id, platform, space, channel, author, at_ms, audience, body)
    VALUES (:id, :platform, :space, :channel, :author, :at_ms, :audience, :body)
"""

# Forgotten between the moment that it was shown and the moment that this is written down.
_LATE = """
    DELETE FROM page_messages WHERE id = :id AND EXISTS (
        SELECT 1 FROM page_videos WHERE message = :id
        AND NOT EXISTS (
            SELECT 1 FROM postings WHERE postings.video_id = page_videos.video_id
            AND postings.platform = :platform AND postings.space = :space AND postings.channel = :channel
        )
        AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE jobs.video_id = page_videos.video_id AND jobs.platform = :platform
            AND jobs.space = :space AND state IN ('queued', 'running')
        )
    )
"""

_OLD = f"DELETE FROM page_messages WHERE {HERE} AND id < :oldest"  # noqa: S608

_TOO_MANY_PICTURES = """
    DELETE FROM page_pictures WHERE message IN (
        SELECT message FROM (
            SELECT message, sum(sum(length(data))) OVER (ORDER BY message DESC) AS so_far_bytes
            FROM page_pictures GROUP BY message
        ) WHERE so_far_bytes > :most_bytes
    )
"""

_PICTURE = """
    SELECT data FROM page_pictures WHERE message = :message AND key = :key ORDER BY theme <> :theme LIMIT 1
"""


class SqliteHistory(Tables):
    """The messages of the page."""

    async def newest(self, scope: Scope, most: int) -> tuple[HistoryMessage, ...]:
        """Return at most so many messages without their pictures, oldest first."""
        found = await self._db.rows(_NEWEST, {**asdict(scope), "most": most})
        return tuple(
            HistoryMessage(
                row["id"], row["author"], row["at_ms"], row["audience"], row["body"], tuple(row["videos"].splitlines())
            )
            for row in reversed(found)
        )

    async def keep(self, scope: Scope, messages: Sequence[HistoryMessage], oldest: int) -> None:
        """Keep messages in the place of those with the same ids; drop all with ids below `oldest`."""
        async with self._db.writing() as db:
            for message in messages:
                await _keep(db, scope, message)
            await db.execute(_OLD, {**asdict(scope), "oldest": oldest})
            await db.execute(_TOO_MANY_PICTURES, {"most_bytes": MOST_PICTURE_BYTES})

    async def picture(self, message: int, key: str, theme: str) -> bytes | None:
        """Return a picture of a message in a theme, or in the one it has; None where it is not kept."""
        found = await self._db.rows(_PICTURE, {"message": message, "key": key, "theme": theme})
        return bytes(found[0]["data"]) if found else None


async def _keep(db: aiosqlite.Connection, scope: Scope, message: HistoryMessage) -> None:
    values = {
        **asdict(scope),
        "id": message.id,
        "author": message.author,
        "at_ms": message.at_ms,
        "audience": message.audience,
        "body": message.body,
    }
    await db.execute(_KEEP, values)
    await db.executemany("INSERT INTO page_videos VALUES (?, ?)", [(message.id, one) for one in set(message.videos)])
    await db.executemany(
        "INSERT OR IGNORE INTO page_pictures VALUES (?, ?, ?, ?)",
        [(message.id, one.key, one.theme, one.data) for one in message.pictures],
    )
    await db.execute(_LATE, values)
