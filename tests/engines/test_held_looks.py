"""What is held in memory is what the library holds, and a search of it gives what comparing everything would."""

from __future__ import annotations

import asyncio
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.engines.held import HeldLooks
from core.model import Scope, View
from storage.library import SqliteLibrary
from storage.looks import SqliteLooks
from tests.storage.conftest import FilmMaker, PostingMaker, channel, library, make_film, make_posting, recipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model import Floats, Recipe

__all__ = ["channel", "library", "make_film", "make_posting", "recipe"]

DIM = 64


class Noting(SqliteLooks):
    """Notes each time that there is nothing more to keep up with."""

    def __init__(self, library: SqliteLibrary) -> None:
        super().__init__(library.connections)
        self.caught_up: asyncio.Queue[None] = asyncio.Queue()

    async def changed(self) -> None:
        self.caught_up.put_nowait(None)
        await super().changed()


@pytest.fixture
async def store(library: SqliteLibrary) -> Noting:
    return Noting(library)


@pytest.fixture
async def looks(store: Noting) -> AsyncIterator[HeldLooks]:
    with ThreadPoolExecutor(1) as pool:
        looks = HeldLooks(store, pool, map)
        yield looks
        await looks.close()


def text(seed: int = 9, dim: int = DIM) -> Floats:
    vector = np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32)
    unit: Floats = vector / np.linalg.norm(vector)
    return unit


async def found(looks: HeldLooks, view: View, recipe: Recipe, video_id: str | None = None) -> list[str]:
    return [film.video.id for film in (await looks.peaks(view, recipe, text(), video_id)).films]


async def test_only_films_in_view_are_compared_oldest_first(
    library: SqliteLibrary,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    other = Scope("discord", "guild", "elsewhere")
    await library.save(make_film("b", seed=1), make_posting("b", minute=2), ())
    await library.save(make_film("a", seed=2), make_posting("a", minute=3), ())
    await library.save(make_film("c", seed=3), make_posting("c", scope=other), ())
    assert await found(looks, View.of(channel), recipe) == ["b", "a"]
    assert await found(looks, View.of(other), recipe) == ["c"]
    assert await found(looks, View("discord", "guild", frozenset({"general", "elsewhere"})), recipe) == ["c", "b", "a"]
    assert await found(looks, View("slack", "guild", frozenset({"general"})), recipe) == []
    assert await found(looks, View.of(channel), recipe, "a") == ["a"]


async def test_looks_of_another_recipe_are_not_compared(
    library: SqliteLibrary,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    other = type(recipe)("RN50", "openai", recipe.preprocess, recipe.sampling, recipe.precision)
    await library.save(make_film("a"), make_posting("a"), ())
    await library.save(make_film("b", recipe=other, dim=32), make_posting("b"), ())
    assert await found(looks, View.of(channel), recipe) == ["a"]
    ((kept,), _) = (peaks := await looks.peaks(View.of(channel), other, text(dim=32))).films, peaks.highest
    assert kept.video.id == "b"


async def test_a_film_that_was_forgotten_leaves_memory_before_anybody_asks(
    library: SqliteLibrary,
    store: Noting,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    for name in ("a", "b"):
        await library.save(make_film(name, looks=30), make_posting(name), ())
    await looks.use(recipe, DIM)
    assert looks.room.used_bytes == 2 * 30 * DIM * 2
    await library.forget("a", View.of(channel))
    async with asyncio.timeout(10):
        while looks.room.used_bytes != 30 * DIM * 2:
            await store.caught_up.get()
    assert looks.room.used_bytes == 30 * DIM * 2
    assert await found(looks, View.of(channel), recipe) == ["b"]


async def test_what_another_process_forgets_is_not_found_any_more(
    library: SqliteLibrary,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
    tmp_path: Path,
) -> None:
    await library.save(make_film("a"), make_posting("a"), ())
    assert await found(looks, View.of(channel), recipe) == ["a"]
    other = await SqliteLibrary.open(tmp_path / "keaton.db")
    await other.forget("a", View.of(channel))
    await other.close()
    assert await found(looks, View.of(channel), recipe) == []
    assert looks.room.used_bytes == 0


async def test_a_film_looked_at_anew_has_its_new_looks_alone(
    library: SqliteLibrary,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    await library.save(make_film("a", seed=1), make_posting("a"), ())
    await looks.use(recipe, DIM)
    again = make_film("a", seed=2, looks=700, title="Again")
    await library.refresh(again, ())
    (film,) = (await looks.peaks(View.of(channel), recipe, text())).films
    (index,) = await looks.indexes([film])
    assert index is not None
    assert film.video.title == "Again"
    np.testing.assert_array_equal(index.vectors, again.index.vectors.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(index.times_s, again.index.times_s)


async def test_films_that_memory_has_no_room_for_are_found_all_the_same(
    store: Noting,
    library: SqliteLibrary,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    films = {f"film {n}": make_film(f"film {n}", looks=600, seed=n) for n in range(9)}
    for name, film in films.items():
        await library.save(film, make_posting(name), ())
    with ThreadPoolExecutor(1) as pool:
        looks = HeldLooks(store, pool, map, budget_bytes=3.5 * 600 * DIM * 2)
        peaks = await looks.peaks(View.of(channel), recipe, text())
        assert looks.room.coded == 6 * 600
        assert len(peaks.films) == 9
        for kept, bound in zip(peaks.films, peaks.highest[0], strict=True):
            (index,) = await looks.indexes([kept])
            assert index is not None
            stored = films[kept.video.id].index.vectors.astype(np.float16).astype(np.float32)
            np.testing.assert_array_equal(index.vectors, stored)
            assert (stored @ text()[0]).max() <= bound
        for name in films:
            await library.forget(name, View.of(channel))
        await looks.use(recipe, DIM)
        assert (looks.room.coded, looks.room.used_bytes) == (0, 0)
        await looks.close()


async def test_what_was_forgotten_is_gone_from_memory_before_anybody_asks_again(
    store: Noting,
    library: SqliteLibrary,
    looks: HeldLooks,
    recipe: Recipe,
    channel: Scope,
    make_film: FilmMaker,
    make_posting: PostingMaker,
) -> None:
    view = View.of(channel)
    await library.save(make_film("a"), make_posting("a"), ())
    await found(looks, view, recipe)
    blocks = looks.room.runs(recipe.key, {1: 0})[0]
    rows = weakref.ref(blocks[0].rows.base)
    del blocks
    await library.forget("a", view)
    while looks.room.looks:
        await store.caught_up.get()
    gc.collect()
    assert rows() is None
