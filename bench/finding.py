"""The whole of a `/find`: words, a search of 100,000 frames, still and plot. Through the conversation, as a door asks.

python -m bench.finding [--frames 100000] [--questions 30]

ViT-B-32 with random weights, which cost what trained ones do. The library is the demo video many times over, each with
its file, so that whatever is best has a still to be cut.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import growing
from bench.alone import as_shipped
from bench.memory import write_model
from bench.restart import copy_video
from bench.table import Row, report
from bot.settings import Settings
from bot.wiring.app import open_core
from bot.wiring.engines import DEMO_FOLDER
from core.model.query import Query
from core.model.requests import Poster
from core.model.video import View

if TYPE_CHECKING:
    from bot.wiring.app import Product

WARM_UPS = 3
BAR_MS, AIM_MS = 500.0, 250.0


def asked(frames: int, questions: int) -> list[Row]:
    """Make the library, and ask it."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        home = Path(folder)
        os.chdir(home)  # no .env of whoever measures
        write_model(home)
        settings = Settings(
            model_name=f"local-dir:{home}", data_dir=home / "data", turns_a_minute=0, media_quota_gb=10_000
        )
        asyncio.run(_fill(settings, frames))
        return asyncio.run(_ask(settings, questions))


async def _fill(settings: Settings, frames: int) -> None:
    async with open_core(settings) as core:
        scope = growing.turn().scope
        path = DEMO_FOLDER / "film.mp4"
        done = await core.parts.indexer.file(
            path, path.name, "", Poster(scope, "u1", "Ada", ""), lambda _progress: None
        )
        copies = -(-frames // done.frames) - 1
        await asyncio.to_thread(copy_video, settings.database, copies)
        kept = await core.kept.media.path(done.video.id)
        assert kept is not None  # noqa: S101 - it has just been taken in
        for number in range(copies):
            async with core.kept.media.workshop() as workshop:
                await core.kept.media.keep(await core.kept.media.copy_in(kept, workshop), f"{done.video.id}-{number}")


async def _ask(settings: Settings, questions: int) -> list[Row]:
    async with open_core(settings) as core:
        await core.warm()
        frames = core.engines.index.memory.frames
        for number in range(WARM_UPS):
            await growing.ask(core, f"warming {number}")
        took_ms = [1000 * await growing.ask(core, f"question {number}") for number in range(questions)]
        again_ms = [1000 * await growing.ask(core, "question 1") for _ in range(5)]
        searches_ms = [await _search(core, f"search {number}") for number in range(questions)]
    p95_ms = sorted(took_ms)[int(0.95 * (questions - 1))]
    return [
        Row("/find whole, something new: median", statistics.median(took_ms), "ms", note=f"{frames} frames"),
        Row("/find whole, something new: p95", p95_ms, "ms", BAR_MS, AIM_MS),
        Row("/find whole, asked before: median", statistics.median(again_ms), "ms"),
        Row("words and search alone: median", statistics.median(searches_ms), "ms"),
        Row("whole in searches", statistics.median(took_ms) / statistics.median(searches_ms), "x"),
    ]


async def _search(core: Product, text: str) -> float:
    began_s = time.perf_counter()
    await core.parts.searcher.search(Query(f"a woman swimming in water {text}", View.of(growing.turn().scope)), 5)
    return 1000 * (time.perf_counter() - began_s)


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=30)
    wish = parser.parse_args()
    report("A /find, whole", "finding", as_shipped(asked, wish.frames, wish.questions))


if __name__ == "__main__":
    main()
