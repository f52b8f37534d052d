"""A search of a million frames by each of several means, side by side on the same vectors and questions.

python -m bench.searching [--frames 1000000] [--questions 24]

Everything but Keaton gives the ten nearest frames; Keaton gives the eight best videos with their whole curves, from the
library's own file, with the check that nothing was forgotten meanwhile. Each has its own process. The last rows are
what memory the product takes with ViT-B-32 loaded (random weights) and all frames held. About four minutes on two
cores, 5 GB of memory and as much of the disk's temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import contenders, synthetic
from bench.alone import alone, as_shipped
from bench.memory import family, field_mb, write_model
from bench.table import Row, report
from bot.monitoring.metrics import Metrics
from bot.settings import GIGABYTE, Settings
from bot.wiring.app import open_core
from core.engines.index.index import VectorIndex
from core.model.query import Query
from core.model.results import Curve
from core.search.searcher import best_curves
from storage.embeddings import SqliteEmbeddings
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bench.contenders import Found
    from core.model.video import Floats
    from core.ports.index import HeldIndexing

FEW = 6
"""Questions for those that take a second for each."""
FULL_SIZE = 1_000_000
BARS_MS, BARS_RATIO = (110.0, 30.0), (12.0, 40.0)
NONE = (None, None)
OTHERS: dict[str, tuple[Callable[[Path, Floats], Found], bool]] = {
    "sqlite-vec": (contenders.in_sqlite_vec, True),
    "numpy float32": (contenders.in_numpy, True),
    "usearch exact float16": (contenders.in_usearch, True),
    "torch float16": (contenders.in_torch, False),
}


@asynccontextmanager
async def held(path: Path, budget_bytes: float) -> AsyncIterator[VectorIndex]:
    """Hold a library as the product does."""
    library = await SqliteLibrary.open(path)
    with ThreadPoolExecutor(1) as pool:
        embeddings = VectorIndex(SqliteEmbeddings(library.connections), pool, Metrics(), budget_bytes)
        await embeddings.use(synthetic.RECIPE, synthetic.DIM)
        try:
            yield embeddings
        finally:
            await embeddings.close()
            await library.close()


async def ask_keaton(embeddings: VectorIndex, question: Floats) -> list[int]:
    """Search as `core.search.searcher` does; give the numbers of the best videos."""
    peaks = await embeddings.peaks(synthetic.VIEW, synthetic.RECIPE, question[None])

    async def compare(videos: Sequence[HeldIndexing]) -> list[Curve | None]:
        indexes = await embeddings.indexes(videos)
        return [
            Curve(video.video, index.times_s, index.vectors @ question) if index else None
            for video, index in zip(videos, indexes, strict=True)
        ]

    curves = await best_curves(peaks.videos, peaks.highest[0], compare, synthetic.MOST_VIDEOS, _peak)
    return [int(curve.video.id.partition(":")[2]) for curve in curves]


def _peak(curve: Curve) -> float:
    return float(curve.scores.max())


def in_keaton(path: Path, questions: Floats, budget_bytes: float) -> Found:
    """Measure Keaton's own search, but for the words."""
    return asyncio.run(_in_keaton(path, questions, budget_bytes))


async def _in_keaton(path: Path, questions: Floats, budget_bytes: float) -> Found:
    began_s = time.perf_counter()
    async with held(path, budget_bytes) as embeddings:
        made_s, took_ms, answers = time.perf_counter() - began_s, [], []
        for question in [*questions[: contenders.WARM_UPS], *questions]:
            asked_s = time.perf_counter()
            answers.append(await ask_keaton(embeddings, question))
            took_ms.append((time.perf_counter() - asked_s) * 1000)
        warm = contenders.WARM_UPS
        return contenders.Found(took_ms[warm:], answers[warm:], embeddings.memory.used_bytes / _count(path), made_s)


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        ((count,),) = file.execute("SELECT sum(length(times_s)) / 8 FROM chunks").fetchall()
    return int(count)


def memory(home: Path) -> tuple[float, float]:
    """Return the memory of the product with model and frames, in MB: all its processes, and its own at its highest."""
    return asyncio.run(_memory(home))


async def _memory(home: Path) -> tuple[float, float]:
    os.chdir(home)  # no .env of whoever measures
    async with open_core(Settings(model_name=f"local-dir:{home / 'model'}", data_dir=home)) as core:
        info = await core.engines.encoder.ready()
        recipe = await core.parts.searcher.recipe()
        with closing(sqlite3.connect(home / "keaton.sqlite3")) as file, file:
            file.execute("INSERT INTO recipes VALUES (?, '{}')", (recipe.key,))
            file.execute("UPDATE indexings SET recipe_key = ?", (recipe.key,))
        await core.engines.index.use(recipe, info.dim)
        await core.warm()
        for text in ("a dog", "a steam train in the snow"):
            await core.parts.searcher.search(Query(text, synthetic.VIEW), 5)
        now_mb = sum(field_mb(pid, "smaps_rollup", "Pss:") for pid in family(os.getpid()))
        return now_mb, field_mb(os.getpid(), "status", "VmHWM:")


def make(home: Path, count: int, asked: int) -> Floats:
    """Write vectors into a file of their own and into a library; give the questions."""
    asyncio.run(_make(home / "keaton.sqlite3"))
    with (home / "rows.f16").open("wb") as rows, closing(sqlite3.connect(home / "keaton.sqlite3")) as file:
        file.execute("PRAGMA synchronous = OFF")
        synthetic.write(file, synthetic.written(synthetic.videos(count), rows))
    kept = np.memmap(home / "rows.f16", np.float16, "r").reshape(-1, synthetic.DIM)
    return synthetic.questions(kept, asked)


async def _make(path: Path) -> None:
    await (await SqliteLibrary.open(path)).close()


def measured(count: int, asked: int) -> list[Row]:
    """Measure all."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        home = Path(folder)
        questions = alone(make, home, count, asked)
        frames, videos = alone(contenders.exact, home / "rows.f16", questions)
        found: dict[str, Found] = {}
        for name, (work, is_slow) in OTHERS.items():
            found[name] = _said(name, alone(work, home / "rows.f16", questions[:FEW] if is_slow else questions))
        library = home / "keaton.sqlite3"
        ours = {"Keaton": budget_bytes(), "Keaton, from the disk alone": 0.0}
        found |= {name: _said(name, as_shipped(in_keaton, library, questions, budget)) for name, budget in ours.items()}
        theirs_ms = p95(found["sqlite-vec"].took_ms)
        rows = [
            row
            for name, one in found.items()
            for row in table(name, one, videos if name in ours else frames, theirs_ms, asks=name == "Keaton")
        ]
        (home / "rows.f16").unlink()
        (home / "model").mkdir()
        alone(write_model, home / "model")
        all_mb, highest_mb = as_shipped(memory, home)
    note = f"{count} frames"
    bar, aim = (2100, 1800) if count == FULL_SIZE else (None, None)
    return [
        *rows,
        Row("memory: ViT-B-32 and all frames, all processes", all_mb, "MB", bar, aim, note=note),
        Row("memory: the program alone, at its highest", highest_mb, "MB", note=note),
    ]


def budget_bytes() -> float:
    """Return what the product takes for frames unless it is told otherwise."""
    return float(Settings.model_fields["embeddings_memory_gb"].default) * GIGABYTE


def _said(name: str, found: Found) -> Found:
    print(f"{name}: {statistics.median(found.took_ms):.1f} ms; made in {found.made_s:.0f} s", flush=True)
    return found


def table(name: str, found: Found, truth: list[set[int]], theirs_ms: float, *, asks: bool) -> list[Row]:
    """Sum one means up; `asks` for the one that has bars to reach."""
    right = sum(len(set(answer) & true) for answer, true in zip(found.answers, truth, strict=False))
    recall = right / sum(len(true) for true in truth[: len(found.answers)])
    note, p95_ms = f"{found.bytes_a_frame:.0f} bytes a frame", p95(found.took_ms)
    (bar_ms, aim_ms), (bar, aim) = (BARS_MS, BARS_RATIO) if asks else (NONE, NONE)
    return [
        Row(f"{name}: median", statistics.median(found.took_ms), "ms", note=note),
        Row(f"{name}: p95", p95_ms, "ms", bar_ms, aim_ms),
        Row(f"{name}: recall", recall, ""),
        Row(f"{name}: ratio to sqlite-vec", theirs_ms / p95_ms, "x", bar, aim, more_is_better=True),
    ]


def p95(took: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(took)[int(0.95 * (len(took) - 1))]


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=FULL_SIZE)
    parser.add_argument("--questions", type=int, default=24)
    wish = parser.parse_args()
    rows = measured(wish.frames, wish.questions)
    report(f"A search of {wish.frames} frames", "searching", rows)


if __name__ == "__main__":
    main()
