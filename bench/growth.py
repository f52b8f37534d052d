"""What a question costs as things grow: the library, the film, those who ask at once, the films looked at meanwhile.

python -m bench.growth [--full] [--model demo|base] [--json FILE]

The library is made up (`bench.synthetic`); the askers ask the shipped product in this process, with the demo film.
`base` is ViT-B-32 with random weights, which cost what trained ones do. Memory is this process's resident set at the
end of each row: it hardly shrinks from one row to the next.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import synthetic
from bench.memory import field_mb, write_model
from bot.settings import Settings
from bot.wiring import DEMO_FOLDER, open_core
from core.best import best_curves
from core.engines.held import ERROR, HeldLooks
from core.engines.plot import draw
from core.engines.quick import products
from core.model import Curve, Scope, Video, View
from core.moments import find_moments
from core.ports import PlotSpec
from core.talk import Door, FilePosted, Find, Turn
from storage.library import SqliteLibrary
from storage.looks import SqliteLooks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.wiring import Core
    from core.looks import Kept
    from core.model import Floats

QUESTIONS = 12
BUDGET_BYTES = 3_000_000_000
HOUR_S = 3600


@dataclass(frozen=True)
class Row:
    """What one size cost."""

    what: str
    size: int
    median_ms: float
    p95_ms: float
    memory_mb: float


def row(what: str, size: int, took_s: list[float]) -> Row:
    """Sum one size up, and show it at once."""
    p95_s = sorted(took_s)[int(0.95 * (len(took_s) - 1))]
    made = Row(what, size, statistics.median(took_s) * 1000, p95_s * 1000, field_mb(os.getpid(), "status", "VmRSS:"))
    print(f"{what:<36} {size:>9} {made.median_ms:9.1f} ms {made.p95_ms:9.1f} ms {made.memory_mb:8.0f} MB", flush=True)
    return made


def turn() -> Turn:
    """Give the turn of somebody in the local chat, who sees one theme."""
    scope = Scope("local", "home", "main")
    return Turn(Door("local", ("dark",), 25), scope, View.of(scope), "u1", "Ada", "")


async def library(looks: int) -> Row:
    """Search a library of that many looks."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder, ThreadPoolExecutor(1) as pool:
        path = Path(folder) / "keaton.sqlite3"
        kept = await SqliteLibrary.open(path)
        with closing(sqlite3.connect(path)) as file:
            synthetic.write(file, synthetic.films(looks))
        held = HeldLooks(SqliteLooks(kept.connections), pool, products, ERROR, BUDGET_BYTES)
        about = next(synthetic.films(synthetic.LOOKS_A_FILM))
        took_s = [await _searched(held, question) for question in synthetic.questions(about, QUESTIONS + 2)]
        made = row("looks in the library, a search", looks, took_s[2:])
        await held.close()
        await kept.close()
        return made


async def _searched(held: HeldLooks, question: Floats) -> float:
    began_s = time.perf_counter()
    peaks = await held.peaks(synthetic.VIEW, synthetic.RECIPE, question[None])

    async def compare(films: Sequence[Kept]) -> list[Curve | None]:
        indexes = await held.indexes(films)
        return [
            Curve(film.video, index.times_s, index.vectors @ question) if index else None
            for film, index in zip(films, indexes, strict=True)
        ]

    await best_curves(peaks.films, peaks.highest[0], compare, 8, lambda curve: float(curve.scores.max()))
    return time.perf_counter() - began_s


def film(minutes: int) -> Row:
    """Find the moments of a film of that length, and plot it."""
    looks = minutes * 60
    scores = (0.2 + 0.03 * np.random.default_rng(1).standard_normal(looks)).astype(np.float32)
    curve = Curve(Video("v", "", "A film", float(looks), 640, 360), np.arange(looks, dtype=np.float64), scores)
    took_s = []
    for _ in range(QUESTIONS):
        began_s = time.perf_counter()
        numbered = tuple(enumerate(find_moments(curve, 5), 1))
        draw(PlotSpec(curve, "a question", numbered, 1, "similarity", 100.0), "dark")
        took_s.append(time.perf_counter() - began_s)
    return row("minutes of a film, moments and plot", minutes, took_s)


async def asked(core: Core, askers: int, what: str) -> Row:
    """Let that many people ask at once, each something new."""

    async def ask(number: int) -> float:
        began_s = time.perf_counter()
        async for reply in core.conversation.handle(
            Find(turn(), f"a woman swimming in water {what} {askers} {number}")
        ):
            last = reply
        if not last.pictures:
            raise RuntimeError(last.text)
        return time.perf_counter() - began_s

    return row(what, askers, list(await asyncio.gather(*map(ask, range(askers)))))


async def people(model: str, askers: list[int], films: list[int]) -> list[Row]:
    """Ask the product, alone and while films are being looked at."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        home = Path(folder)
        if model == "base":
            write_model(home)
        name = f"local-dir:{home}" if model == "base" else "demo"
        settings = Settings(
            model_name=name, data_dir=home / "data", turns_a_minute=0, films_at_once=8, films_a_space=8, films_a_user=0
        )
        async with open_core(settings) as core:
            await core.warm()
            await _take_in(core, DEMO_FOLDER / "film.mp4")
            await asked(core, 1, "people asking, the first")
            made = [await asked(core, count, "people asking") for count in askers]
            return made + [await _meanwhile(core, home, count) for count in films]


async def _meanwhile(core: Core, home: Path, count: int) -> Row:
    """Let 32 people ask while that many films are being looked at, over and over."""
    busy = [asyncio.create_task(_keep_busy(core, home, number)) for number in range(count)]
    await asyncio.sleep(4)  # so that all of them are at it
    made = await asked(core, 32, f"people asking, {count} films at it")
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    return made


async def _keep_busy(core: Core, home: Path, number: int) -> None:
    data = (DEMO_FOLDER / "film.mp4").read_bytes()
    for again in range(1000):
        path = home / f"busy-{number}-{again}.mp4"
        path.write_bytes(data + bytes([number, again % 256, again // 256]))  # another film, by its content
        await _take_in(core, path)
        with suppress(OSError):
            path.unlink()


async def _take_in(core: Core, path: Path) -> None:
    async for _ in core.conversation.handle(FilePosted(turn(), path, path.name)):
        pass


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--model", choices=["demo", "base"], default="demo")
    parser.add_argument("--json", type=Path)
    wish = parser.parse_args()
    os.chdir(tempfile.gettempdir())  # no .env of whoever measures
    print(f"{'':<36} {'':>9} {'median':>12} {'p95':>12} {'memory':>11}")
    asking = people(
        wish.model, [1, 4, 32] if not wish.full else [1, 2, 4, 8, 16, 32], [1, 2, 4, 8] if wish.full else [2]
    )
    made = asyncio.run(asking)
    made += [film(minutes) for minutes in ([1, 10, 60, 240] if wish.full else [1, 60, 240])]
    sizes = [1000, 10_000, 100_000, *([1_000_000, 10_000_000] if wish.full else [])]
    made += [asyncio.run(library(looks)) for looks in sizes]
    print("bar: 32 people while 2 films are at it, p95 3000 ms (aim 1500); 1M looks 100 ms (aim 30)")
    if wish.json:
        wish.json.write_text(json.dumps([asdict(one) for one in made], indent=2))


if __name__ == "__main__":
    main()
