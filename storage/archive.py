"""SqliteArchive: core.archive.Archive in the library's own file. Owns its SQL; knows no platform."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from core.archive import Holding, KeptLooks, Space
from core.model import View
from storage import rows, vectors
from storage.departures import PLACED_TABLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from sqlite3 import Row

    from core.model import PostedVideo, Posting
    from storage.connections import Connections

_HOLDINGS = """
    SELECT platform, space, count(DISTINCT channel) AS channels, count(DISTINCT video_id) AS films FROM postings
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
"""Postings stand beside their films; the others are Keaton's own notes of what is to be done."""


class SqliteArchive:
    """All that is kept of a space."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def holdings(self) -> tuple[Holding, ...]:
        """Give the spaces that films are known from."""
        found = await self._db.rows(_HOLDINGS, {})
        return tuple(Holding(Space(row["platform"], row["space"]), row["channels"], row["films"]) for row in found)

    async def view(self, space: Space) -> View:
        """Give all channels of a space that films are known from."""
        found = await self._db.rows(_CHANNELS, _of(space))
        return View(space.platform, space.name, frozenset(row["channel"] for row in found))

    async def postings(self, space: Space, posted: PostedVideo) -> tuple[Posting, ...]:
        """Give all postings of a film in a space, oldest first."""
        values = {**_of(space), "video_id": posted.video.id}
        return tuple(map(rows.posting, await self._db.rows(_POSTINGS, values)))

    async def looks(self, posted: PostedVideo) -> AsyncIterator[KeptLooks]:
        """Give all looks at a film, one recipe after the other."""
        for found in await self._db.rows(_LOOKS, {"video_id": posted.video.id}):
            chunks = await self._db.rows(_CHUNKS, {"id": found["id"]})
            index = await asyncio.to_thread(vectors.join, [vectors.Chunk(*chunk) for chunk in chunks])
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
