"""Keeps the index in step with the library, which any process may change.

The library's generation number is checked at each search, so what was forgotten is not found from then on. One thread
alone changes rows.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.errors import AppError, StorageDamaged
from core.model.video import FrameIndex
from core.ports.index import IndexCatalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from core.engines.index.rows import IndexMemory
    from core.model.video import Floats, Seconds
    from core.ports.index import EmbeddingStore, HeldIndexing, Piece

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class HeldVideo:
    """A video whose embeddings are held."""

    kept: HeldIndexing
    chunks: int = 0
    times_s: list[Seconds] = field(default_factory=list)
    row_bytes: int = 0
    """What all its rows take."""
    in_memory: bool = True
    """Whether memory had room for it; else its rows are read from storage for each search."""

    def index(self, vectors: Floats) -> FrameIndex | ValueError:
        """Return its embeddings with these (n, D) vectors, or why they are damaged."""
        try:
            with np.errstate(all="ignore"):  # damaged rows may be anything
                return FrameIndex(np.concatenate(self.times_s), vectors)
        except ValueError as error:
            return error


class IndexSync:
    """Follows a library."""

    def __init__(
        self, store: EmbeddingStore, pool: Executor, memory: IndexMemory, on_change: Callable[[], None]
    ) -> None:
        """Take the library's embeddings, the one thread for all that touches rows, and where rows are held.

        `on_change` is called before any row is let go, so that nothing else refers to it.
        """
        self._store = store
        self._pool = pool
        self._memory = memory
        self._turn = asyncio.Lock()
        self._recipes: set[str] = set()
        self._complete = (-1, 0)
        """The generation of which everything was read, and for how many recipes."""
        self._watching: asyncio.Task[None] | None = None
        self.catalogue = IndexCatalogue(-1, (), {})
        self.videos: dict[int, HeldVideo] = {}
        self.damaged: dict[int, HeldIndexing] = {}
        """Videos whose embeddings turned out to be damaged."""
        self._in_storage = 0
        self._on_change = on_change
        self.changes = 0
        """Grows with each change of what is held."""

    async def follow(self, recipe_key: str, dim: int) -> None:
        """Hold what this recipe gave: all that the library has by now, and in the background what is to come.

        Raises StorageUnusable.
        """
        if recipe_key not in self._recipes:
            await self.run(lambda: self._memory.open(recipe_key, dim))
            self._recipes.add(recipe_key)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await self._keep_up()

    async def close(self) -> None:
        """Stop following."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def run(self, work: Callable[[], T]) -> T:
        """Do work on the one thread that touches rows."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def held(self, video: HeldIndexing) -> HeldVideo | None:
        """Return what is held of a video, if it is of the very same embeddings."""
        held = self.videos.get(video.indexing)
        return held if held is not None and held.kept.stamp == video.stamp else None

    async def leave_out(self, video: HeldIndexing, error: Exception) -> None:
        """Hold a video no longer whose embeddings are damaged."""
        log.error("the embeddings of %s are damaged, so it is left out of searches: %s", video.video.id, error)
        self.damaged[video.indexing] = video
        if video.indexing in self.videos:
            await self._let_go(video.indexing)

    async def _watch(self) -> None:
        while True:
            await self._store.changed()
            try:
                await self._keep_up()
            except AppError as error:
                log.warning("embeddings could not be read: %s", type(error).__name__)

    async def _keep_up(self) -> None:
        """Let go of what the library holds no longer, then read what is new."""
        async with self._turn:
            if await self._store.generation() != self.catalogue.generation:
                self.catalogue = await self._store.catalogue()
                self._change()
            if (self.catalogue.generation, len(self._recipes)) == self._complete:
                return
            wanted = {video.indexing: video for video in self.catalogue.videos if video.recipe_key in self._recipes}
            await self._let_old_go(wanted)
            for video in wanted.values():
                if video.indexing not in self.damaged:
                    await self._read_sound(video)
            self._tell_left_in_storage()
            self._complete = self.catalogue.generation, len(self._recipes)
            self._change()  # here, for a reading whose search was cancelled ends unseen

    def _tell_left_in_storage(self) -> None:
        """Log, whenever it changes, how many videos memory has no room for."""
        count = sum(not held.in_memory for held in self.videos.values())
        if count != self._in_storage and count:
            log.warning("memory has no room for %d videos: searches read them from the disk, and take longer", count)
        self._in_storage = count

    async def _let_old_go(self, wanted: dict[int, HeldIndexing]) -> None:
        """Let go of the videos that are no more, or have other embeddings by now."""
        for number, held in tuple(self.videos.items()):
            if number not in wanted or wanted[number].stamp != held.kept.stamp:
                await self._let_go(number)
        for number, video in tuple(self.damaged.items()):
            if number not in wanted or wanted[number].stamp != video.stamp:
                del self.damaged[number]

    async def _let_go(self, number: int) -> None:
        held = self.videos.pop(number)
        self._change()
        await self.run(lambda: self._memory.drop(held.kept.recipe_key, number))

    async def _read_sound(self, video: HeldIndexing) -> None:
        held = self.videos.setdefault(video.indexing, HeldVideo(video))
        if not held.in_memory and self._memory.has_room(held.row_bytes):
            held = self.videos[video.indexing] = HeldVideo(video)
        held.kept = video
        try:
            if held.chunks < video.chunks:
                await self._read(held)
        except (StorageDamaged, ValueError) as error:
            await self.leave_out(video, error)

    async def _read(self, held: HeldVideo) -> None:
        first = held.chunks
        pieces = await self._store.pieces(held.kept, first)
        await self.run(lambda: self._take(held, first, pieces))

    def _take(self, held: HeldVideo, first: int, pieces: Sequence[Piece]) -> None:
        for number, piece in enumerate(pieces, first):
            if number == held.chunks:  # else a search that was cancelled had begun to read it, and it came all the same
                if held.in_memory:
                    held.in_memory = self._memory.put(held.kept.recipe_key, held.kept.indexing, piece.vectors)
                held.times_s.append(piece.times_s)
                held.row_bytes += piece.vectors.nbytes
                held.chunks += 1

    def _change(self) -> None:
        self.changes += 1
        self._on_change()
