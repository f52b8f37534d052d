"""The vector index: which rows a view covers, and how a query is compared with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.engines.index.rows import IndexMemory
from core.engines.index.similarity import ROUNDING, SearchedRows, highest, widened
from core.engines.index.sync import HeldVideo, IndexSync
from core.errors import StorageDamaged
from core.ports.index import Peaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from core.model.video import Floats, FrameIndex, Recipe, View
    from core.ports.index import EmbeddingStore, HeldIndexing
    from core.ports.metrics import Watch

_MOST_PLANS = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a search of a view goes through, until something changes."""

    videos: tuple[HeldIndexing, ...]
    rows: SearchedRows
    stored: tuple[int, ...]
    """The places of the videos whose rows are in storage alone."""


class VectorIndex:
    """All embeddings of the recipes in use. Implements `core.ports.index.EmbeddingIndex`."""

    def __init__(self, store: EmbeddingStore, pool: Executor, watch: Watch, budget_bytes: float = float("inf")) -> None:
        """Take the store, a pool of one thread, and how much memory embeddings may take.

        Videos that the budget has no room for are read from the store for each search, which takes longer.
        """
        self._store = store
        self._watch = watch
        self._memory = IndexMemory(budget_bytes)
        self._plans: dict[tuple[View, str, str | None], _Plan] = {}
        self._sync = IndexSync(store, pool, self._memory, self._plans.clear)

    @property
    def damaged(self) -> tuple[HeldIndexing, ...]:
        """Return the videos whose embeddings turned out to be damaged: they are left out of searches."""
        return tuple(self._sync.damaged.values())

    @property
    def memory(self) -> IndexMemory:
        """Return what is in memory; only to be read."""
        return self._memory

    async def use(self, recipe: Recipe, dim: int) -> None:
        """Hold what this recipe gave from now on, and keep up with the library in the background.

        Raises StorageUnusable.
        """
        await self._sync.follow(recipe.key, dim)

    async def close(self) -> None:
        """Stop keeping up."""
        await self._sync.close()

    async def peaks(
        self, view: View, recipe: Recipe, vectors: Floats, video_id: str | None = None, *, most: int = 8
    ) -> Peaks:
        """Compare all embeddings in view with (Q, D) float32 vectors; only one video's where it is named.

        Damaged videos are left out; where one is named, this raises StorageDamaged.
        """
        await self.use(recipe, vectors.shape[1])
        if any(video.video.id == video_id and video.recipe_key == recipe.key for video in self.damaged):
            raise StorageDamaged("", f"the embeddings of {video_id}")
        plan = await self._plan(view, recipe.key, video_id)
        found = await self._sync.run(lambda: highest(plan.rows, vectors, most))
        for place in plan.stored if len(vectors) else ():
            found[:, place] = await self._highest_stored(plan.videos[place], vectors)
        return Peaks(plan.videos, found, len(plan.stored))

    async def _highest_stored(self, video: HeldIndexing, vectors: Floats) -> Floats:
        """Return the (Q,) highest products of a video that is in storage alone; -inf where it is gone or damaged."""
        index = await self._read_index(video)
        if isinstance(index, ValueError):
            await self._sync.leave_out(video, index)
        if index is None or isinstance(index, ValueError):
            return np.full(len(vectors), -np.inf, np.float32)
        return await self._sync.run(lambda: (index.vectors @ vectors.T).max(axis=0) + ROUNDING)

    async def indexes(self, videos: Sequence[HeldIndexing]) -> Sequence[FrameIndex | None]:
        """Return the embeddings of each of some videos as they are stored, as float32; None where they are gone by now.

        What is in memory comes in one go: threads take turns, and that costs more than the work.
        """
        stored = [video for video in videos if (held := self._sync.held(video)) and not held.in_memory]
        for video in videos:
            self._watch.cache("looks", hit=video not in stored)
        read = [(video, await self._read_index(video)) for video in stored]
        there = [held for video in videos if (held := self._sync.held(video)) and held.in_memory]
        found: dict[int, FrameIndex] = {}
        for video, index in [*read, *await self._sync.run(lambda: self._held_indexes(there))]:
            if isinstance(index, ValueError):
                await self._sync.leave_out(video, index)
            elif index:
                found[video.indexing] = index
        return [found.get(video.indexing) for video in videos]

    async def _read_index(self, video: HeldIndexing) -> FrameIndex | ValueError | None:
        try:
            pieces = await self._store.pieces(video, 0)
        except StorageDamaged as error:
            return ValueError(str(error))
        if not pieces:
            return None
        stored = HeldVideo(video, len(pieces), [piece.times_s for piece in pieces])
        rows = np.concatenate([piece.vectors for piece in pieces])
        return await self._sync.run(lambda: stored.index(widened(rows)))

    def _held_indexes(self, videos: Sequence[HeldVideo]) -> list[tuple[HeldIndexing, FrameIndex | ValueError]]:
        still = [video for video in videos if self._sync.held(video.kept) is video and video.in_memory]
        rows = self._memory.rows([(video.kept.recipe_key, video.kept.indexing) for video in still])
        return [(video.kept, video.index(vectors)) for video, vectors in zip(still, rows, strict=True)]

    async def _plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        known = self._plans.get((view, recipe_key, video_id))
        return known or await self._new_plan(view, recipe_key, video_id)

    async def _new_plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        first, changes = self._sync.catalogue.posted_in(view), self._sync.changes
        held = (video for video in self._sync.videos.values() if video.times_s and video.kept.recipe_key == recipe_key)
        held = (video for video in held if video.kept.video.id in first and video_id in {None, video.kept.video.id})
        seen = sorted(held, key=lambda video: (first[video.kept.video.id], video.kept.video.id))
        places = {video.kept.indexing: place for place, video in enumerate(seen)}
        runs = await self._sync.run(lambda: self._memory.runs(recipe_key, places))
        stored = tuple(place for place, video in enumerate(seen) if not video.in_memory)
        plan = _Plan(tuple(video.kept for video in seen), SearchedRows(runs, len(seen)), stored)
        if changes == self._sync.changes:
            while len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[view, recipe_key, video_id] = plan
        return plan
