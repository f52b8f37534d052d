"""What further looks cost, and how far they move a peak: on the demo video, with any model.

python -m bench.refining [--model demo]

A model with random weights costs what a trained one does: any folder in open_clip's own format will do as `local-dir:`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.known import SCOPE
from bench.table import Row, report
from bot.settings import Settings
from bot.wiring.app import open_core
from core.model.query import Query
from core.model.requests import Poster
from core.model.video import View

if TYPE_CHECKING:
    from bot.wiring.app import Product

ROOT = Path(__file__).parent.parent
QUERIES = ("a woman swimming in water", "a steam train in the snow", "a dog at night", "a car", "a monkey", "a castle")


@dataclass(frozen=True)
class Figures:
    """Medians over the queries."""

    answered_s: float
    """Search, frame and plots in both themes."""
    best_refined_s: float
    """What is taken after that for the best moment."""
    all_refined_s: float
    """Likewise for all its moments."""
    moved: int
    """Best moments whose peak moved."""
    gained: float
    """Their mean gain in cosine."""


async def measure(model: str) -> Figures:
    """Ask the demo video a few things, twice each; the first time warms."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as home:
        async with open_core(Settings(model_name=model, data_dir=Path(home))) as core:
            await core.warm()
            video = ROOT / "demo" / "film.mp4"
            await core.parts.indexer.file(video, video.name, "", Poster(SCOPE, "u", "you", ""), lambda _progress: None)
            await ask(core, QUERIES[0])
            rows = [await ask(core, text) for text in QUERIES]
    answered, best, every, gains = zip(*rows, strict=True)
    moved = [gain for gain in gains if gain > 0]
    mean = statistics.fmean(moved) if moved else 0.0
    answered_s, best_s, all_s = (statistics.median(each) for each in (answered, best, every))
    return Figures(answered_s, best_s, all_s, len(moved), mean)


async def ask(core: Product, text: str) -> tuple[float, float, float, float]:
    """Give the seconds for the answer, for its best moment refined, for all refined, and what the best gained."""
    started_s = time.perf_counter()
    result = await core.parts.searcher.search(Query(text, View.of(SCOPE)), 5)
    await core.parts.answerer.show(result.query, result.moments, 1, "similarity", ("light", "dark"), 3840, result.curve)
    answered_s = time.perf_counter()
    best, *others = await core.parts.refiner.leading(result.query, result.moments, result.curve)
    best_s = time.perf_counter()
    await core.parts.refiner.moments(result.query, others)
    all_s = time.perf_counter()
    return answered_s - started_s, best_s - answered_s, all_s - answered_s, best.score - result.best.score


def rows(figures: Figures) -> list[Row]:
    """Give the table."""
    return [
        Row("an answer: search, frame, two plots", figures.answered_s, "s"),
        Row("then its best moment looked at more closely", figures.best_refined_s, "s"),
        Row("likewise all its moments", figures.all_refined_s, "s"),
        Row("the former in answers", figures.best_refined_s / figures.answered_s, "x"),
        Row("best moments that moved", figures.moved, "", note=f"of {len(QUERIES)}"),
        Row("their mean gain in cosine", figures.gained, ""),
    ]


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo")
    wish = parser.parse_args()
    report(f"Further looks, {wish.model}", "refining", rows(asyncio.run(measure(wish.model))))


if __name__ == "__main__":
    main()
