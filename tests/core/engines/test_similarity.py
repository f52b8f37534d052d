"""The comparison behind each search: bounds that hold, the best exact, of rows that lie in blocks of memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engines.index.rows import IndexMemory, RowBlocks
from core.engines.index.similarity import SearchedRows, dots, highest, widened
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
    """Return videos whose frames have much or little in common, so that many are nearly as good as the best."""
    chance = np.random.default_rng(seed)
    mean = chance.standard_normal(dim)
    videos = {}
    for number, size in enumerate(sizes):
        rows = alike * mean + (1 - alike) * chance.standard_normal((size, dim))
        videos[number] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return videos


def rows_of(videos: dict[int, Halves], dim: int = DIM) -> SearchedRows:
    blocks = RowBlocks(dim, block_rows=128)
    for number, rows in videos.items():
        blocks.add(number, rows)
    places = {number: place for place, number in enumerate(videos)}
    return SearchedRows(blocks.runs(places), len(places))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=30),
    most=st.integers(1, 9),
    alike=st.floats(0, 0.999),
    seed=st.integers(0, 10_000),
    doubles=st.booleans(),
)
def test_given_any_videos_when_searched_then_as_if_all_were_compared(
    sizes: list[int], most: int, alike: float, seed: int, *, doubles: bool
) -> None:
    videos = library_of(sizes, alike, seed)
    if doubles:
        videos |= {len(videos) + n: rows for n, rows in enumerate(tuple(videos.values()))}
    vector = text(seed)
    exact = {n: widened(rows) @ vector[0] for n, rows in videos.items()}
    bounds = highest(rows_of(videos), vector, most)[0]
    assert all(exact[n].max() <= bound for n, bound in enumerate(bounds))
    best = sorted(exact, key=lambda n: (-float(exact[n].max()), n))[:most]
    got = asyncio.run(searched(videos, vector, bounds, most))
    assert [int(curve.video.id) for curve in got] == sorted(best)
    for curve in got:
        assert curve.scores.tobytes() == exact[int(curve.video.id)].tobytes()


async def searched(videos: dict[int, Halves], vector: Floats, bounds: Floats, most: int) -> tuple[Curve, ...]:
    async def compare(numbers: Sequence[int]) -> Sequence[Curve]:
        return [
            Curve(Video(str(number), "", "", 1, 1, 1), np.arange(len(scores), dtype=np.float64), scores)
            for number in numbers
            for scores in [widened(videos[number]) @ vector[0]]
        ]

    return await best_curves(tuple(videos), bounds, compare, most, lambda curve: float(curve.scores.max()))


def test_given_many_videos_when_searched_then_the_best_bounds_are_exact() -> None:
    videos = library_of([40] * 50, 0.5, 3)
    vector = text(4)
    bounds = highest(rows_of(videos), vector, 5)[0]
    exact = np.array([(widened(rows) @ vector[0]).max() for rows in videos.values()])
    best = np.argsort(-exact)[:5]
    np.testing.assert_allclose(bounds[best], exact[best], atol=2e-5)
    assert set(np.argsort(-bounds)[:5]) == set(best)
    assert (bounds - exact).max() < 2e-3


@pytest.mark.parametrize("damage", [np.nan, np.inf, 6e4])
def test_given_a_damaged_frame_when_searched_then_nothing_hides_behind_it(damage: float) -> None:
    videos = library_of([40] * 9, 0.5, 3)
    vector = text(4)
    good = highest(rows_of(videos), vector, 3)[0]
    videos[2][7] = damage
    damaged = highest(rows_of(videos), vector, 3)[0]
    others = [n for n in videos if n != 2]
    exact = np.array([(widened(videos[n]) @ vector[0]).max() for n in others])
    assert (damaged[others] >= exact).all()
    assert damaged[2] >= good[2] - 1e-4


@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_given_long_vectors_when_multiplied_then_sums_are_float32(alike: float) -> None:
    rows = library_of([3000], alike, 1, 512)[0]
    vector = text(2, 512)[0].astype(np.float16)
    exact = widened(rows) @ vector.astype(np.float32)
    assert (np.abs(dots(rows, vector) - exact) <= np.abs(exact) * 2.0**-11 + 1e-6).all()


def test_given_a_full_budget_when_more_comes_then_that_video_stays_out() -> None:
    memory = IndexMemory(budget_bytes=3.2 * 1000 * 2 * DIM)
    memory.open(KEY, DIM)
    videos = library_of([1000] * 4, 0.2, 1)
    assert all(memory.put(KEY, video, videos[video]) for video in (0, 1, 2))
    assert memory.put(KEY, 3, videos[3][:100])
    assert not memory.put(KEY, 3, videos[3][100:])
    assert (memory.frames, memory.used_bytes) == (3000, 3000 * 2 * DIM)
    for video in (0, 1, 2):
        np.testing.assert_array_equal(memory.rows([(KEY, video)])[0], widened(videos[video]))


@settings(max_examples=25, deadline=None)
@given(sizes=Sizes, drop=st.sets(st.integers(0, 13)), wanted=st.sets(st.integers(0, 13)), seed=st.integers(0, 999))
def test_given_blocks_when_videos_go_then_runs_cover_just_what_is_wanted(
    sizes: list[int], drop: set[int], wanted: set[int], seed: int
) -> None:
    chance = np.random.default_rng(seed)
    blocks = RowBlocks(8, block_rows=64)
    videos = {n: chance.random((size, 8)).astype(np.float16) for n, size in enumerate(sizes)}
    for video, rows in videos.items():
        blocks.add(video, rows[: len(rows) // 2])
    for video, rows in videos.items():
        blocks.add(video, rows[len(rows) // 2 :])
    for video in drop & set(videos):
        blocks.drop(video)
        videos[video] = videos[video][:0]
    assert len(blocks) == sum(map(len, videos.values()))
    for video, parts in blocks.parts(videos).items():
        np.testing.assert_array_equal(np.concatenate([videos[video][:0], *parts]), videos[video])
    places = {video: place for place, video in enumerate(sorted(wanted & set(videos)))}
    sums = np.zeros(len(places) + 1)
    for run in blocks.runs(places):
        for start, stop, place in zip(run.starts, [*run.starts[1:], len(run.rows)], run.places, strict=True):
            sums[place] += run.rows[start:stop].astype(np.float64).sum()
    np.testing.assert_allclose(sums[:-1], [videos[video].astype(np.float64).sum() for video in places])
