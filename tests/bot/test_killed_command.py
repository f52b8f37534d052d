"""What `keaton index` was killed at is taken up by the next `keaton run`, with the page or without it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


async def begun(home: Path, *words: str, web: str) -> asyncio.subprocess.Process:
    """Start the program in a home of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "KEATON_DATA_DIR": str(home / "data"),
        "KEATON_MODEL": "demo",
        "KEATON_WEB": web,
        "KEATON_WEB_PORT": "0",
    }
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", *words, cwd=home, env=environment)


def states(home: Path) -> set[str]:
    path = home / "data" / "keaton.sqlite3"
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            return {str(state) for (state,) in file.execute("SELECT state FROM jobs WHERE item LIKE 'command:%'")}
    except sqlite3.OperationalError:  # it is being made
        return set()


async def until(home: Path, state: str) -> None:
    async with asyncio.timeout(120):
        while state not in await asyncio.to_thread(states, home):  # noqa: ASYNC110 - another process does not say so
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("web", ["on", "off"])
async def test_given_a_killed_command_when_started_again_then_its_work_goes_on(tmp_path: Path, web: str) -> None:
    command = await begun(tmp_path, "index", str(ROOT / "demo" / "film.mp4"), web=web)
    await until(tmp_path, "running")
    command.send_signal(signal.SIGKILL)
    await command.wait()
    assert await asyncio.to_thread(states, tmp_path) == {"running"}
    bot = await begun(tmp_path, "run", web=web)
    try:
        await until(tmp_path, "done")
    finally:
        bot.terminate()
        await bot.wait()
