"""The scan behind each search: bounds that hold, as near as they are said to be, in no more memory than is allowed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from core.engines.index.codes import Codes
from core.engines.index.memory import IndexMemory
from core.engines.index.products import dots, widened
from core.engines.index.quantize import QuantizationGrid
from core.engines.index.scan import Field, Scanners, highest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engines.index.rows import Blocks
from core.model.results import Curve
from core.model.video import Video
from core.search.searcher import best_curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.video import Floats
    from core.ports.index import Halves

DIM = 32
KEY = "recipe"
Sizes = st.lists(st.integers(1, 90), min_size=1, max_size=14)


def text(seed: int, dim: int = DIM) -> Floats:
    vector = np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32)
    unit: Floats = vector / np.linalg.norm(vector)
    return unit


def library_of(sizes: Sequence[int], alike: float, seed: int, dim: int = DIM) -> dict[int, Halves]:
    """Videos whose looks have much or little in common, so that many are nearly as good as the best."""
    chance = np.random.default_rng(seed)
    mean = chance.standard_normal(dim)
    videos = {}
    for number, size in enumerate(sizes):
        rows = alike * mean + (1 - alike) * chance.standard_normal((size, dim))
        videos[number] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return videos


def field_of(videos: dict[int, Halves], *, sketched: bool) -> Field:
    blocks = Blocks(DIM, block_rows=128, page_rows=32)
    for number, rows in videos.items():
        blocks.add(number, rows)
    grid = QuantizationGrid(blocks.first()) if sketched else None
    while grid and blocks.sketch_next(grid):
        pass
    places = {number: place for place, number in enumerate(videos)}
    return Field(blocks.runs(places), len(places), grid)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=30),
    most=st.integers(1, 9),
    alike=st.floats(0, 0.999),
    seed=st.integers(0, 10_000),
    sketched=st.booleans(),
)
def test_a_search_gives_what_comparing_every_look_exactly_would(
    sizes: list[int], most: int, alike: float, seed: int, *, sketched: bool
) -> None:
    videos = library_of(sizes, alike, seed)
    vector = text(seed)
    exact = {n: widened(rows) @ vector[0] for n, rows in videos.items()}
    bounds = highest(field_of(videos, sketched=sketched), vector, most, map)[0]
    assert all(exact[n].max() <= bound for n, bound in enumerate(bounds))
    best = sorted(exact, key=lambda n: (-float(exact[n].max()), n))[:most]
    got = asyncio.run(searched(videos, vector, bounds, most))
    assert [int(curve.video.id) for curve in got] == sorted(best)


async def searched(videos: dict[int, Halves], vector: Floats, bounds: Floats, most: int) -> tuple[Curve, ...]:
    async def compare(numbers: Sequence[int]) -> Sequence[Curve]:
        return [
            Curve(Video(str(number), "", "", 1, 1, 1), np.arange(len(scores), dtype=np.float64), scores)
            for number in numbers
            for scores in [widened(videos[number]) @ vector[0]]
        ]

    return await best_curves(tuple(videos), bounds, compare, most, lambda curve: float(curve.scores.max()))


@pytest.mark.parametrize("sketched", [True, False])
def test_the_bounds_of_the_best_videos_are_exact(*, sketched: bool) -> None:
    videos = library_of([40] * 50, 0.5, 3)
    vector = text(4)
    bounds = highest(field_of(videos, sketched=sketched), vector, 5, map)[0]
    exact = np.array([(widened(rows) @ vector[0]).max() for rows in videos.values()])
    best = np.argsort(-exact)[:5]
    np.testing.assert_allclose(bounds[best], exact[best], atol=2e-5)
    assert set(np.argsort(-bounds)[:5]) == set(best)


def test_a_damaged_look_hides_no_other_video_and_no_better_look_of_its_own() -> None:
    videos = library_of([40] * 9, 0.5, 3)
    vector = text(4)
    good = highest(field_of(videos, sketched=True), vector, 3, map)[0]
    videos[2][7] = np.nan
    damaged = highest(field_of(videos, sketched=True), vector, 3, map)[0]
    others = [n for n in videos if n != 2]
    exact = np.array([(widened(videos[n]) @ vector[0]).max() for n in others])
    assert (damaged[others] >= exact).all()
    assert not damaged[2] < good[2] - 1e-4


def test_a_sketch_is_never_below_the_truth_and_seldom_far_above() -> None:
    videos = library_of([4000], 0.3, 5, 512)
    rows, vector = videos[0], text(6, 512)[0]
    rows[:100] = vector
    rows[100:200] = -vector
    rows[200:300] = np.eye(512, dtype=np.float16)[:100]
    grid = QuantizationGrid(rows[1000:2000])
    above = grid.ask(vector).highest(grid.sketch(rows)) - widened(rows) @ vector
    assert above.min() >= 0
    assert np.median(above) < 0.02


def test_a_vector_with_one_huge_number_is_compared_as_closely_as_any_other() -> None:
    rows = library_of([2000], 0.3, 5, 512)[0]
    vector = text(6, 512)[0]
    vector[133] = 12 * vector.std()
    vector /= np.linalg.norm(vector)
    grid = QuantizationGrid(rows)
    above = grid.ask(vector).highest(grid.sketch(rows)) - widened(rows) @ vector
    assert 0 <= above.min() < np.median(above) < 0.02


def test_products_of_float16_rows_are_summed_in_float32() -> None:
    rows = library_of([3000], 0.9, 1, 512)[0]
    vector = text(2, 512)[0].astype(np.float16)
    np.testing.assert_allclose(dots(rows, vector), widened(rows) @ vector.astype(np.float32), atol=1e-6)


def test_sketches_give_way_to_rows_and_rows_to_codes() -> None:
    room = IndexMemory(budget_bytes=3.2 * 16_384 * 2 * DIM)
    room.open(KEY, DIM)
    videos = library_of([16_384] * 4, 0.2, 1)
    for video in (0, 1):
        assert not room.put(KEY, video, videos[video], coded=False)
    while room.sketch_next():
        pass
    assert room.sketched == 2 * 16_384
    assert not room.put(KEY, 2, videos[2], coded=False)
    assert (room.looks, room.sketched) == (3 * 16_384, 0)
    assert room.put(KEY, 3, videos[3], coded=False)
    assert (room.looks, room.coded) == (3 * 16_384, 16_384)
    for video in (0, 1, 2):
        np.testing.assert_array_equal(room.rows([(KEY, video)])[0], widened(videos[video]))
    assert room.used_bytes <= 3.2 * 16_384 * 2 * DIM


def test_no_sketch_is_left_of_a_video_that_is_let_go() -> None:
    blocks = Blocks(DIM, block_rows=128, page_rows=32)
    for number, rows in library_of([50, 60, 70], 0.5, 2).items():
        blocks.add(number, rows)
    grid = QuantizationGrid(blocks.first())
    while blocks.sketch_next(grid):
        pass
    assert blocks.sketched == 5 * 32
    for video in (0, 1, 2):
        blocks.drop(video)
    assert (len(blocks), blocks.sketched) == (0, 0)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=9), drop=st.integers(0, 8), seed=st.integers(0, 999))
def test_codes_tell_the_video_with_the_very_look_that_is_looked_for(sizes: list[int], drop: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    codes = Codes(np.zeros(100, np.float32))
    videos = {n: chance.standard_normal((size, 100)).astype(np.float16) for n, size in enumerate(sizes)}
    for number, rows in videos.items():
        codes.add(number, rows)
    if drop in videos:
        codes.drop(drop)
        del videos[drop]
    assert len(codes) == sum(map(len, videos.values()))
    for number, rows in videos.items():
        assert codes.nearest(set(videos), rows[-1:].astype(np.float32), 1, map) == {number}


@settings(max_examples=25, deadline=None)
@given(sizes=Sizes, drop=st.sets(st.integers(0, 13)), wanted=st.sets(st.integers(0, 13)), seed=st.integers(0, 999))
def test_blocks_hold_what_was_put_in_and_runs_cover_just_what_is_wanted(
    sizes: list[int], drop: set[int], wanted: set[int], seed: int
) -> None:
    chance = np.random.default_rng(seed)
    blocks = Blocks(8, block_rows=64, page_rows=16)
    videos = {n: chance.random((size, 8)).astype(np.float16) for n, size in enumerate(sizes)}
    for video, rows in videos.items():
        blocks.add(video, rows[: len(rows) // 2])
    for video, rows in videos.items():
        blocks.add(video, rows[len(rows) // 2 :])
    for video in drop & set(videos):
        blocks.drop(video)
        videos[video] = videos[video][:0]
    assert len(blocks) == sum(map(len, videos.values()))
    for video, rows in videos.items():
        np.testing.assert_array_equal(blocks.rows(video), rows)
    places = {video: place for place, video in enumerate(sorted(wanted & set(videos)))}
    sums = np.zeros(len(places) + 1)
    for run in blocks.runs(places):
        assert len(run.rows) <= 16
        for start, stop, place in zip(run.starts, [*run.starts[1:], len(run.rows)], run.places, strict=True):
            sums[place] += run.rows[start:stop].astype(np.float64).sum()
    np.testing.assert_allclose(sums[:-1], [videos[video].astype(np.float64).sum() for video in places])


def test_scanning_threads_work_at_the_same_time_and_answer_in_order() -> None:
    scanners, meet = Scanners(2), threading.Barrier(2, timeout=10)

    def work(number: int) -> int:
        meet.wait()
        return 10 * number

    assert scanners(work, [1, 2]) == [10, 20]
    scanners.close()
