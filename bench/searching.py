"""A search of many looks by each of several means, side by side on the same vectors and questions.

python -m bench.searching [--looks 200000] [--questions 20] [--json FILE]

Everything but the last two gives the ten nearest looks; Keaton gives the eight best films with their whole curves, from
the library's own file, with the check that nothing was forgotten meanwhile. `--looks 1000000` is the bar's size, and
takes some 10 GB of memory, since all contenders hold the vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import sqlite_vec  # type: ignore[import-untyped]
import torch
from usearch.index import search

from bench import synthetic
from core.best import best_curves
from core.engines.held import ERROR, HeldLooks
from core.engines.quick import products
from core.model import Curve
from storage.library import SqliteLibrary
from storage.looks import SqliteLooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from core.looks import Halves, Kept
    from core.model import Floats

MOST = 10
MOST_FILMS = 8
WARM_UPS = 2
BAR_RATIO, AIM_RATIO, BAR_MS, AIM_MS = 12, 40, 100, 30
THEIRS, OURS = "sqlite-vec", "Keaton"


@dataclass(frozen=True)
class Row:
    """What one means took."""

    name: str
    median_ms: float
    p95_ms: float
    bytes_a_look: float
    """In memory, for the search alone."""
    recall: float
    """Of what comparing every look as float32 finds, how much this finds."""
    ratio: float = 1.0
    """How many times faster than sqlite-vec, by the p95."""


def timed(questions: Floats, ask: Callable[[Floats], Sequence[int]]) -> tuple[list[float], list[Sequence[int]]]:
    """Ask each question once, after some that do not count; give milliseconds and answers."""
    for question in questions[:WARM_UPS]:
        ask(question)
    took_ms, answers = [], []
    for question in questions:
        began_s = time.perf_counter()
        answers.append(ask(question))
        took_ms.append((time.perf_counter() - began_s) * 1000)
    return took_ms, answers


def row(
    name: str, took_ms: list[float], answers: Sequence[Sequence[int]], truth: list[set[int]], bytes_a_look: float
) -> Row:
    """Sum one means up."""
    found = sum(len(set(answer) & true) for answer, true in zip(answers, truth, strict=True))
    p95_ms = sorted(took_ms)[int(0.95 * (len(took_ms) - 1))]
    return Row(name, statistics.median(took_ms), p95_ms, bytes_a_look, found / sum(map(len, truth)))


def exact(rows: Halves, questions: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Give the (Q, N) float32 scores of all looks."""
    scores = np.empty((len(questions), len(rows)), np.float32)
    for start in range(0, len(rows), 1 << 15):
        part = slice(start, start + (1 << 15))
        scores[:, part] = questions @ rows[part].astype(np.float32).T
    return scores


def top(scores: np.ndarray[Any, Any]) -> list[int]:
    """Give the places of the highest."""
    return [int(place) for place in np.argpartition(-scores, MOST)[:MOST]]


def in_sqlite_vec(rows: Halves, questions: Floats, truth: list[set[int]]) -> Row:
    """Measure sqlite-vec, through apsw, since most Pythons' own SQLite loads no extensions."""
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute(f"CREATE VIRTUAL TABLE looks USING vec0(vector float[{synthetic.DIM}] distance_metric=cosine)")
    with db:
        for start in range(0, len(rows), 4096):
            part = enumerate(rows[start : start + 4096].astype(np.float32), start)
            db.executemany("INSERT INTO looks (rowid, vector) VALUES (?, ?)", ((n, one.tobytes()) for n, one in part))
    sql = f"SELECT rowid FROM looks WHERE vector MATCH ? AND k = {MOST} ORDER BY distance"  # noqa: S608 - a number
    took = timed(questions, lambda question: [int(found) for (found,) in db.execute(sql, (question.tobytes(),))])
    db.close()
    return row(THEIRS, *took, truth, 4 * synthetic.DIM)


def in_numpy(rows: Halves, questions: Floats, truth: list[set[int]]) -> Row:
    """Measure a float32 matrix in numpy."""
    wide = rows.astype(np.float32)
    return row("numpy float32", *timed(questions, lambda question: top(wide @ question)), truth, 4 * synthetic.DIM)


def in_usearch(rows: Halves, questions: Floats, truth: list[set[int]]) -> Row:
    """Measure usearch's exact search."""

    def ask(question: Floats) -> list[int]:
        return [int(key) for key in search(rows, question.astype(np.float16), MOST, "ip", exact=True, threads=2).keys]

    return row("usearch exact f16", *timed(questions, ask), truth, 2 * synthetic.DIM)


def in_torch(rows: Halves, questions: Floats, truth: list[set[int]], kind: torch.dtype, name: str) -> Row:
    """Measure torch's product of a matrix with a vector."""
    looks = torch.from_numpy(rows).to(kind)

    def ask(question: Floats) -> list[int]:
        found = torch.topk(torch.mv(looks, torch.from_numpy(question).to(kind)), MOST).indices.tolist()
        return list(map(int, found))

    return row(name, *timed(questions, ask), truth, 2 * synthetic.DIM)


@asynccontextmanager
async def held(path: Path, budget_bytes: float) -> AsyncIterator[HeldLooks]:
    """Hold a library as the product does."""
    library = await SqliteLibrary.open(path)
    with ThreadPoolExecutor(1) as pool:
        looks = HeldLooks(SqliteLooks(library.connections), pool, products, ERROR, budget_bytes)
        began_s = time.perf_counter()
        await looks.use(synthetic.RECIPE, synthetic.DIM)
        print(f"  read into memory in {time.perf_counter() - began_s:.1f} s")
        try:
            yield looks
        finally:
            await looks.close()
            await library.close()


async def ask_keaton(looks: HeldLooks, question: Floats) -> list[int]:
    """Search as `core.search` does; give the numbers of the best films."""
    peaks = await looks.peaks(synthetic.VIEW, synthetic.RECIPE, question[None])

    async def compare(film: Kept) -> Curve | None:
        index = await looks.index(film)
        return Curve(film.video, index.times_s, index.vectors @ question) if index else None

    curves = await best_curves(peaks.films, peaks.highest[0], compare, MOST_FILMS, _peak)
    return [int(curve.video.id.partition(":")[2]) for curve in curves]


def _peak(curve: Curve) -> float:
    return float(curve.scores.max())


async def in_keaton(
    path: Path, questions: Floats, truth: list[set[int]], budget_bytes: float, count: int, name: str
) -> Row:
    """Measure Keaton's own search, but for the words."""
    async with held(path, budget_bytes) as looks:
        took_ms, answers = [], []
        for question in [*questions[:WARM_UPS], *questions]:
            began_s = time.perf_counter()
            answers.append(await ask_keaton(looks, question))
            took_ms.append((time.perf_counter() - began_s) * 1000)
        return row(name, took_ms[WARM_UPS:], answers[WARM_UPS:], truth, looks.held_bytes / count)


def measure(count: int, asked: int) -> list[Row]:
    """Measure all."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        path = Path(folder) / "keaton.sqlite3"
        asyncio.run(_make(path))
        made = list(synthetic.films(count))
        with closing(sqlite3.connect(path)) as file:
            synthetic.write(file, iter(made))
        rows = np.concatenate(made)
        questions = synthetic.questions(rows, asked)
        scores = exact(rows, questions)
        looks_truth = [set(top(one)) for one in scores]
        best = [np.maximum.reduceat(one, np.arange(0, count, synthetic.LOOKS_A_FILM)) for one in scores]
        films_truth = [set(map(int, np.argsort(-one, kind="stable")[:MOST_FILMS])) for one in best]
        del scores, made
        found = [
            in_sqlite_vec(rows, questions, looks_truth),
            in_numpy(rows, questions, looks_truth),
            in_usearch(rows, questions, looks_truth),
            in_torch(rows, questions, looks_truth, torch.bfloat16, "torch bfloat16"),
            in_torch(rows, questions, looks_truth, torch.float16, "torch float16"),
        ]
        del rows
        found.append(asyncio.run(in_keaton(path, questions, films_truth, float("inf"), count, OURS)))
        found.append(asyncio.run(in_keaton(path, questions, films_truth, 0, count, "Keaton, codes and disk")))
    theirs_ms = found[0].p95_ms
    return [Row(**{**asdict(one), "ratio": theirs_ms / one.p95_ms}) for one in found]


async def _make(path: Path) -> None:
    await (await SqliteLibrary.open(path)).close()


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--json", type=Path)
    wish = parser.parse_args()
    machine = platform.processor() or platform.machine()
    print(f"{wish.looks} looks of {synthetic.DIM}; {machine}, torch {torch.__version__}")
    found = measure(wish.looks, wish.questions)
    print(f"{'':<24} {'median':>9} {'p95':>9} {'bytes':>7} {'recall':>7} {'ratio':>7}")
    for one in found:
        figures = f"{one.median_ms:6.1f} ms {one.p95_ms:6.1f} ms {one.bytes_a_look:7.0f}"
        print(f"{one.name:<24} {figures} {one.recall:7.3f} {one.ratio:6.1f}x")
    print(f"bar at 1M looks: {BAR_RATIO}x and {BAR_MS} ms; aim: {AIM_RATIO}x and {AIM_MS} ms")
    if wish.json:
        wish.json.write_text(json.dumps({"looks": wish.looks, "rows": [asdict(one) for one in found]}, indent=2))


if __name__ == "__main__":
    main()
