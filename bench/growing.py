"""One size of each thing that grows, measured in this process: for `bench.growth`, which owns the sizes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import synthetic
from bench.memory import family, field_mb, write_model, write_video
from bench.searching import ask_keaton, budget_bytes, held
from bot.settings import Settings
from bot.wiring.app import open_core
from bot.wiring.engines import DEMO_FOLDER
from core.engines.plot.figures import PlotFigures
from core.model.events import Door, FilePosted, Find, Turn
from core.model.results import Curve
from core.model.video import Scope, Video, View
from core.ports.video import PlotSpec
from core.search.moments import find_moments
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.wiring.app import Product

QUESTIONS = 12
ASKING, BUSY = "people asking at once", "videos indexed while 32 people ask"
_GOING_S = 4.0


@dataclass(frozen=True)
class Cost:
    """What one size cost."""

    median_ms: float
    p95_ms: float
    memory_mb: float
    note: str = ""


def cost(took_s: list[float], note: str = "") -> Cost:
    """Sum one size up."""
    memory_mb = sum(field_mb(pid, "smaps_rollup", "Pss:") for pid in family(os.getpid()))
    p95_s = sorted(took_s)[int(0.95 * (len(took_s) - 1))]
    return Cost(statistics.median(took_s) * 1000, p95_s * 1000, memory_mb, note)


def library(frames: int) -> list[tuple[str, int, Cost]]:
    """Search a library of that many frames."""
    return [("frames in the library, one search", frames, asyncio.run(_library(frames)))]


async def _library(frames: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        path = Path(folder) / "keaton.sqlite3"
        await (await SqliteLibrary.open(path)).close()
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA synchronous = OFF")
            synthetic.write(file, synthetic.videos(frames))
        about = next(synthetic.videos(synthetic.FRAMES_A_VIDEO))
        began_s = time.perf_counter()
        async with held(path, budget_bytes()) as kept:
            note = f"read in {time.perf_counter() - began_s:.1f} s"
            took_s = []
            for question in synthetic.questions(about, QUESTIONS + 2):
                asked_s = time.perf_counter()
                await ask_keaton(kept, question)
                took_s.append(time.perf_counter() - asked_s)
            return cost(took_s[2:], note)


def video(minutes: int) -> list[tuple[str, int, Cost]]:
    """Index a video of that length with the demo's model; then find moments in its curve, and plot it."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        write_video(Path(folder) / "film.mp4", minutes)
        took_s, cost_of_it = asyncio.run(_indexed(Path(folder)))
    note = f"{minutes * 60 / took_s:.0f} times as fast as it plays"
    indexed = Cost(took_s * 1000, took_s * 1000, cost_of_it.memory_mb, note)
    return [
        ("minutes of a video, indexed", minutes, indexed),
        ("minutes of a video, moments and plot", minutes, _moments(minutes * 60)),
    ]


async def _indexed(home: Path) -> tuple[float, Cost]:
    async with open_core(
        Settings(model_name="demo", data_dir=home / "data", video_limit_min=300, decode_limit_s=3600)
    ) as core:
        await core.warm()
        began_s = time.perf_counter()
        await take_in(core, home / "film.mp4")
        took_s = time.perf_counter() - began_s
        return took_s, cost([took_s])


def _moments(frames: int) -> Cost:
    scores = (0.2 + 0.03 * np.random.default_rng(1).standard_normal(frames)).astype(np.float32)
    curve = Curve(Video("v", "", "A video", float(frames), 640, 360), np.arange(frames, dtype=np.float64), scores)
    figures, took_s = PlotFigures(), list[float]()
    for _ in range(QUESTIONS + 1):
        began_s = time.perf_counter()
        numbered = tuple(enumerate(find_moments(curve, 5), 1))
        figures.png(PlotSpec(curve, "a question", numbered, 1, "similarity", 100.0), "dark")
        took_s.append(time.perf_counter() - began_s)
    return cost(took_s[1:])


def people(model: str, askers: list[int], busy: list[int]) -> list[tuple[str, int, Cost]]:
    """Let people ask the product, alone and while videos are being indexed."""
    return asyncio.run(_people(model, askers, busy))


async def _people(model: str, askers: list[int], busy: list[int]) -> list[tuple[str, int, Cost]]:
    async with product(model) as (core, home):
        await take_in(core, DEMO_FOLDER / "film.mp4")
        await asked(core, 4, "first of all")
        made = [(ASKING, count, await asked(core, count, "alone")) for count in askers]
        return made + [(BUSY, count, await _meanwhile(core, home, count)) for count in busy]


@asynccontextmanager
async def product(model: str) -> AsyncIterator[tuple[Product, Path]]:
    """Return the product, warm, with an empty library in a home of its own, and with nobody kept waiting by limits."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        home = Path(folder)
        if model == "base":
            (home / "model").mkdir()
            write_model(home / "model")
        name = f"local-dir:{home / 'model'}" if model == "base" else "demo"
        settings = Settings(
            model_name=name,
            data_dir=home / "data",
            videos_at_once=8,
            videos_per_space=8,
            videos_per_user=0,
            turns_a_minute=0,
        )
        async with open_core(settings) as core:
            await core.warm()
            yield core, home


def turn() -> Turn:
    """Return the turn of somebody in the local chat, who sees one theme."""
    scope = Scope("local", "home", "main")
    return Turn(Door("local", ("dark",), 25), scope, View.of(scope), "u1", "Ada", "")


async def asked(core: Product, askers: int, what: str) -> Cost:
    """Let that many people ask at once, each something new."""
    return cost(list(await asyncio.gather(*(ask(core, f"{what} {askers} {number}") for number in range(askers)))))


async def ask(core: Product, what: str) -> float:
    """Ask something; give the seconds until still and plot were there. Further frames are not waited for."""
    began_s = time.perf_counter()
    async for reply in core.parts.conversation.handle(Find(turn(), f"a woman swimming in water {what}")):
        if reply.pictures:
            return time.perf_counter() - began_s
    raise RuntimeError(reply.text)


async def _meanwhile(core: Product, home: Path, count: int) -> Cost:
    """Let 32 people ask while that many videos are being indexed, over and over."""
    busy = [asyncio.create_task(_keep_busy(core, home, number)) for number in range(count)]
    await asyncio.sleep(_GOING_S)  # so that all of them are at it
    made = await asked(core, 32, f"beside {count} videos")
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    return made


async def _keep_busy(core: Product, home: Path, number: int) -> None:
    data = (DEMO_FOLDER / "film.mp4").read_bytes()
    for again in range(1000):
        path = home / f"busy-{number}-{again}.mp4"
        path.write_bytes(data + bytes([number, again % 256, again // 256]))  # another video, by its content
        await take_in(core, path)
        with suppress(OSError):
            path.unlink()


async def take_in(core: Product, path: Path) -> None:
    """Have the product index a video."""
    async for reply in core.parts.conversation.handle(FilePosted(turn(), path, path.name)):
        last = reply
    if "Ready" not in last.text:
        raise RuntimeError(last.text)
