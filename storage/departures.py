"""SqliteDepartures: core.departures.Departures in the library's own file. Owns its SQL; knows no platform.

A purge takes every row that says it belongs there, in whatever table: one that is added later is purged too, as long
as it has the columns platform, space and channel.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from core.departures import Departure
from core.model import Scope
from storage import recall, writes

if TYPE_CHECKING:
    from sqlite3 import Row

    import aiosqlite

    from storage.connections import Connections

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
        """Give the channels of a platform that films are known from."""
        sql = "SELECT DISTINCT platform, space, channel FROM postings WHERE platform = :platform"
        return tuple(map(_scope, await self._db.rows(sql, {"platform": platform})))

    async def purge(self, scope: Scope) -> tuple[str, ...]:
        """Delete all that is kept of a space or channel; give the films that went with it."""
        async with self._db.forgetting() as db:
            return await _purge(db, asdict(scope))


async def _purge(db: aiosqlite.Connection, at: dict[str, str]) -> tuple[str, ...]:
    films = f"SELECT video_id FROM postings WHERE {_AT} UNION SELECT video_id FROM jobs WHERE {_AT}"  # noqa: S608
    touched = [video_id for (video_id,) in await db.execute_fetchall(films, at) if video_id]
    for (table,) in await db.execute_fetchall(PLACED_TABLES):
        await db.execute(f"DELETE FROM {table} WHERE {_AT}", at)  # noqa: S608 - a name of our own schema
    await db.execute(_DROP_NOTES, at)
    gone = [video_id for video_id in touched if await writes.drop_unposted(db, video_id)]
    return (*gone, *[one for one in touched if one not in gone and await _drop_work(db, one)])


async def _drop_work(db: aiosqlite.Connection, video_id: str) -> bool:
    """Drop what was seen of a film that was under way, where nobody waits for it; tell whether its file goes too."""
    dropped = await recall.drop_work(db, video_id)
    return dropped and not await db.execute_fetchall("SELECT 1 FROM videos WHERE id = :id", {"id": video_id})


def _scope(row: Row) -> Scope:
    return Scope(row["platform"], row["space"], row["channel"])
