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

from core.engines.clip.heap import trim
from core.errors import AppError, StorageDamaged
from core.model.video import FrameIndex
from core.ports.index import IndexCatalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from core.engines.index.memory import IndexMemory
    from core.model.video import Floats, Seconds
    from core.ports.index import HeldIndexing, LooksStore, Piece

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class HeldVideo:
    """A video of which looks are held."""

    kept: HeldIndexing
    chunks: int = 0
    times_s: list[Seconds] = field(default_factory=list)
    coded: bool = False
    """Only codes are in memory."""

    def index(self, vectors: Floats) -> FrameIndex | ValueError:
        """Give its looks with these (n, D) vectors, or why they are damaged."""
        try:
            with np.errstate(all="ignore"):  # damaged looks may be anything
                return FrameIndex(np.concatenate(self.times_s), vectors)
        except ValueError as error:
            return error


class IndexSync:
    """Follows a library."""

    def __init__(self, store: LooksStore, pool: Executor, room: IndexMemory, on_change: Callable[[], None]) -> None:
        """Take the library's looks, the one thread for all that touches rows, where rows are held, and whom to tell.

        Whoever has parts of what is held is told before any of it is let go, and lets go as well.
        """
        self._store = store
        self._pool = pool
        self._room = room
        self._turn = asyncio.Lock()
        self._recipes: set[str] = set()
        self._complete = (-1, 0)
        """The generation of which everything was read, and for how many recipes."""
        self._watching: asyncio.Task[None] | None = None
        self._sketching: asyncio.Task[None] | None = None
        self.catalogue = IndexCatalogue(-1, (), {})
        self.videos: dict[int, HeldVideo] = {}
        self.damaged: dict[int, HeldIndexing] = {}
        """Videos whose looks turned out to be damaged."""
        self._on_change = on_change
        self.changes = 0
        """Grows with each change of what is held."""

    async def follow(self, recipe_key: str, dim: int) -> None:
        """Hold what this recipe gave: all that the library has by now, and in the background what is to come.

        Raises StorageUnusable.
        """
        if recipe_key not in self._recipes:
            await self.run(lambda: self._room.open(recipe_key, dim))
            self._recipes.add(recipe_key)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await self._keep_up()

    async def sketched(self) -> None:
        """Wait until all that is to be sketched is sketched."""
        if self._sketching is not None:
            await asyncio.shield(self._sketching)

    async def close(self) -> None:
        """Stop following."""
        for task in (self._watching, self._sketching):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def run(self, work: Callable[[], T]) -> T:
        """Do work on the one thread that touches rows."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def held(self, video: HeldIndexing) -> HeldVideo | None:
        """Give what is held of a video, if it is of the very same looks."""
        held = self.videos.get(video.indexing)
        return held if held is not None and held.kept.stamp == video.stamp else None

    async def leave_out(self, video: HeldIndexing, error: Exception) -> None:
        """Hold a video no longer whose looks are damaged."""
        log.error("the looks at %s are damaged, so it is left out of searches: %s", video.video.id, error)
        self.damaged[video.indexing] = video
        if video.indexing in self.videos:
            await self._let_go(video.indexing)

    async def _watch(self) -> None:
        while True:
            await self._store.changed()
            try:
                await self._keep_up()
            except AppError as error:
                log.warning("looks could not be read: %s", type(error).__name__)

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
            self._complete = self.catalogue.generation, len(self._recipes)
            self._change()  # here, for a reading whose question was cancelled ends unseen
            if self._sketching is None or self._sketching.done():
                self._sketching = asyncio.create_task(self._sketch())

    async def _let_old_go(self, wanted: dict[int, HeldIndexing]) -> None:
        """Let go of the videos that are no more, or have other looks by now."""
        for number, held in tuple(self.videos.items()):
            if number not in wanted or wanted[number].stamp != held.kept.stamp:
                await self._let_go(number)
        for number, video in tuple(self.damaged.items()):
            if number not in wanted or wanted[number].stamp != video.stamp:
                del self.damaged[number]

    async def _let_go(self, number: int) -> None:
        held = self.videos.pop(number)
        self._change()
        await self.run(lambda: self._room.drop(held.kept.recipe_key, number, coded=held.coded))

    async def _read_sound(self, video: HeldIndexing) -> None:
        held = self.videos.setdefault(video.indexing, HeldVideo(video))
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
            if number == held.chunks:  # else somebody who was cancelled had read it, and it came in all the same
                key, video = held.kept.recipe_key, held.kept.indexing
                held.coded = self._room.put(key, video, piece.vectors, coded=held.coded)
                held.times_s.append(piece.times_s)
                held.chunks += 1

    async def _sketch(self) -> None:
        """Sketch what has no sketch yet, some at a time, so that a question never waits long for its turn."""
        before = self._room.sketched
        while await self.run(self._room.sketch_next):
            pass
        if self._room.sketched != before:
            self._change()
            await self.run(trim)

    def _change(self) -> None:
        self.changes += 1
        self._on_change()
