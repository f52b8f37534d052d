"""`SqliteShownMessages`: Keaton's messages that show videos, and those that are to be taken back.

A trigger marks messages as stale in the transaction that forgets a posting.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.model.requests import card_note
from core.model.video import Scope
from core.ports.retention import Stale
from storage.database import HERE, Tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    import aiosqlite

_THIS = f"{HERE} AND message = :message"

# What the message showed before stays on the platform too, until it is deleted there.
_SHOW = """
    INSERT INTO showings (platform, space, channel, message, video_id, files)
    VALUES (:platform, :space, :channel, :message, :video_id, :files)
    ON CONFLICT DO UPDATE SET files = (
        SELECT json_group_array(value) FROM
        (SELECT value FROM json_each(showings.files) UNION SELECT value FROM json_each(excluded.files))
    )
"""

_GONE = f"""
    INSERT OR IGNORE INTO stale_showings
    SELECT :platform, :space, :channel, :message, :files FROM json_each(:videos)
    WHERE value NOT IN (SELECT video_id FROM showings WHERE {_THIS})
"""  # noqa: S608 - our own words, as in all SQL here

_MARK_STALE = """
    INSERT OR IGNORE INTO stale_showings
    SELECT platform, space, channel, message, files FROM showings WHERE {which}
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = showings.video_id
        AND postings.platform = showings.platform AND postings.space = showings.space
    )
    AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE jobs.video_id = showings.video_id AND jobs.platform = showings.platform
        AND jobs.space = showings.space AND state IN ('queued', 'running')
    )
"""

# Forgotten between the moment that it was shown and the moment that this was noted.
_LATE = _MARK_STALE.format(which=_THIS)

# Where a posting goes a trigger does this; what was shown of a video that was under way never had one.
_TAKE_BACK = _MARK_STALE.format(which="video_id = :id")

_THERE = "platform = :platform AND (:space = '' OR space = :space)"

_SAME = "(platform, space, channel, message) = (card.platform, card.space, card.channel, card.message)"

# A card goes with all that it shows, whether that is forgotten or not.
_STALE = f"""
    SELECT platform, space, channel, message, files, 0 AS goes FROM stale_showings
    WHERE {_THERE} AND (platform, space, channel, message) NOT IN
    (SELECT platform, space, channel, message FROM stale_cards)
    UNION ALL
    SELECT platform, space, channel, message, (
        SELECT json_group_array(DISTINCT file.value) FROM (
            SELECT files FROM showings WHERE {_SAME} UNION ALL SELECT files FROM stale_showings WHERE {_SAME}
        ), json_each(files) AS file
    ), 1 FROM stale_cards AS card WHERE {_THERE}
"""  # noqa: S608

_SHOWN_ELSEWHERE = """
    SELECT value FROM json_each(:files) WHERE EXISTS (
        SELECT 1 FROM showings WHERE platform = :platform AND space = :space
        AND (channel, message) <> (:channel, :message) AND instr(files, json_quote(value)) > 0
    )
"""


class SqliteShownMessages(Tables):
    """Where videos are being shown, and what is to be taken back."""

    async def show(
        self, scope: Scope, message: str, videos: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        """Note that a message that all in a channel can see shows videos, and by which of the platform's files.

        What was noted before and is not any more was forgotten meanwhile: then the message is to be taken back.
        """
        values = {**asdict(scope), "message": message, "files": json.dumps(list(files))}
        async with self._db.writing() as db:
            if is_noted:
                await db.execute(_GONE, {**values, "videos": json.dumps(list(videos))})
            await db.executemany(_SHOW, ({**values, "video_id": one} for one in videos))
            await db.execute(_LATE, values)

    async def stale(self, platform: str, space: str = "") -> tuple[Stale, ...]:
        """Return the messages that are to be taken back, of one space where it is named."""
        found = await self._db.rows(_STALE, {"platform": platform, "space": space})
        return tuple([await self._stale(row) for row in found])

    async def settle(self, stale: Stale) -> None:
        """Note that a message is gone or does not show it any more, or cannot be changed for good."""
        async with self._db.writing() as db:
            for table in ("stale_cards", "stale_showings", "showings"):
                sql = f"DELETE FROM {table} WHERE {_THIS}"  # noqa: S608
                await db.execute(sql, {**asdict(stale.scope), "message": stale.message})

    async def _stale(self, row: Row) -> Stale:
        values = {name: row[name] for name in ("platform", "space", "channel", "message", "files")}
        shared = {one["value"] for one in await self._db.rows(_SHOWN_ELSEWHERE, values)}
        files = tuple(one for one in json.loads(row["files"]) if one not in shared)
        scope = Scope(row["platform"], row["space"], row["channel"])
        return Stale(scope, row["message"], files, goes=bool(row["goes"]))


async def take_back(db: aiosqlite.Connection, video_id: str) -> None:
    """Mark messages as stale that show a video which is neither posted nor under way in their space."""
    await db.execute(_TAKE_BACK, {"id": video_id})


async def take_cards_back(db: aiosqlite.Connection, scope: Scope, message: str, item: str | None = None) -> None:
    """Have Keaton's messages removed that answer a message, or one item of it."""
    which = "name >= :name AND name < :name || char(1114111)" if item is None else "name = :name"
    values = {**asdict(scope), "name": card_note(scope, message, item or "")}
    sql = f"INSERT OR IGNORE INTO stale_cards SELECT :platform, :space, :channel, text FROM notes WHERE {which}"  # noqa: S608
    await db.execute(sql, values)
    await db.execute(f"DELETE FROM notes WHERE {which}", values)  # noqa: S608
