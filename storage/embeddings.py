"""`SqliteEmbeddings`: the embeddings of videos, as BLOBs in chunks, float16.

float16 takes half of the bytes and moves a cosine by less than 1e-3.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from core.errors import StorageDamaged
from core.model.video import FrameIndex
from core.ports.index import HeldIndexing, IndexCatalogue, Piece, RowPlace
from storage.database import IN_VIEW, Tables, of_view
from storage.videos import named_video, video_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from sqlite3 import Row

    import aiosqlite

    from core.model.video import Recipe, Video, View
    from storage.database import Connections

    Json = dict[str, object]

_INDEXINGS = """
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

# No ORDER BY: SQLite's sorter would carry every BLOB about.
_CHUNKS_IN_VIEW = f"""
    SELECT videos.*, here_title, here_url, here_uploader, first_posting_id, number, times_s, vectors FROM (
        SELECT video_id, min(id) OVER (PARTITION BY video_id) AS first_posting_id,
            title AS here_title, url AS here_url, uploader AS here_uploader,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings WHERE {IN_VIEW} AND (:video_id IS NULL OR video_id = :video_id)
    ) AS seen
    JOIN videos ON videos.id = seen.video_id AND seen.nth = 1
    JOIN indexings ON indexings.video_id = videos.id AND indexings.recipe_key = :recipe_key
    JOIN chunks ON chunks.indexing_id = indexings.id
"""  # noqa: S608 - our own words, as in all SQL here

_ANY_IN_VIEW = f"""
    SELECT 1 FROM postings JOIN indexings USING (video_id)
    WHERE {IN_VIEW} AND (:video_id IS NULL OR video_id = :video_id) AND recipe_key = :recipe_key
    LIMIT 1
"""  # noqa: S608

_FRAMES = """
    SELECT coalesce(sum(length(times_s)) / 8, 0) FROM indexings JOIN chunks ON chunks.indexing_id = indexings.id
    WHERE video_id = :video_id AND recipe_key = :recipe_key
"""

_RECIPES = """
    SELECT indexings.id, description FROM indexings JOIN recipes ON recipes.key = recipe_key
    WHERE video_id = :video_id AND EXISTS (SELECT 1 FROM chunks WHERE indexing_id = indexings.id) ORDER BY indexings.id
"""

_CHUNKS = "SELECT times_s, vectors FROM chunks WHERE indexing_id = :id ORDER BY number"

_AT_ONCE = 32
"""Chunks a statement: others wait for the connection meanwhile."""
CHUNK_FRAMES = 512
_TIMES = np.dtype("<f8")
_VECTORS = np.dtype("<f2")


class SqliteEmbeddings(Tables):
    """Reads embeddings chunk by chunk, for the index in memory."""

    async def generation(self) -> int:
        """Return a number that grows with each change of videos, embeddings or postings, by any process."""
        ((number,),) = await self._db.rows("SELECT number FROM generation", {})
        return int(number)

    async def catalogue(self) -> IndexCatalogue:
        """Return all that there is, the newest videos first, as it is at the generation that is told or later."""
        generation = await self.generation()
        videos = await self._db.rows(_INDEXINGS, {})
        return await asyncio.to_thread(_catalogue, generation, videos, await self._db.rows(_POSTED, {}))

    async def pieces(self, video: HeldIndexing, first: int) -> Sequence[Piece]:
        """Return the pieces of a video from that number on; none where it has other embeddings by now."""
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


class EmbeddingTables(Tables):
    """Reads embeddings a video at a time."""

    async def has_index(self, video_id: str, recipe_key: str) -> bool:
        """Tell whether the video has embeddings with this recipe."""
        sql = "SELECT 1 FROM indexings WHERE video_id = :video_id AND recipe_key = :recipe_key"
        return bool(await self._db.rows(sql, {"video_id": video_id, "recipe_key": recipe_key}))

    async def frame_count(self, video_id: str, recipe_key: str) -> int:
        """Count the embeddings of a video with this recipe."""
        ((number,),) = await self._db.rows(_FRAMES, {"video_id": video_id, "recipe_key": recipe_key})
        return int(number)

    async def any_index(self, view: View, recipe_key: str, video_id: str | None = None) -> bool:
        """Tell whether any video in view, or the one that is named, has embeddings with this recipe."""
        values = {**of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return bool(await self._db.rows(_ANY_IN_VIEW, values))

    async def indexes(
        self, view: View, recipe_key: str, video_id: str | None = None
    ) -> tuple[tuple[Video, FrameIndex], ...]:
        """Return the videos in view that have embeddings with this recipe, oldest first; only one where it is named.

        The oldest is the one that was posted in view before all others.
        """
        values = {**of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return await asyncio.to_thread(_assembled, await self._db.rows(_CHUNKS_IN_VIEW, values))


async def of_each_recipe(connections: Connections, video_id: str) -> AsyncIterator[tuple[Json, FrameIndex]]:
    """Yield the embeddings of a video with each recipe, and the recipe's fields. Raises StorageDamaged."""
    for row in await connections.rows(_RECIPES, {"video_id": video_id}):
        chunks = await connections.rows(_CHUNKS, {"id": row["id"]})
        index = await asyncio.to_thread(join, [Chunk(*chunk) for chunk in chunks])
        yield json.loads(row["description"]), index


async def put_index(db: aiosqlite.Connection, video_id: str, recipe: Recipe, index: FrameIndex) -> None:
    """Put embeddings in the place of those that the video had with this recipe; those with others stay."""
    description = json.dumps(asdict(recipe), sort_keys=True)
    await db.execute("INSERT INTO recipes VALUES (?, ?) ON CONFLICT DO NOTHING", (recipe.key, description))
    await db.execute("DELETE FROM indexings WHERE video_id = ? AND recipe_key = ?", (video_id, recipe.key))
    cursor = await db.execute("INSERT INTO indexings (video_id, recipe_key) VALUES (?, ?)", (video_id, recipe.key))
    indexing_id = cursor.lastrowid
    await db.executemany(
        "INSERT INTO chunks (indexing_id, number, times_s, vectors) VALUES (?, ?, ?, ?)",
        ((indexing_id, n, chunk.times_s, chunk.vectors) for n, chunk in enumerate(split(index))),
    )


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to CHUNK_FRAMES embeddings in a row."""

    times_s: bytes
    """(n,) little-endian float64."""
    vectors: bytes
    """(n, D) little-endian float16, C order."""


def split(index: FrameIndex, frames: int = CHUNK_FRAMES) -> Iterator[Chunk]:
    """Yield an index as chunks of that many frames in the order of time."""
    for start in range(0, len(index), frames):
        part = slice(start, start + frames)
        yield Chunk(index.times_s[part].astype(_TIMES).tobytes(), index.vectors[part].astype(_VECTORS).tobytes())


def join(chunks: Sequence[Chunk]) -> FrameIndex:
    """Return the index of at least one chunk; vectors as float32. Raises StorageDamaged."""
    pieces = [piece(chunk) for chunk in chunks]
    try:
        times_s = np.concatenate([one.times_s for one in pieces], dtype=np.float64)
        with np.errstate(all="ignore"):  # noise may be anything
            return FrameIndex(times_s, np.concatenate([one.vectors for one in pieces], dtype=np.float32))
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error


def piece(chunk: Chunk) -> Piece:
    """Return a chunk's embeddings as they are stored. Raises StorageDamaged where they cannot be any."""
    try:
        times_s = np.frombuffer(chunk.times_s, _TIMES)
        vectors = np.frombuffer(chunk.vectors, _VECTORS).reshape(len(times_s), -1)
    except ValueError as error:
        raise StorageDamaged("", str(error)) from error
    return Piece(times_s, vectors)


def _catalogue(generation: int, videos: list[Row], posted: list[Row]) -> IndexCatalogue:
    places: defaultdict[RowPlace, dict[str, str]] = defaultdict(dict)
    for row in posted:
        places[RowPlace(row["platform"], row["space"], row["channel"])][row["video_id"]] = row["first"]
    return IndexCatalogue(generation, tuple(map(_held, videos)), dict(places))


def _held(row: Row) -> HeldIndexing:
    return HeldIndexing(video_of(row), row["recipe_key"], row["indexing"], row["stamp"], row["chunks"])


def _assembled(found: list[Row]) -> tuple[tuple[Video, FrameIndex], ...]:
    found.sort(key=lambda row: (row["first_posting_id"], row["id"], row["number"]))
    videos = (list(video) for _, video in groupby(found, key=lambda row: row["id"]))
    return tuple(
        (named_video(video[0]), join([Chunk(row["times_s"], row["vectors"]) for row in video])) for video in videos
    )
