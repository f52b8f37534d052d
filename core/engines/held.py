"""HeldLooks: core.looks.Looks from memory. Owns what is held, and that it is what the library holds; knows no SQL.

All that touches the blocks happens on one thread, so nothing is changed under a scan. Before each scan the library
is asked for its generation: what any process changed, above all what was forgotten, counts from that moment on.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from core.engines.blocks import OTHER, Blocks
from core.engines.codes import Codes
from core.errors import AppError
from core.errors.disk import StorageDamaged
from core.looks import Catalogue, Kept, Peaks
from core.model import FrameIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from core.engines.blocks import Run
    from core.looks import Halves, LooksStore, Piece
    from core.model import Floats, Recipe, Seconds, View

log = logging.getLogger(__name__)

T = TypeVar("T")

ERROR = 2.0**-9
"""How far products in float16 are off at most, for vectors and rows of length 1: the vector and the result are rounded
by 2**-12 of their size at most each; the rest is for sums in float32 and rows that are a little longer than 1."""
MOST_CODED_FILMS = 24
"""So many films that memory has no room for are read from the disk for a question, those with the nearest codes."""
_MOST_PLANS = 64


class Kernel(Protocol):
    """Compares rows with vectors, fast, and off by little."""

    def __call__(self, rows: Halves, vectors: Floats) -> Floats:
        """Give (Q, n) float32 dot products of (n, D) rows with (Q, D) vectors."""
        ...


@dataclass(slots=True, eq=False)
class _Film:
    """A film of which looks are held."""

    kept: Kept
    chunks: int = 0
    times_s: list[Seconds] = field(default_factory=list)
    coded: bool = False
    """Only codes are in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What a view comes to until something changes."""

    films: tuple[Kept, ...]
    runs: Sequence[Run]


class HeldLooks:
    """All looks of the recipes in use."""

    def __init__(
        self, store: LooksStore, pool: Executor, kernel: Kernel, error: float, budget_bytes: float = float("inf")
    ) -> None:
        """Take the store, a pool of one thread, the kernel, and how far that may be off for vectors of length 1.

        Films for which the budget has no room are held as codes (`core.engines.codes`), and read when they seem near.
        """
        self._store = store
        self._pool = pool
        self._kernel = kernel
        self._error = error
        self._budget_bytes = budget_bytes
        self._codes: dict[str, Codes] = {}
        self._catalogue = Catalogue(-1, (), {})
        self._recipes: dict[str, Blocks] = {}
        self._films: dict[int, _Film] = {}
        self._plans: dict[tuple[View, str, str | None], _Plan] = {}
        self._complete = (-1, 0)
        """The generation of which everything was read, and for how many recipes."""
        self._turn = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._damaged: dict[int, Kept] = {}

    @property
    def damaged(self) -> tuple[Kept, ...]:
        """Give the films whose looks turned out to be damaged: they are left out of searches."""
        return tuple(self._damaged.values())

    @property
    def held_bytes(self) -> int:
        """Give how much memory the looks take."""
        rows = sum(2 * len(blocks) * blocks.dim for blocks in self._recipes.values())
        return rows + sum(codes.used_bytes for codes in self._codes.values())

    @property
    def coded_looks(self) -> int:
        """Count the looks of which there is no room for more than a code."""
        return sum(map(len, self._codes.values()))

    async def use(self, recipe: Recipe, dim: int) -> None:
        """Hold what this recipe gave from now on, and keep up with the library in the background.

        Raises StorageUnusable.
        """
        self._recipes.setdefault(recipe.key, Blocks(dim))
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await self._keep_up()

    async def close(self) -> None:
        """Stop keeping up."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def peaks(self, view: View, recipe: Recipe, vectors: Floats, video_id: str | None = None) -> Peaks:
        """Compare all looks in view with (Q, D) float32 vectors; only one film's where it is named.

        Damaged films are left out; where one is named, this raises StorageDamaged.
        """
        await self.use(recipe, vectors.shape[1])
        if any(film.video.id == video_id and film.recipe_key == recipe.key for film in self._damaged.values()):
            raise StorageDamaged("", f"the looks at {video_id}")
        plan = self._plan(view, recipe.key, video_id)
        highest = await self._run(lambda: self._highest(plan, vectors))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
        return Peaks(plan.films, highest + np.float32(self._error) * np.maximum(lengths, 1))

    async def _read_index(self, film: Kept) -> FrameIndex | None:
        pieces = await self._store.pieces(film, 0)
        if not pieces:
            return None
        rows = await self._run(lambda: np.concatenate([piece.vectors for piece in pieces]))
        return await self._run(lambda: _index([piece.times_s for piece in pieces], rows))

    async def indexes(self, films: Sequence[Kept]) -> Sequence[FrameIndex | None]:
        """Give the looks of each of some films as they are stored, as float32; None where they are gone by now.

        What is in memory comes in one go: threads take turns, and that costs more than the work.
        """
        coded = [film for film in films if self._is_coded(film) and self._is_held(film)]
        for film in films:
            self._looked_up(hit=film not in coded)
        read = {film.indexing: await self._read_index(film) for film in coded}
        found = await self._run(lambda: [self._held_index(film) for film in films if film.indexing not in read])
        for film, index in found:
            if isinstance(index, ValueError):
                await self._leave_out(film, index)
            else:
                read[film.indexing] = index
        return [read.get(film.indexing) for film in films]

    def _held_index(self, film: Kept) -> tuple[Kept, FrameIndex | ValueError | None]:
        """Give a film's looks, or why they are damaged."""
        held = self._films.get(film.indexing)
        if held is None or held.coded or not self._is_held(film):
            return film, None
        try:
            return film, _index(held.times_s, self._recipes[film.recipe_key].rows(film.indexing))
        except ValueError as error:
            return film, error

    def _is_held(self, film: Kept) -> bool:
        held = self._films.get(film.indexing)
        return held is not None and held.kept.stamp == film.stamp

    def _looked_up(self, *, hit: bool) -> None:
        """Note whether the looks of a film that had to be compared were in memory; here nobody counts."""

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
            if await self._store.generation() != self._catalogue.generation:
                self._catalogue = await self._store.catalogue()
                self._plans.clear()
            if (self._catalogue.generation, len(self._recipes)) == self._complete:
                return
            wanted = {film.indexing: film for film in self._catalogue.films if film.recipe_key in self._recipes}
            for number, held in tuple(self._films.items()):
                if number not in wanted or wanted[number].stamp != held.kept.stamp:
                    await self._let_go(number)
            for number, film in tuple(self._damaged.items()):
                if number not in wanted or wanted[number].stamp != film.stamp:
                    del self._damaged[number]
            for film in wanted.values():
                if film.indexing in self._damaged:
                    continue
                held = self._films.setdefault(film.indexing, _Film(film))
                held.kept = film
                if held.chunks < film.chunks:
                    await self._read_sound(held)
            self._complete = self._catalogue.generation, len(self._recipes)

    async def _let_go(self, number: int) -> None:
        held = self._films.pop(number)
        self._plans.clear()
        await self._run(lambda: self._drop(held))

    def _drop(self, held: _Film) -> None:
        key = held.kept.recipe_key
        (self._codes[key] if held.coded else self._recipes[key]).drop(held.kept.indexing)

    async def _read_sound(self, held: _Film) -> None:
        try:
            await self._read(held)
        except (StorageDamaged, ValueError) as error:
            await self._leave_out(held.kept, error)

    async def _leave_out(self, film: Kept, error: Exception) -> None:
        log.error("the looks at %s are damaged, so it is left out of searches: %s", film.video.id, error)
        self._damaged[film.indexing] = film
        if film.indexing in self._films:
            await self._let_go(film.indexing)

    async def _read(self, held: _Film) -> None:
        first = held.chunks
        pieces = await self._store.pieces(held.kept, first)
        await self._run(lambda: self._take(held, first, pieces))
        self._plans.clear()

    def _take(self, held: _Film, first: int, pieces: Sequence[Piece]) -> None:
        for number, piece in enumerate(pieces, first):
            if number == held.chunks:  # else somebody who was cancelled had read it, and it came in all the same
                self._put(held, piece)
                held.times_s.append(piece.times_s)
                held.chunks += 1

    def _put(self, held: _Film, piece: Piece) -> None:
        key, number = held.kept.recipe_key, held.kept.indexing
        blocks = self._recipes[key]
        if not held.coded and self.held_bytes + piece.vectors.nbytes > self._budget_bytes:
            self._encode(held, piece)
        if held.coded:
            self._codes[key].add(number, piece.vectors)
        else:
            blocks.add(number, piece.vectors)

    def _encode(self, held: _Film, piece: Piece) -> None:
        """Hold a film as codes from now on."""
        key, number = held.kept.recipe_key, held.kept.indexing
        blocks = self._recipes[key]
        if key not in self._codes:
            self._codes[key] = Codes(blocks.mean() if len(blocks) else piece.vectors.astype(np.float32).mean(axis=0))
        self._codes[key].add(number, blocks.rows(number))
        blocks.drop(number)
        held.coded = True

    def _plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        known = self._plans.get((view, recipe_key, video_id))
        if known is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)))
            known = self._plans[view, recipe_key, video_id] = self._new_plan(view, recipe_key, video_id)
        return known

    def _new_plan(self, view: View, recipe_key: str, video_id: str | None) -> _Plan:
        first = self._catalogue.posted_in(view)
        held = (film.kept for film in self._films.values() if film.times_s and film.kept.recipe_key == recipe_key)
        seen = [film for film in held if film.video.id in first and video_id in {None, film.video.id}]
        seen.sort(key=lambda film: (first[film.video.id], film.video.id))
        places = {film.indexing: place for place, film in enumerate(seen)}
        return _Plan(tuple(seen), self._recipes[recipe_key].runs(places))

    def _highest(self, plan: _Plan, vectors: Floats) -> Floats:
        """Give the (Q, F) highest products as the kernel sees them."""
        highest = np.full(
            (len(vectors), len(plan.films) + 1), -np.inf, np.float32
        )  # the last place takes what is OTHER
        for run in plan.runs:
            products = self._kernel(run.rows, vectors)
            spans = np.maximum.reduceat(products, run.starts, axis=1)
            for row, of_spans in zip(highest, spans, strict=True):
                np.maximum.at(row, run.places, of_spans)
        self._add_coded(plan, vectors, highest)
        return highest[:, :OTHER]

    def _add_coded(self, plan: _Plan, vectors: Floats, highest: Floats) -> None:
        """Let the films whose codes are nearest be compared exactly, whatever else there is, and no other coded one."""
        places = {film.indexing: place for place, film in enumerate(plan.films) if self._is_coded(film)}
        if places:
            codes = self._codes[plan.films[0].recipe_key]
            for number in codes.nearest(set(places), vectors, MOST_CODED_FILMS):
                highest[:, places[number]] = np.inf

    def _is_coded(self, film: Kept) -> bool:
        held = self._films.get(film.indexing)
        return held is not None and held.coded

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _index(times_s: Sequence[Seconds], rows: Halves) -> FrameIndex:
    with np.errstate(all="ignore"):  # damaged looks may be anything
        return FrameIndex(np.concatenate(times_s), rows.astype(np.float32))
