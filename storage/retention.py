"""`SqliteArchive` (all that is kept of a space) and `SqliteDepartures` (places that Keaton was removed from).

A purge takes every row with its platform, space and channel, from whatever table.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.model.video import Scope, View
from core.ports.retention import Departure, Holding, KeptEmbeddings, Space
from storage import embeddings, forgetting, videos
from storage.database import HERE, Tables
from storage.videos import ALL_POSTINGS, posting_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from sqlite3 import Row

    import aiosqlite

    from core.model.video import PostedVideo, Posting

_HOLDINGS = """
    SELECT platform, space, count(DISTINCT channel) AS channels, count(DISTINCT video_id) AS videos FROM postings
    GROUP BY platform, space ORDER BY platform, space
"""

_CHANNELS = "SELECT DISTINCT channel FROM postings WHERE platform = :platform AND space = :space"

_NOT_TO_EXPORT = frozenset({"postings", "jobs", "departures"})
"""Postings stand beside their videos; the others are Keaton's own notes of what is to be done."""

_PLACED_TABLES = """
    SELECT name FROM sqlite_master WHERE type = 'table' AND 3 = (
        SELECT count(*) FROM pragma_table_info(sqlite_master.name) AS one
        WHERE one.name IN ('platform', 'space', 'channel')
    )
"""

_AT = "platform = :platform AND space = :space AND (:channel = '' OR channel = :channel)"

_VIDEOS_AT = f"""
    SELECT video_id FROM postings WHERE {_AT} UNION SELECT video_id FROM jobs WHERE {_AT} AND video_id <> ''
"""  # noqa: S608 - our own words, as in all SQL here

# The doors name notes "PLATFORM:KIND:SPACE", with ":CHANNEL" and more behind it.
_DROP_NOTES = """
    DELETE FROM notes WHERE substr(name, 1, length(:platform) + 1) = :platform || ':'
    AND instr(name || ':', ':' || :space || ':' || iif(:channel = '', '', :channel || ':')) > 0
"""


class SqliteArchive(Tables):
    """All that is kept of a space."""

    async def holdings(self) -> tuple[Holding, ...]:
        """Return the spaces that videos are known from."""
        found = await self._db.rows(_HOLDINGS, {})
        return tuple(Holding(Space(row["platform"], row["space"]), row["channels"], row["videos"]) for row in found)

    async def view(self, space: Space) -> View:
        """Return all channels of a space that videos are known from."""
        found = await self._db.rows(_CHANNELS, _of(space))
        return View(space.platform, space.name, frozenset(row["channel"] for row in found))

    async def postings(self, space: Space, posted: PostedVideo) -> tuple[Posting, ...]:
        """Return all postings of a video in a space, oldest first."""
        found = await self._db.rows(ALL_POSTINGS, {**_of(space), "video_id": posted.video.id})
        return tuple(map(posting_of, found))

    async def embeddings(self, posted: PostedVideo) -> AsyncIterator[KeptEmbeddings]:
        """Yield all embeddings of a video, one recipe after the other."""
        async for recipe, index in embeddings.of_each_recipe(self._db, posted.video.id):
            yield KeptEmbeddings(recipe, index)

    async def notes(self, space: Space) -> AsyncIterator[tuple[str, dict[str, object]]]:
        """Yield what else says that it belongs to a space (answers, switches, ...), each with the name of its kind."""
        for (table,) in await self._db.rows(_PLACED_TABLES, {}):
            if table not in _NOT_TO_EXPORT:
                sql = f"SELECT * FROM {table} WHERE platform = :platform AND space = :space"  # noqa: S608
                for row in await self._db.rows(sql, _of(space)):
                    yield table, _plain(row)


class SqliteDepartures(Tables):
    """Places that Keaton was removed from."""

    async def leave(self, scope: Scope) -> None:
        """Note that Keaton is out of there; an earlier note of it stays as it is."""
        sql = "INSERT INTO departures VALUES (:platform, :space, :channel, 0) ON CONFLICT DO NOTHING"
        async with self._db.writing() as db:
            await db.execute(sql, asdict(scope))

    async def come_back(self, scope: Scope) -> None:
        """Note that Keaton is there again."""
        if await self._db.rows(f"SELECT 1 FROM departures WHERE {HERE}", asdict(scope)):  # noqa: S608
            async with self._db.writing() as db:
                await db.execute(f"DELETE FROM departures WHERE {HERE}", asdict(scope))  # noqa: S608

    async def wait(self, elapsed_s: float) -> tuple[Departure, ...]:
        """Note that so much more time has passed, and return all departures."""
        if not await self._db.rows("SELECT 1 FROM departures LIMIT 1", {}):
            return ()
        async with self._db.writing() as db:
            await db.execute("UPDATE departures SET waited_s = waited_s + ?", (elapsed_s,))
        found = await self._db.rows("SELECT * FROM departures", {})
        return tuple(Departure(_scope(row), row["waited_s"]) for row in found)

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Return the channels of a platform that videos are known from."""
        sql = "SELECT DISTINCT platform, space, channel FROM postings WHERE platform = :platform"
        return tuple(map(_scope, await self._db.rows(sql, {"platform": platform})))

    async def purge(self, scope: Scope) -> tuple[str, ...]:
        """Delete all that is kept of a space or channel; return the videos that went with it."""
        async with self._db.forgetting() as db:
            return await _purge(db, asdict(scope))


async def _purge(db: aiosqlite.Connection, at: dict[str, str]) -> tuple[str, ...]:
    touched = [video_id for (video_id,) in await db.execute_fetchall(_VIDEOS_AT, at)]
    for (table,) in await db.execute_fetchall(_PLACED_TABLES):
        await db.execute(f"DELETE FROM {table} WHERE {_AT}", at)  # noqa: S608
    await db.execute(_DROP_NOTES, at)
    gone = [video_id for video_id in touched if await forgetting.drop_unposted(db, video_id)]
    return (*gone, *[one for one in touched if one not in gone and await _drop_checkpoint(db, one)])


async def _drop_checkpoint(db: aiosqlite.Connection, video_id: str) -> bool:
    """Drop the checkpoint of a video under way that no request waits for; tell whether its file goes too."""
    return await forgetting.drop_checkpoint(db, video_id) and not await videos.is_needed(db, video_id)


def _scope(row: Row) -> Scope:
    return Scope(row["platform"], row["space"], row["channel"])


def _of(space: Space) -> dict[str, object]:
    return {"platform": space.platform, "space": space.name}


def _plain(row: Row) -> dict[str, object]:
    return {name: _value(row[name]) for name in row.keys() if name not in {"platform", "space"}}  # noqa: SIM118


def _value(value: object) -> object:
    """Return what a column holds, as JSON can say it; what is JSON already as what it means."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
