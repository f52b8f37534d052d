"""What memory has at hand, and what it has not, is counted: looks and texts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.monitoring.metrics import Metrics
from core.engines.watched import WatchedLooks, WatchedTexts
from core.model.video import Recipe, Scope, View
from storage.embeddings import SqliteLooks
from tests.core.engines.test_held_looks import DIM, text
from tests.storage.conftest import PostingMaker, VideoMaker, channel, library, make_posting, make_video, recipe
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from storage.library import SqliteLibrary

__all__ = ["channel", "library", "make_posting", "make_video", "recipe"]


def figure(metrics: Metrics, cache: str, outcome: str) -> str:
    name = f'keaton_cache_lookups_total{{cache="{cache}",outcome="{outcome}"}} '
    return next((line.removeprefix(name) for line in metrics.text().decode().splitlines() if line.startswith(name)), "")


async def test_a_text_that_is_known_is_a_hit_and_a_new_one_is_a_miss() -> None:
    metrics = Metrics()
    texts = WatchedTexts(ColourEncoder(), 10, metrics)
    for words in ("red", "red", "green", "red"):
        await texts.texts([words])
    assert (figure(metrics, "texts", "hit"), figure(metrics, "texts", "miss")) == ("2.0", "2.0")


@pytest.mark.parametrize(("budget_bytes", "counted"), [(1e9, ("3.0", "")), (1.5 * 600 * DIM * 2, ("1.0", "2.0"))])
async def test_looks_that_are_in_memory_are_hits_and_those_that_must_be_read_are_misses(
    library: SqliteLibrary,
    recipe: Recipe,
    channel: Scope,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    budget_bytes: float,
    counted: tuple[str, str],
) -> None:
    metrics = Metrics()
    for name in ("a", "b", "c"):
        await library.save(make_video(name, looks=600, seed=ord(name)), make_posting(name), ())
    with ThreadPoolExecutor(1) as pool:
        looks = WatchedLooks(SqliteLooks(library.connections), pool, map, budget_bytes, metrics)
        videos = (await looks.peaks(View.of(channel), recipe, text())).videos
        assert len(await looks.indexes(videos)) == 3
        await looks.close()
    assert (figure(metrics, "looks", "hit"), figure(metrics, "looks", "miss")) == counted
