"""SqliteLooks: core.looks.LooksStore over the library's file. Owns its SQL; knows no platform and no engine."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from core.looks import Catalogue, Kept, Piece, Place
from storage import rows, vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Row

    from storage.connections import Connections

_FILMS = """
    SELECT videos.*, recipe_key, indexings.id AS indexing, stamp,
        (SELECT count(*) FROM chunks WHERE indexing_id = indexings.id) AS chunks
    FROM indexings JOIN videos ON videos.id = indexings.video_id
    ORDER BY indexings.id DESC
"""

_POSTED = """
    SELECT platform, space, channel, video_id, min(posted_at) AS first FROM postings
    GROUP BY platform, space, channel, video_id
"""

_PIECES = """
    SELECT times_s, vectors FROM indexings JOIN chunks ON indexing_id = indexings.id
    WHERE indexings.id = :indexing AND stamp = :stamp AND number >= :first
    ORDER BY number LIMIT :most
"""
_AT_ONCE = 32
"""Chunks a statement: others wait for the connection meanwhile."""


class SqliteLooks:
    """Reads looks chunk by chunk."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    async def generation(self) -> int:
        """Give a number that grows with each change of films, their looks or their postings, whoever makes it."""
        ((number,),) = await self._db.rows("SELECT number FROM generation", {})
        return int(number)

    async def catalogue(self) -> Catalogue:
        """Give all that there is, the newest films first, as it is at the generation that is told or later."""
        generation = await self.generation()
        films = await self._db.rows(_FILMS, {})
        posted = await self._db.rows(_POSTED, {})
        return await asyncio.to_thread(_catalogue, generation, films, posted)

    async def pieces(self, film: Kept, first: int) -> Sequence[Piece]:
        """Give the pieces of a film from that number on; none where its looks are gone or others by now."""
        found: list[Piece] = []
        values = {"indexing": film.indexing, "stamp": film.stamp, "most": _AT_ONCE}
        while chunks := await self._db.rows(_PIECES, {**values, "first": first + len(found)}):
            found += [vectors.piece(vectors.Chunk(*chunk)) for chunk in chunks]
            if len(chunks) < _AT_ONCE:
                break
        return found

    async def changed(self) -> None:
        """Wait until this process has changed something since the last call."""
        await self._db.changed()


def _catalogue(generation: int, films: list[Row], posted: list[Row]) -> Catalogue:
    places: defaultdict[Place, dict[str, str]] = defaultdict(dict)
    for row in posted:
        places[Place(row["platform"], row["space"], row["channel"])][row["video_id"]] = row["first"]
    return Catalogue(generation, tuple(map(_kept, films)), dict(places))


def _kept(row: Row) -> Kept:
    return Kept(rows.video(row), row["recipe_key"], row["indexing"], row["stamp"], row["chunks"])
