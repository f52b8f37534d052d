"""The vector index: which rows a view covers, and how a query is compared with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.engines.index.memory import IndexMemory
from core.engines.index.products import widened
from core.engines.index.scan import Field, highest
from core.engines.index.sync import HeldVideo, IndexSync
from core.errors import StorageDamaged
from core.ports.index import Peaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from core.engines.index.scan import Share
    from core.model.video import Floats, FrameIndex, Recipe, View
    from core.ports.index import HeldIndexing, LooksStore

MOST_CODED_VIDEOS = 48
"""So many videos that memory has no room for are read from the disk for a question, those with the nearest codes."""
_MOST_PLANS = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a view comes to until something changes."""

    videos: tuple[HeldIndexing, ...]
    field: Field


class VectorIndex:
    """All looks of the recipes in use."""

    def __init__(self, store: LooksStore, pool: Executor, share: Share, budget_bytes: float = float("inf")) -> None:
        """Take the store, a pool of one thread, and what shares a scan out among threads.

        Videos for which the budget has no room are held as codes (`core.engines.index.codes`), and read when they seem
        near.
        """
        self._store = store
        self._share = share
        self._room = IndexMemory(budget_bytes)
        self._plans: dict[tuple[View, str, str | None], _Plan] = {}
        self._keeper = IndexSync(store, pool, self._room, self._plans.clear)

    @property
    def damaged(self) -> tuple[HeldIndexing, ...]:
        """Give the videos whose looks turned out to be damaged: they are left out of searches."""
        return tuple(self._keeper.damaged.values())

    @property
    def room(self) -> IndexMemory:
        """Give what is in memory; only to be looked at."""
        return self._room

    async def use(self, recipe: Recipe, dim: int) -> None:
        """Hold what this recipe gave from now on, and keep up with the library in the background.

        Raises StorageUnusable.
        """
        await self._keeper.follow(recipe.key, dim)

    async def sketched(self) -> None:
        """Wait until all is in memory that makes a search fast; it is right before that."""
        await self._keeper.sketched()

    async def close(self) -> None:
        """Stop keeping up."""
        await self._keeper.close()

    async def peaks(
        self, view: View, recipe: Recipe, vectors: Floats, video_id: str | None = None, *, most: int = 8
    ) -> Peaks:
        """Compare all looks in view with (Q, D) float32 vectors; only one video's where it is named.

        Damaged videos are left out; where one is named, this raises StorageDamaged.
        """
        await self.use(recipe, vectors.shape[1])
        if any(video.video.id == video_id and video.recipe_key == recipe.key for video in self.damaged):
            raise StorageDamaged("", f"the looks at {video_id}")
        plan = await self._plan(view, recipe.key, video_id)
        return Peaks(plan.videos, await self._keeper.run(lambda: self._highest(plan, vectors, most)))

    async def indexes(self, videos: Sequence[HeldIndexing]) -> Sequence[FrameIndex | None]:
        """Give the looks of each of some videos as they are stored, as float32; None where they are gone by now.

        What is in memory comes in one go: threads take turns, and that costs more than the work.
        """
        coded = [video for video in videos if (held := self._keeper.held(video)) and held.coded]
        for video in videos:
            self._looked_up(hit=video not in coded)
        read = [(video, await self._read_index(video)) for video in coded]
        there = [held for video in videos if (held := self._keeper.held(video)) and not held.coded]
        found: dict[int, FrameIndex] = {}
        for video, index in [*read, *await self._keeper.run(lambda: self._held_indexes(there))]:
            if isinstance(index, ValueError):
                await self._keeper.leave_out(video, index)
            elif index:
                found[video.indexing] = index
        return [found.get(video.indexing) for video in videos]

    async def _read_index(self, video: HeldIndexing) -> FrameIndex | ValueError | None:
        pieces = await self._store.pieces(video, 0)
        if not pieces:
            return None
        stored = HeldVideo(video, len(pieces), [piece.times_s for piece in pieces])
        rows = np.concatenate([piece.vectors for piece in pieces])
        return await self._keeper.run(lambda: stored.index(widened(rows)))

    def _held_indexes(self, videos: Sequence[HeldVideo]) -> list[tuple[HeldIndexing, FrameIndex | ValueError]]:
        still = [video for video in videos if self._keeper.held(video.kept) is video and not video.coded]
        rows = self._room.rows([(video.kept.recipe_key, video.kept.indexing) for video in still])
        return [(video.kept, video.index(vectors)) for video, vectors in zip(still, rows, strict=True)]

    def _looked_up(self, *, hit: bool) -> None:
        """Note whether the looks of a video that had to be compared were in memory; here nobody counts."""

    async def _plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        known = self._plans.get((view, recipe_key, video_id))
        return known or await self._new_plan(view, recipe_key, video_id)

    async def _new_plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        first, changes = self._keeper.catalogue.posted_in(view), self._keeper.changes
        held = (video.kept for video in self._keeper.videos.values() if video.times_s)
        held = (video for video in held if video.recipe_key == recipe_key and video_id in {None, video.video.id})
        seen = sorted(
            (video for video in held if video.video.id in first),
            key=lambda video: (first[video.video.id], video.video.id),
        )
        places = {video.indexing: place for place, video in enumerate(seen)}
        runs, grid = await self._keeper.run(lambda: self._room.runs(recipe_key, places))
        plan = _Plan(tuple(seen), Field(runs, len(seen), grid))
        if changes == self._keeper.changes:
            while len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[view, recipe_key, video_id] = plan
        return plan

    def _highest(self, plan: _Plan, vectors: Floats, most: int) -> Floats:
        """Give the (Q, F) highest products; videos with the nearest codes are to be compared, whatever else is."""
        found = highest(plan.field, vectors, most, self._share)
        coded = {video.indexing: place for place, video in enumerate(plan.videos) if self._is_coded(video)}
        if coded:
            key = plan.videos[0].recipe_key
            for number in self._room.nearest(key, set(coded), vectors, MOST_CODED_VIDEOS, self._share):
                found[:, coded[number]] = np.inf
        return found

    def _is_coded(self, video: HeldIndexing) -> bool:
        held = self._keeper.videos.get(video.indexing)
        return held is not None and held.coded
