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

MOST_CODED_FILMS = 48
"""So many films that memory has no room for are read from the disk for a question, those with the nearest codes."""
_MOST_PLANS = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a view comes to until something changes."""

    films: tuple[HeldIndexing, ...]
    field: Field


class VectorIndex:
    """All looks of the recipes in use."""

    def __init__(self, store: LooksStore, pool: Executor, share: Share, budget_bytes: float = float("inf")) -> None:
        """Take the store, a pool of one thread, and what shares a scan out among threads.

        Films for which the budget has no room are held as codes (`core.engines.index.codes`), and read when they seem
        near.
        """
        self._store = store
        self._share = share
        self._room = IndexMemory(budget_bytes)
        self._plans: dict[tuple[View, str, str | None], _Plan] = {}
        self._keeper = IndexSync(store, pool, self._room, self._plans.clear)

    @property
    def damaged(self) -> tuple[HeldIndexing, ...]:
        """Give the films whose looks turned out to be damaged: they are left out of searches."""
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
        """Compare all looks in view with (Q, D) float32 vectors; only one film's where it is named.

        Damaged films are left out; where one is named, this raises StorageDamaged.
        """
        await self.use(recipe, vectors.shape[1])
        if any(film.video.id == video_id and film.recipe_key == recipe.key for film in self.damaged):
            raise StorageDamaged("", f"the looks at {video_id}")
        plan = await self._plan(view, recipe.key, video_id)
        return Peaks(plan.films, await self._keeper.run(lambda: self._highest(plan, vectors, most)))

    async def indexes(self, films: Sequence[HeldIndexing]) -> Sequence[FrameIndex | None]:
        """Give the looks of each of some films as they are stored, as float32; None where they are gone by now.

        What is in memory comes in one go: threads take turns, and that costs more than the work.
        """
        coded = [film for film in films if (held := self._keeper.held(film)) and held.coded]
        for film in films:
            self._looked_up(hit=film not in coded)
        read = [(film, await self._read_index(film)) for film in coded]
        there = [held for film in films if (held := self._keeper.held(film)) and not held.coded]
        found: dict[int, FrameIndex] = {}
        for film, index in [*read, *await self._keeper.run(lambda: self._held_indexes(there))]:
            if isinstance(index, ValueError):
                await self._keeper.leave_out(film, index)
            elif index:
                found[film.indexing] = index
        return [found.get(film.indexing) for film in films]

    async def _read_index(self, film: HeldIndexing) -> FrameIndex | ValueError | None:
        pieces = await self._store.pieces(film, 0)
        if not pieces:
            return None
        stored = HeldVideo(film, len(pieces), [piece.times_s for piece in pieces])
        rows = np.concatenate([piece.vectors for piece in pieces])
        return await self._keeper.run(lambda: stored.index(widened(rows)))

    def _held_indexes(self, films: Sequence[HeldVideo]) -> list[tuple[HeldIndexing, FrameIndex | ValueError]]:
        still = [film for film in films if self._keeper.held(film.kept) is film and not film.coded]
        rows = self._room.rows([(film.kept.recipe_key, film.kept.indexing) for film in still])
        return [(film.kept, film.index(vectors)) for film, vectors in zip(still, rows, strict=True)]

    def _looked_up(self, *, hit: bool) -> None:
        """Note whether the looks of a film that had to be compared were in memory; here nobody counts."""

    async def _plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        known = self._plans.get((view, recipe_key, video_id))
        return known or await self._new_plan(view, recipe_key, video_id)

    async def _new_plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        first, changes = self._keeper.catalogue.posted_in(view), self._keeper.changes
        held = (film.kept for film in self._keeper.films.values() if film.times_s)
        held = (film for film in held if film.recipe_key == recipe_key and video_id in {None, film.video.id})
        seen = sorted(
            (film for film in held if film.video.id in first), key=lambda film: (first[film.video.id], film.video.id)
        )
        places = {film.indexing: place for place, film in enumerate(seen)}
        runs, grid = await self._keeper.run(lambda: self._room.runs(recipe_key, places))
        plan = _Plan(tuple(seen), Field(runs, len(seen), grid))
        if changes == self._keeper.changes:
            while len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[view, recipe_key, video_id] = plan
        return plan

    def _highest(self, plan: _Plan, vectors: Floats, most: int) -> Floats:
        """Give the (Q, F) highest products; films with the nearest codes are to be compared, whatever else there is."""
        found = highest(plan.field, vectors, most, self._share)
        coded = {film.indexing: place for place, film in enumerate(plan.films) if self._is_coded(film)}
        if coded:
            key = plan.films[0].recipe_key
            for number in self._room.nearest(key, set(coded), vectors, MOST_CODED_FILMS, self._share):
                found[:, coded[number]] = np.inf
        return found

    def _is_coded(self, film: HeldIndexing) -> bool:
        held = self._keeper.films.get(film.indexing)
        return held is not None and held.coded
