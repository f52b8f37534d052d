"""`SqliteLooks`: embeddings as BLOBs in chunks, float16.

float16 takes half of the bytes and moves a cosine by less than 1e-3.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import StorageDamaged
from core.model.video import FrameIndex
from core.ports.index import HeldIndexing, IndexCatalogue, Piece, RowPlace
from storage import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from sqlite3 import Row

    from storage.database import Connections

_VIDEOS = """
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
        """Give a number that grows with each change of videos, their looks or their postings, whoever makes it."""
        ((number,),) = await self._db.rows("SELECT number FROM generation", {})
        return int(number)

    async def catalogue(self) -> IndexCatalogue:
        """Give all that there is, the newest videos first, as it is at the generation that is told or later."""
        generation = await self.generation()
        videos = await self._db.rows(_VIDEOS, {})
        posted = await self._db.rows(_POSTED, {})
        return await asyncio.to_thread(_catalogue, generation, videos, posted)

    async def pieces(self, video: HeldIndexing, first: int) -> Sequence[Piece]:
        """Give the pieces of a video from that number on; none where its looks are gone or others by now."""
        found: list[Piece] = []
        values = {"indexing": video.indexing, "stamp": video.stamp, "most": _AT_ONCE}
        while chunks := await self._db.rows(_PIECES, {**values, "first": first + len(found)}):
            found += [piece(Chunk(*chunk)) for chunk in chunks]
            if len(chunks) < _AT_ONCE:
                break
        return found

    async def changed(self) -> None:
        """Wait until this process has changed something since the last call."""
        await self._db.changed()


def _catalogue(generation: int, videos: list[Row], posted: list[Row]) -> IndexCatalogue:
    places: defaultdict[RowPlace, dict[str, str]] = defaultdict(dict)
    for row in posted:
        places[RowPlace(row["platform"], row["space"], row["channel"])][row["video_id"]] = row["first"]
    return IndexCatalogue(generation, tuple(map(_kept, videos)), dict(places))


def _kept(row: Row) -> HeldIndexing:
    return HeldIndexing(rows.video(row), row["recipe_key"], row["indexing"], row["stamp"], row["chunks"])


CHUNK_LOOKS = 512


_TIMES = np.dtype("<f8")


_VECTORS = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to CHUNK_LOOKS looks in a row."""

    times_s: bytes
    """(n,) little-endian float64."""
    vectors: bytes
    """(n, D) little-endian float16, C order."""


def split(index: FrameIndex, looks: int = CHUNK_LOOKS) -> Iterator[Chunk]:
    """Give an index as chunks of that many looks in the order of time."""
    for start in range(0, len(index), looks):
        part = slice(start, start + looks)
        yield Chunk(index.times_s[part].astype(_TIMES).tobytes(), index.vectors[part].astype(_VECTORS).tobytes())


def join(chunks: Sequence[Chunk]) -> FrameIndex:
    """Give back the index of at least one chunk; vectors as float32. Raises StorageDamaged."""
    pieces = [piece(chunk) for chunk in chunks]
    try:
        times_s = np.concatenate([one.times_s for one in pieces], dtype=np.float64)
        with np.errstate(all="ignore"):  # noise may be anything
            return FrameIndex(times_s, np.concatenate([one.vectors for one in pieces], dtype=np.float32))
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error


def piece(chunk: Chunk) -> Piece:
    """Give a chunk's looks as they are stored. Raises StorageDamaged where they cannot be looks."""
    try:
        times_s = np.frombuffer(chunk.times_s, _TIMES)
        vectors = np.frombuffer(chunk.vectors, _VECTORS).reshape(len(times_s), -1)
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error
    return Piece(times_s, vectors)
