"""What is held in memory is what the library holds, and a search of it gives what comparing everything would."""

from __future__ import annotations

import asyncio
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.engines.index.index import VectorIndex
from core.model.video import Scope, View
from storage.embeddings import SqliteEmbeddings
from storage.library import SqliteLibrary
from tests.storage.conftest import PostingMaker, VideoMaker, channel, library, make_posting, make_video, recipe
from tests.support.fakes import NotingWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.video import Floats, IndexedVideo, Recipe

__all__ = ["channel", "library", "make_posting", "make_video", "recipe"]

DIM = 64


class Noting(SqliteEmbeddings):
    """Notes each time that there is nothing more to keep up with."""

    def __init__(self, library: SqliteLibrary) -> None:
        super().__init__(library.connections)
        self.caught_up: asyncio.Queue[None] = asyncio.Queue()

    async def changed(self) -> None:
        self.caught_up.put_nowait(None)
        await super().changed()


def text(seed: int = 9, dim: int = DIM) -> Floats:
    vector = np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32)
    unit: Floats = vector / np.linalg.norm(vector)
    return unit


@dataclass(frozen=True)
class Shelf:
    """A library, and what is held in memory of it."""

    library: SqliteLibrary
    store: Noting
    looks: VectorIndex
    recipe: Recipe
    view: View
    video: VideoMaker
    posting: PostingMaker

    async def put(self, video: IndexedVideo, **posted: object) -> None:
        await self.library.save(video, self.posting(video.video.id, **posted), ())

    async def found(self, view: View | None = None, video_id: str | None = None) -> list[str]:
        peaks = await self.looks.peaks(view or self.view, self.recipe, text(), video_id)
        return [video.video.id for video in peaks.videos]


@pytest.fixture
async def shelf(
    library: SqliteLibrary, recipe: Recipe, channel: Scope, make_video: VideoMaker, make_posting: PostingMaker
) -> AsyncIterator[Shelf]:
    store = Noting(library)
    with ThreadPoolExecutor(1) as pool:
        looks = VectorIndex(store, pool, NotingWatch())
        yield Shelf(library, store, looks, recipe, View.of(channel), make_video, make_posting)
        await looks.close()


async def test_given_several_channels_when_searched_then_only_videos_in_view(shelf: Shelf) -> None:
    other = Scope("discord", "guild", "elsewhere")
    await shelf.put(shelf.video("b", seed=1), minute=2)
    await shelf.put(shelf.video("a", seed=2), minute=3)
    await shelf.put(shelf.video("c", seed=3), scope=other)
    assert await shelf.found() == ["b", "a"]
    assert await shelf.found(View.of(other)) == ["c"]
    assert await shelf.found(View("discord", "guild", frozenset({"general", "elsewhere"}))) == ["c", "b", "a"]
    assert await shelf.found(View("slack", "guild", frozenset({"general"}))) == []
    assert await shelf.found(video_id="a") == ["a"]


async def test_given_two_recipes_when_searched_then_only_frames_of_the_same(shelf: Shelf) -> None:
    other = replace(shelf.recipe, model="RN50")
    await shelf.put(shelf.video("a"))
    await shelf.put(shelf.video("b", recipe=other, dim=32))
    assert await shelf.found() == ["a"]
    ((kept,), _) = (peaks := await shelf.looks.peaks(shelf.view, other, text(dim=32))).videos, peaks.highest
    assert kept.video.id == "b"


async def test_given_a_forgotten_video_when_time_passes_then_it_leaves_memory(shelf: Shelf) -> None:
    for name in ("a", "b"):
        await shelf.put(shelf.video(name, frames=30))
    await shelf.looks.use(shelf.recipe, DIM)
    assert shelf.looks.memory.used_bytes == 2 * 30 * DIM * 2
    await shelf.library.forget("a", shelf.view)
    async with asyncio.timeout(60):
        while shelf.looks.memory.used_bytes != 30 * DIM * 2:
            await shelf.store.caught_up.get()
    assert shelf.looks.memory.used_bytes == 30 * DIM * 2
    assert await shelf.found() == ["b"]


async def test_given_another_process_when_it_forgets_then_nothing_is_found(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put(shelf.video("a"))
    assert await shelf.found() == ["a"]
    other = await SqliteLibrary.open(tmp_path / "keaton.db")
    await other.forget("a", shelf.view)
    await other.close()
    assert await shelf.found() == []
    assert shelf.looks.memory.used_bytes == 0


async def test_given_a_video_indexed_anew_when_read_then_its_new_frames_alone(shelf: Shelf) -> None:
    await shelf.put(shelf.video("a", seed=1))
    await shelf.looks.use(shelf.recipe, DIM)
    again = shelf.video("a", seed=2, frames=700, title="Again")
    await shelf.library.refresh(again)
    (video,) = (await shelf.looks.peaks(shelf.view, shelf.recipe, text())).videos
    (index,) = await shelf.looks.indexes([video])
    assert index is not None
    assert video.video == replace(again.video, title="", url="", uploader="")
    np.testing.assert_array_equal(index.vectors, again.index.vectors.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(index.times_s, again.index.times_s)


async def test_given_no_room_when_searched_then_the_disk_gives_the_same_answer(shelf: Shelf) -> None:
    videos = {f"video {n}": shelf.video(f"video {n}", frames=600, seed=n) for n in range(9)}
    for video in videos.values():
        await shelf.put(video)
    whole = await shelf.looks.peaks(shelf.view, shelf.recipe, text(), most=9)
    watch = NotingWatch()
    with ThreadPoolExecutor(1) as pool:
        looks = VectorIndex(shelf.store, pool, watch, budget_bytes=3.5 * 600 * DIM * 2)
        peaks = await looks.peaks(shelf.view, shelf.recipe, text(), most=9)
        assert (looks.memory.frames, peaks.from_storage, whole.from_storage) == (3 * 600, 6, 0)
        assert peaks.videos == whole.videos
        np.testing.assert_allclose(peaks.highest, whole.highest, atol=1e-6)
        for kept, index in zip(peaks.videos, await looks.indexes(peaks.videos), strict=True):
            stored = videos[kept.video.id].index.vectors.astype(np.float16).astype(np.float32)
            assert index is not None
            np.testing.assert_array_equal(index.vectors, stored)
        assert sorted(watch.stages) == ["looks False"] * 6 + ["looks True"] * 3
        await looks.close()


async def test_given_no_room_when_a_video_goes_then_the_next_takes_its_place(shelf: Shelf) -> None:
    for number in range(3):
        await shelf.put(shelf.video(f"video {number}", frames=600, seed=number))
    with ThreadPoolExecutor(1) as pool:
        looks = VectorIndex(shelf.store, pool, NotingWatch(), budget_bytes=2.5 * 600 * DIM * 2)
        assert (await looks.peaks(shelf.view, shelf.recipe, text())).from_storage == 1
        await shelf.library.forget("video 2", shelf.view)
        assert (await looks.peaks(shelf.view, shelf.recipe, text())).from_storage == 0
        assert looks.memory.frames == 2 * 600
        for number in range(2):
            await shelf.library.forget(f"video {number}", shelf.view)
        await looks.use(shelf.recipe, DIM)
        assert looks.memory.used_bytes == 0
        await looks.close()


async def test_given_a_forgotten_video_when_collected_then_no_row_is_referred_to(shelf: Shelf) -> None:
    await shelf.put(shelf.video("a"))
    await shelf.found()
    blocks = shelf.looks.memory.runs(shelf.recipe.key, {1: 0})
    rows = weakref.ref(blocks[0].rows.base)
    del blocks
    await shelf.library.forget("a", shelf.view)
    while shelf.looks.memory.frames:
        await shelf.store.caught_up.get()
    gc.collect()
    assert rows() is None
