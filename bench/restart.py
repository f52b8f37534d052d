"""How soon a restarted Keaton answers: 1,000 finished videos, 50 open jobs, and a `/find` as soon as it is connected.

python -m bench.restart [--videos 1000] [--jobs 50]

The shipped program with the demo model, against a small Discord on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.leash import Leashed
from bench.memory import family
from bench.table import Row, report
from bot.wiring.engines import DEMO_FOLDER
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild, User
from tests.support import clips
from tests.support.discord.looking import READY, card_below

if TYPE_CHECKING:
    from tests.fakes.discord_world import Channel, Message

BAR_S = 5.0
VARIETY = 0.5
_START_S = 120.0
_COPIED = {
    "videos": ("id", "url", "title", "duration_s", "width_px", "height_px", "truncated", "uploader"),
    "thumbnails": ("video_id", "time_s", "jpeg"),
}


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    videos: int
    jobs: int
    connected_s: float
    """From the start of the process until it listens."""
    first_find_s: float
    """From a `/find` at that moment to its answer, with frame and plot."""
    processor_s: float
    second_find_s: float
    jobs_left: int
    """Open jobs when the first answer stood."""


async def measure(folder: Path, videos: int, jobs: int) -> Figures:
    """Fill a library, leave jobs open, start Keaton and ask."""
    async with FakeDiscord() as fake:
        guild = Guild("A server")
        square, ada = guild.channel("square"), User("Ada")
        fake.guilds.append(guild)
        program = Leashed(fake, folder)
        program.settings |= {"KEATON_VIDEOS_PER_USER": "0", "KEATON_TURNS_A_MINUTE": "0"}
        try:
            await _fill(fake, program, square, ada, videos)
            posted = await _leave_open(fake, program, square, ada, folder, jobs)
            return await _ask(fake, program, square, ada, videos, posted)
        finally:
            await program.kill()


async def _fill(fake: FakeDiscord, program: Leashed, square: Channel, ada: User, videos: int) -> None:
    await program.ensure_running()
    first = await fake.post(square, ada, fake.cdn.publish(DEMO_FOLDER / "film.mp4"))
    await fake.until(lambda: card_below(first, READY), "the first video", _START_S)
    await program.stop()
    await asyncio.to_thread(copy_video, Path(program.settings["KEATON_DATA_DIR"]) / "keaton.sqlite3", videos - 1)


def copy_video(database: Path, copies: int) -> None:
    """Let the one video of a library be there so many times more."""
    with closing(sqlite3.connect(database)) as db, db:
        ((video_id, indexing_id),) = db.execute("SELECT video_id, id FROM indexings").fetchall()
        chunks = db.execute(
            "SELECT number, times_s, vectors FROM chunks WHERE indexing_id = ?", (indexing_id,)
        ).fetchall()
        dim = len(chunks[0][2]) // (len(chunks[0][1]) // 8) // 2
        for number in range(copies):
            copy = f"{video_id}-{number}"
            _copy(db, "videos", "id", video_id, copy)
            _copy(db, "thumbnails", "video_id", video_id, copy)
            _copy_posting(db, video_id, copy)
            made = db.execute(
                "INSERT INTO indexings (video_id, recipe_key) SELECT ?, recipe_key FROM indexings WHERE id = ?",
                (copy, indexing_id),
            )
            rows = [(made.lastrowid, *chunk[:2], _varied(chunk[2], dim, number)) for chunk in chunks]
            db.executemany("INSERT INTO chunks (indexing_id, number, times_s, vectors) VALUES (?, ?, ?, ?)", rows)


def _varied(vectors: bytes, dim: int, number: int) -> bytes:
    """Give other looks, as near to those of the first video as looks of another video of such things are."""
    looks = np.frombuffer(vectors, "<f2").reshape(-1, dim).astype(np.float32)
    away = np.random.default_rng(number).standard_normal(looks.shape, np.float32)
    mixed = looks + VARIETY * away / np.linalg.norm(away, axis=1, keepdims=True)
    return bytes((mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype("<f2").tobytes())


def _copy(db: sqlite3.Connection, table: str, key: str, old: str, new: str) -> None:
    rest = ", ".join(name for name in _COPIED[table] if name != key)
    db.execute(f"INSERT INTO {table} ({key}, {rest}) SELECT ?, {rest} FROM {table} WHERE {key} = ?", (new, old))  # noqa: S608


def _copy_posting(db: sqlite3.Connection, old: str, new: str) -> None:
    """Let the message that holds the first video hold another."""
    names = [row[1] for row in db.execute("PRAGMA table_info(postings)") if row[1] not in {"id", "video_id"}]
    rest = ", ".join(names)
    db.execute(
        f"INSERT INTO postings (video_id, {rest}) SELECT ?, {rest} FROM postings WHERE video_id = ?",  # noqa: S608
        (new, old),
    )


async def _leave_open(
    fake: FakeDiscord, program: Leashed, square: Channel, ada: User, folder: Path, jobs: int
) -> list[Message]:
    """Post videos whose site does not answer yet, and kill Keaton over them."""
    posted = []
    gate = asyncio.Event()
    await program.ensure_running()
    for number in range(jobs):
        name = f"open{number}.mp4"
        fake.cdn.gates[name] = gate
        scenes = [("red", 2.0), ("green", 2 + number / 25)]
        video = clips.make_clip(folder / name, scenes, clips.Shape(size=(96, 64), patterned=True))
        posted.append(await fake.post(square, ada, fake.cdn.publish(video)))
    await fake.until(lambda: all(card_below(one, "") for one in posted), "all taken up", _START_S)
    await program.kill()
    gate.set()
    return posted


async def _ask(
    fake: FakeDiscord, program: Leashed, square: Channel, ada: User, videos: int, posted: list[Message]
) -> Figures:
    before, started_s = fake.connections, time.perf_counter()
    await program.start()
    await fake.until(lambda: fake.connections > before, "a connection", _START_S)
    connected_s = time.perf_counter() - started_s
    first_s = await _find(fake, square, ada, "a woman swimming in water")
    used_s = processor_s(program.pid)
    left = sum(card_below(one, READY) is None for one in posted)
    second_s = await _find(fake, square, ada, "a steam train in the snow")
    return Figures(videos, len(posted), connected_s, first_s, used_s, second_s, left)


def processor_s(pid: int) -> float:
    """Give the seconds of processor that a program and its living children have taken, and those that they buried."""
    ticks = 0
    for one in family(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def _find(fake: FakeDiscord, square: Channel, ada: User, text: str) -> float:
    asked_s = time.perf_counter()
    it = await fake.slash(square, ada, "find", text=text)
    await fake.until(lambda: it.shown and "Moment" in it.shown.text, "an answer", _START_S)
    return time.perf_counter() - asked_s


def rows(figures: Figures) -> list[Row]:
    """Give the table."""
    note = f"{figures.videos} videos, {figures.jobs} open jobs, {figures.jobs_left} of them when the first answer stood"
    return [
        Row("connected after", figures.connected_s, "s"),
        Row("the first /find then", figures.first_find_s, "s", BAR_S, note=note),
        Row("processor time until its answer", figures.processor_s, "s", note="of the program and its children"),
        Row("the second /find", figures.second_find_s, "s"),
        Row("the first in seconds", figures.first_find_s / figures.second_find_s, "x"),
    ]


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=50)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        figures = asyncio.run(measure(Path(folder), wish.videos, wish.jobs))
    report("A restart", "restart", rows(figures))


if __name__ == "__main__":
    main()
