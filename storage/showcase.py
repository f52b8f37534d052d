"""SqliteShowcase: core.showcase.Showcase in the library's own file. Owns its SQL; knows no platform.

That a film is taken back makes messages stale by a trigger: in the same transaction, whoever takes it back and how.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.model import Scope
from core.showcase import Stale

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    from storage.connections import Connections

# What the message showed before stays on the platform too, until it is deleted there.
_SHOW = """
    INSERT INTO showings (platform, space, channel, message, video_id, files)
    VALUES (:platform, :space, :channel, :message, :video_id, :files)
    ON CONFLICT DO UPDATE SET files = (
        SELECT json_group_array(value) FROM
        (SELECT value FROM json_each(showings.files) UNION SELECT value FROM json_each(excluded.files))
    )
"""

_GONE = """
    INSERT OR IGNORE INTO stale_showings
    SELECT :platform, :space, :channel, :message, :files FROM json_each(:films)
    WHERE value NOT IN (
        SELECT video_id FROM showings
        WHERE platform = :platform AND space = :space AND channel = :channel AND message = :message
    )
"""

# Forgotten between the moment that it was shown and the moment that this was noted.
_LATE = """
    INSERT OR IGNORE INTO stale_showings
    SELECT platform, space, channel, message, files FROM showings
    WHERE platform = :platform AND space = :space AND channel = :channel AND message = :message
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = showings.video_id
        AND postings.platform = showings.platform AND postings.space = showings.space
    )
    AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE jobs.video_id = showings.video_id AND jobs.platform = showings.platform
        AND jobs.space = showings.space AND state IN ('queued', 'running')
    )
"""

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
"""  # noqa: S608 - our own words

_SHOWN_ELSEWHERE = """
    SELECT value FROM json_each(:files) WHERE EXISTS (
        SELECT 1 FROM showings WHERE platform = :platform AND space = :space
        AND (channel, message) <> (:channel, :message) AND instr(files, json_quote(value)) > 0
    )
"""


class SqliteShowcase:
    """Where films are being shown, and what is to be taken back."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def show(
        self, scope: Scope, message: str, films: Sequence[str], files: Sequence[str] = (), *, is_noted: bool = False
    ) -> None:
        """Note that a message that all in a channel can see shows films, and by which of the platform's files.

        What was noted before and is not any more was forgotten meanwhile: then the message is to be taken back.
        """
        values = {**asdict(scope), "message": message, "files": json.dumps(list(files))}
        async with self._db.writing() as db:
            if is_noted:
                await db.execute(_GONE, {**values, "films": json.dumps(list(films))})
            await db.executemany(_SHOW, ({**values, "video_id": one} for one in films))
            await db.execute(_LATE, values)

    async def stale(self, platform: str, space: str = "") -> tuple[Stale, ...]:
        """Give the messages that are to be taken back, of one space where it is named."""
        found = await self._db.rows(_STALE, {"platform": platform, "space": space})
        return tuple([await self._stale(row) for row in found])

    async def settle(self, stale: Stale) -> None:
        """Note that a message is gone or does not show it any more, or cannot be changed for good."""
        values = {**asdict(stale.scope), "message": stale.message}
        where = "platform = :platform AND space = :space AND channel = :channel AND message = :message"
        async with self._db.writing() as db:
            for table in ("stale_cards", "stale_showings", "showings"):
                await db.execute(f"DELETE FROM {table} WHERE {where}", values)  # noqa: S608 - our own names

    async def _stale(self, row: Row) -> Stale:
        values = {name: row[name] for name in ("platform", "space", "channel", "message", "files")}
        shared = {one["value"] for one in await self._db.rows(_SHOWN_ELSEWHERE, values)}
        files = tuple(one for one in json.loads(row["files"]) if one not in shared)
        scope = Scope(row["platform"], row["space"], row["channel"])
        return Stale(scope, row["message"], files, goes=bool(row["goes"]))
