"""How long the shipped program takes: start to page, demo video indexed, first `/find`, warm `/find`.

python -m bench.answering
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from bench.table import Row, report
from tests.support.tabs import Tab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parent.parent
VIDEO = ROOT / "demo" / "film.mp4"
WARM_ASKS = 20
IDLE_S = 15.0
QUERY = "a woman swimming in water"
BARS = {"page_s": 10.0, "indexed_s": 10.0, "first_find_s": 1.0, "warm_find_median_s": 0.4, "warm_find_p95_s": 0.3}


@dataclass(frozen=True)
class Place:
    """Where the program listens."""

    address: str
    """Of the page, with its token."""

    @property
    def url(self) -> str:
        """Give the page's address without the token."""
        return self.address.partition("?")[0]


@dataclass(frozen=True)
class Figures:
    """All in seconds."""

    page_s: float
    """From the start of the process to a page that answers."""
    ready_s: float
    """From the start of the process until the demo video can be searched: model loaded, video indexed."""
    indexed_s: float
    """From the demo video's file dropped into the page until it can be searched, contact sheet and all."""
    first_find_s: float
    """The first search of this process, with frame and plot for both themes, as a tab sees it."""
    tenth_find_s: float
    idle_find_s: float
    """The first search after nobody has asked for a while."""
    warm_find_median_s: float
    warm_find_p95_s: float


@asynccontextmanager
async def keaton(home: Path) -> AsyncIterator[Place]:
    """Start the program with nothing set, as a newcomer would."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "KEATON_WEB_PORT": "0"}
    arguments = (sys.executable, "-u", "-m", "bot", "run")
    pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*arguments, cwd=home, env=environment, stdout=pipe, stderr=none)
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield Place(line.decode().split()[3])
    finally:
        process.terminate()
        await process.wait()


async def measure() -> Figures:
    """Run it all once, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as home:
        started_s = time.perf_counter()
        async with keaton(Path(home)) as place, aiohttp.ClientSession() as session:
            async with session.get(place.address) as response:
                await response.read()
            page_s = time.perf_counter() - started_s
            async with Tab(place, session, "bench").open() as tab:
                await tab.until_text("Ready to search")
                ready_s = time.perf_counter() - started_s
                finds_s = [await ask(tab, f"{QUERY} {number}" if number else QUERY) for number in range(WARM_ASKS + 1)]
                await asyncio.sleep(IDLE_S)
                idle_s = await ask(tab, f"{QUERY} after a rest")
                indexed_s = await index(tab)
    warm_s = sorted(finds_s[1:])
    p95_s = warm_s[int(0.95 * len(warm_s))]
    return Figures(page_s, ready_s, indexed_s, finds_s[0], finds_s[9], idle_s, statistics.median(warm_s), p95_s)


async def index(tab: Tab) -> float:
    """Forget the demo video and drop its file into the page; give the seconds until it can be searched again."""
    await tab.say("/forget Keaton's demo video")
    await tab.until_text("Forgotten")
    started_s = time.perf_counter()
    await tab.send_file("again.mp4", VIDEO.read_bytes())
    await tab.until(lambda message: message.get("title") == "again" and "Ready to search" in message["text"])
    return time.perf_counter() - started_s


async def ask(tab: Tab, text: str) -> float:
    """Search, and wait until the frame and the plot have come too."""
    started_s = time.perf_counter()
    await tab.say(f"/find {text}")
    answer = await tab.until(lambda message: str(message.get("title")).startswith(f"“{text}”"))
    for picture in answer["pictures"]:
        await _picture(tab, picture)
    return time.perf_counter() - started_s


async def _picture(tab: Tab, picture: dict[str, Any]) -> None:
    address = picture["urls"]["light"]
    status, image, _ = await tab.get(address)
    if status != 200 or not image:
        raise RuntimeError(f"picture {address} did not come: {status}")


def rows(figures: Figures) -> list[Row]:
    """Give the table."""
    return [Row(name, value_s, "s", BARS.get(name)) for name, value_s in asdict(figures).items()]


def main() -> None:
    """Measure, print a table, and write JSON."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    report("The shipped program", "answering", rows(asyncio.run(measure())))


if __name__ == "__main__":
    main()
