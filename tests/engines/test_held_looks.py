"""What is held in memory is what the library holds, and a search of it gives what comparing everything would."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.best import best_curves
from core.engines.blocks import Blocks
from core.engines.codes import Codes
from core.engines.held import ERROR, HeldLooks
from core.engines.quick import products
from core.engines.scanning import Scanners
from core.found import Curve
from core.model import Scope, Video, View
from storage.library import SqliteLibrary
from storage.looks import SqliteLooks
from tests.storage.conftest import FilmMaker, PostingMaker, channel, library, make_film, make_posting, recipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
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
        looks = HeldLooks(store, pool, products, ERROR)
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
    assert looks.held_bytes == 2 * 30 * DIM * 2
    await library.forget("a", View.of(channel))
    async with asyncio.timeout(10):
        while looks.held_bytes != 30 * DIM * 2:
            await store.caught_up.get()
    assert looks.held_bytes == 30 * DIM * 2
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
    assert looks.held_bytes == 0


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
        looks = HeldLooks(store, pool, products, ERROR, budget_bytes=3.5 * 600 * DIM * 2)
        peaks = await looks.peaks(View.of(channel), recipe, text())
        assert looks.coded_looks == 6 * 600
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
        assert (looks.coded_looks, looks.held_bytes) == (0, 0)
        await looks.close()


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=9), drop=st.integers(0, 8), seed=st.integers(0, 999))
def test_codes_tell_the_film_with_the_very_look_that_is_looked_for(sizes: list[int], drop: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    codes = Codes(np.zeros(100, np.float32))
    films = {n: chance.standard_normal((size, 100)).astype(np.float16) for n, size in enumerate(sizes)}
    for number, rows in films.items():
        codes.add(number, rows)
    if drop in films:
        codes.drop(drop)
        del films[drop]
    assert len(codes) == sum(map(len, films.values()))
    for number, rows in films.items():
        assert codes.nearest(set(films), rows[-1:].astype(np.float32), 1) == {number}


Sizes = st.lists(st.integers(1, 90), min_size=1, max_size=14)


@settings(max_examples=25, deadline=None)
@given(sizes=Sizes, drop=st.sets(st.integers(0, 13)), wanted=st.sets(st.integers(0, 13)), seed=st.integers(0, 999))
def test_blocks_hold_what_was_put_in_and_runs_cover_just_what_is_wanted(
    sizes: list[int], drop: set[int], wanted: set[int], seed: int
) -> None:
    chance = np.random.default_rng(seed)
    blocks, films = (
        Blocks(8, block_rows=64),
        {n: chance.random((size, 8)).astype(np.float16) for n, size in enumerate(sizes)},
    )
    for film, rows in films.items():
        blocks.add(film, rows[: len(rows) // 2])
    for film, rows in films.items():
        blocks.add(film, rows[len(rows) // 2 :])
    for film in drop & set(films):
        blocks.drop(film)
        films[film] = films[film][:0]
    assert len(blocks) == sum(map(len, films.values()))
    for film, rows in films.items():
        np.testing.assert_array_equal(blocks.rows(film), rows)
    places = {film: place for place, film in enumerate(sorted(wanted & set(films)))}
    sums = np.zeros(len(places) + 1)
    for run in blocks.runs(places):
        for start, stop, place in zip(run.starts, [*run.starts[1:], len(run.rows)], run.places, strict=True):
            sums[place] += run.rows[start:stop].astype(np.float64).sum()
    np.testing.assert_allclose(sums[:-1], [films[film].astype(np.float64).sum() for film in places])


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=30),
    most=st.integers(1, 9),
    alike=st.floats(0, 0.999),
    seed=st.integers(0, 10_000),
)
def test_a_search_gives_what_comparing_every_look_exactly_would(
    sizes: list[int], most: int, alike: float, seed: int
) -> None:
    films = library_of(sizes, alike, seed)
    vector = text(seed, 32)
    exact = {n: rows.astype(np.float32) @ vector[0] for n, rows in films.items()}
    best = sorted(exact, key=lambda n: (-float(exact[n].max()), n))[:most]
    got = asyncio.run(searched(films, vector, most))
    assert [int(curve.video.id) for curve in got] == sorted(best)
    for curve in got:
        np.testing.assert_array_equal(curve.scores, exact[int(curve.video.id)])


def library_of(
    sizes: list[int], alike: float, seed: int
) -> dict[int, np.ndarray[tuple[int, int], np.dtype[np.float16]]]:
    """Films whose looks have much or little in common, so that many are nearly as good as the best."""
    chance = np.random.default_rng(seed)
    mean = chance.standard_normal(32)
    films = {}
    for number, size in enumerate(sizes):
        rows = alike * mean + (1 - alike) * chance.standard_normal((size, 32))
        films[number] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return films


async def searched(
    films: dict[int, np.ndarray[tuple[int, int], np.dtype[np.float16]]], vector: Floats, most: int
) -> tuple[Curve, ...]:
    blocks = Blocks(32, block_rows=128)
    for number, rows in films.items():
        blocks.add(number, rows)
    highest = np.full(len(films) + 1, -np.inf, np.float32)
    for run in blocks.runs({number: number for number in films}):
        spans = np.maximum.reduceat(products(run.rows, vector), run.starts, axis=1)
        np.maximum.at(highest, run.places, spans[0])

    async def compare(numbers: Sequence[int]) -> Sequence[Curve]:
        return [
            Curve(Video(str(number), "", "", 1, 1, 1), np.arange(len(scores), dtype=np.float64), scores)
            for number in numbers
            for scores in [blocks.rows(number).astype(np.float32) @ vector[0]]
        ]

    return await best_curves(
        tuple(films), highest[:-1] + np.float32(ERROR), compare, most, lambda curve: float(curve.scores.max())
    )


def test_the_quick_comparison_is_within_its_error_even_for_the_worst_rows() -> None:
    chance = np.random.default_rng(3)
    vector = text(4, 512)
    rows = chance.standard_normal((20_000, 512)).astype(np.float32)
    rows[:100] = vector
    rows[100:200] = -vector
    rows[200:300] = np.eye(512, dtype=np.float32)[:100]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    off = np.abs(products(rows, vector)[0] - rows.astype(np.float32) @ vector[0])
    assert off.max() < ERROR / 2


def test_scanning_threads_work_alone_and_leave_torchs_own_as_they_were() -> None:
    usual = torch.get_num_threads()
    scanners = Scanners(2)
    rows = np.random.default_rng(1).standard_normal((40_000, 32)).astype(np.float16)
    np.testing.assert_array_equal(scanners(rows, text(dim=32)), products(rows, text(dim=32)))
    assert torch.get_num_threads() == usual
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == usual
    scanners.close()
