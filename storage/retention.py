"""`SqliteArchive` (export), `SqliteDepartures` (places left) and `SqliteShownMessages` (messages to take back).

A purge takes every row with its platform, space and channel, from whatever table. A trigger marks messages as stale in
the transaction that forgets a video, whoever does it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.model.video import Scope, View
from core.ports.retention import Departure, Holding, KeptLooks, Space, Stale
from storage import embeddings, forgetting, rows
from storage import forgetting as writes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from sqlite3 import Row

    import aiosqlite

    from core.model.video import PostedVideo, Posting
    from storage.database import Connections

_HOLDINGS = """
    SELECT platform, space, count(DISTINCT channel) AS channels, count(DISTINCT video_id) AS videos FROM postings
    GROUP BY platform, space ORDER BY platform, space
"""


_POSTINGS = """
    SELECT *, title AS here_title, url AS here_url, uploader AS here_uploader FROM postings
    WHERE platform = :platform AND space = :space AND video_id = :video_id ORDER BY id
"""


_LOOKS = """
    SELECT indexings.id, description FROM indexings JOIN recipes ON recipes.key = recipe_key
    WHERE video_id = :video_id AND EXISTS (SELECT 1 FROM chunks WHERE indexing_id = indexings.id) ORDER BY indexings.id
"""


_CHUNKS = "SELECT times_s, vectors FROM chunks WHERE indexing_id = :id ORDER BY number"


_CHANNELS = "SELECT DISTINCT channel FROM postings WHERE platform = :platform AND space = :space"


_NOT_OURS_TO_GIVE = frozenset({"postings", "errands", "jobs", "departures"})
"""Postings stand beside their videos; the others are Keaton's own notes of what is to be done."""


class SqliteArchive:
    """All that is kept of a space."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def holdings(self) -> tuple[Holding, ...]:
        """Give the spaces that videos are known from."""
        found = await self._db.rows(_HOLDINGS, {})
        return tuple(Holding(Space(row["platform"], row["space"]), row["channels"], row["videos"]) for row in found)

    async def view(self, space: Space) -> View:
        """Give all channels of a space that videos are known from."""
        found = await self._db.rows(_CHANNELS, _of(space))
        return View(space.platform, space.name, frozenset(row["channel"] for row in found))

    async def postings(self, space: Space, posted: PostedVideo) -> tuple[Posting, ...]:
        """Give all postings of a video in a space, oldest first."""
        values = {**_of(space), "video_id": posted.video.id}
        return tuple(map(rows.posting, await self._db.rows(_POSTINGS, values)))

    async def looks(self, posted: PostedVideo) -> AsyncIterator[KeptLooks]:
        """Give all looks at a video, one recipe after the other."""
        for found in await self._db.rows(_LOOKS, {"video_id": posted.video.id}):
            chunks = await self._db.rows(_CHUNKS, {"id": found["id"]})
            index = await asyncio.to_thread(embeddings.join, [embeddings.Chunk(*chunk) for chunk in chunks])
            yield KeptLooks(json.loads(found["description"]), index)

    async def notes(self, space: Space) -> AsyncIterator[tuple[str, dict[str, object]]]:
        """Give what else says that it belongs to a space (answers, switches, ...), each with the name of its kind."""
        for (table,) in await self._db.rows(PLACED_TABLES, {}):
            if table not in _NOT_OURS_TO_GIVE:
                sql = f"SELECT * FROM {table} WHERE platform = :platform AND space = :space"  # noqa: S608 - our own name
                for row in await self._db.rows(sql, _of(space)):
                    yield table, _plain(row)


def _of(space: Space) -> dict[str, object]:
    return {"platform": space.platform, "space": space.name}


def _plain(row: Row) -> dict[str, object]:
    return {name: _value(row[name]) for name in row.keys() if name not in {"platform", "space"}}  # noqa: SIM118


def _value(value: object) -> object:
    """Give what a column holds, as JSON can say it; what is JSON already as what it means."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


_AT = "platform = :platform AND space = :space AND (:channel = '' OR channel = :channel)"


PLACED_TABLES = """
    SELECT name FROM sqlite_master WHERE type = 'table' AND 3 = (
        SELECT count(*) FROM pragma_table_info(sqlite_master.name) AS one
        WHERE one.name IN ('platform', 'space', 'channel')
    )
"""


# The doors name notes "PLATFORM:KIND:SPACE", with ":CHANNEL" and more behind it.
_DROP_NOTES = """
    DELETE FROM notes WHERE substr(name, 1, length(:platform) + 1) = :platform || ':'
    AND instr(name || ':', ':' || :space || ':' || iif(:channel = '', '', :channel || ':')) > 0
"""


class SqliteDepartures:
    """Places that Keaton was removed from."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def leave(self, scope: Scope) -> None:
        """Note that Keaton is out of there; an earlier note of it stays as it is."""
        sql = "INSERT INTO departures VALUES (:platform, :space, :channel, 0) ON CONFLICT DO NOTHING"
        async with self._db.writing() as db:
            await db.execute(sql, asdict(scope))

    async def come_back(self, scope: Scope) -> None:
        """Note that Keaton is there again."""
        where = "platform = :platform AND space = :space AND channel = :channel"
        if await self._db.rows(f"SELECT 1 FROM departures WHERE {where}", asdict(scope)):  # noqa: S608
            async with self._db.writing() as db:
                await db.execute(f"DELETE FROM departures WHERE {where}", asdict(scope))  # noqa: S608

    async def wait(self, elapsed_s: float) -> tuple[Departure, ...]:
        """Note that so much more time has passed, and give all departures."""
        if not await self._db.rows("SELECT 1 FROM departures LIMIT 1", {}):
            return ()
        async with self._db.writing() as db:
            await db.execute("UPDATE departures SET waited_s = waited_s + ?", (elapsed_s,))
        found = await self._db.rows("SELECT * FROM departures", {})
        return tuple(Departure(_scope(row), row["waited_s"]) for row in found)

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Give the channels of a platform that videos are known from."""
        sql = "SELECT DISTINCT platform, space, channel FROM postings WHERE platform = :platform"
        return tuple(map(_scope, await self._db.rows(sql, {"platform": platform})))

    async def purge(self, scope: Scope) -> tuple[str, ...]:
        """Delete all that is kept of a space or channel; give the videos that went with it."""
        async with self._db.forgetting() as db:
            return await _purge(db, asdict(scope))


async def _purge(db: aiosqlite.Connection, at: dict[str, str]) -> tuple[str, ...]:
    videos = f"SELECT video_id FROM postings WHERE {_AT} UNION SELECT video_id FROM jobs WHERE {_AT}"  # noqa: S608
    touched = [video_id for (video_id,) in await db.execute_fetchall(videos, at) if video_id]
    for (table,) in await db.execute_fetchall(PLACED_TABLES):
        await db.execute(f"DELETE FROM {table} WHERE {_AT}", at)  # noqa: S608 - a name of our own schema
    await db.execute(_DROP_NOTES, at)
    gone = [video_id for video_id in touched if await writes.drop_unposted(db, video_id)]
    return (*gone, *[one for one in touched if one not in gone and await _drop_work(db, one)])


async def _drop_work(db: aiosqlite.Connection, video_id: str) -> bool:
    """Drop what was seen of a video that was under way, where nobody waits for it; tell whether its file goes too."""
    dropped = await forgetting.drop_work(db, video_id)
    return dropped and not await db.execute_fetchall("SELECT 1 FROM videos WHERE id = :id", {"id": video_id})


def _scope(row: Row) -> Scope:
    return Scope(row["platform"], row["space"], row["channel"])


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
    SELECT :platform, :space, :channel, :message, :files FROM json_each(:videos)
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


class SqliteShownMessages:
    """Where videos are being shown, and what is to be taken back."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

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
