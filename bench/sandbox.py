"""What the sandbox costs: `python -m bench.sandbox [--video PATH] [--rounds 7]`.

Reads one video, whole, at a frame a second, and cuts stills from it, through children with and without the sandbox in
turn, forked as the product does. Processor seconds tell more than the clock on a busy machine, so both are given; those
of the process that forks, which imports once, are in neither.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.table import Row, report
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.model.video import Preprocess, Sampling
from core.ports.metrics import Unwatched
from core.ports.video import SampledFrame

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
BAR = 0.10
STILLS = 20
MODULES = {"confined": "core.engines.video.worker", "free": "bench.unconfined"}
_PREPROCESS = Preprocess(224, "shortest", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Reading:
    """One reading of the video and some stills, in seconds."""

    first_s: float
    """Until the first frame came."""
    whole_s: float
    processor_s: float
    still_s: float
    """For one still: hardly more than the life of a child."""
    importing_s: float
    """Processor seconds of a process that forked one child, which did next to nothing."""


async def read(module: str, video: Path) -> Reading:
    """Read the video in a new child."""
    before = _processor_s()
    await _stills(module, video, 1)
    importing_s = _processor_s() - before
    children = ChildPool(module, forks=sys.platform == "linux")
    reader = ChildFrameReader(children, watch=Unwatched())
    await reader.still(video, 0.0, 64)
    before, began_s, first_s = _processor_s(), time.perf_counter(), 0.0
    async with aclosing(reader.frames(video, Sampling(), _PREPROCESS)) as events:
        async for event in events:
            if isinstance(event, SampledFrame) and not first_s:
                first_s = time.perf_counter() - began_s
    whole_s = time.perf_counter() - began_s
    await children.close()
    processor_s = _processor_s() - before - importing_s
    return Reading(first_s, whole_s, processor_s, await _stills(module, video, STILLS), importing_s)


async def _stills(module: str, video: Path, count: int) -> float:
    """Cut stills one after the other; return the median of seconds for one."""
    children = ChildPool(module, forks=sys.platform == "linux")
    reader, took_s = ChildFrameReader(children, watch=Unwatched()), []
    await children.warm()
    for _ in range(count):
        began_s = time.perf_counter()
        await reader.still(video, 0.0, 64)
        took_s.append(time.perf_counter() - began_s)
    await children.close()
    return median(took_s)


async def measure(video: Path, rounds: int) -> None:
    """Print the figures."""
    readings: dict[str, list[Reading]] = {name: [] for name in MODULES}
    for _ in range(rounds):
        for name, module in MODULES.items():
            readings[name].append(await read(module, video))
    confined, free = (median(one.processor_s for one in readings[name]) for name in MODULES)
    rows = [row for name, some in readings.items() for row in _rows(name, some)]
    rows.append(Row("the sandbox costs", 100 * (confined / free - 1), "%", 100 * BAR, note=f"medians of {rounds}"))
    report("The decoder's sandbox", "sandbox", rows)


def _rows(name: str, some: Sequence[Reading]) -> list[Row]:
    first_s = median(one.first_s for one in some)
    return [
        Row(
            f"{name}: a video read", median(one.whole_s for one in some), "s", note=f"first frame after {first_s:.2f} s"
        ),
        Row(f"{name}: processor", median(one.processor_s for one in some), "s"),
        Row(f"{name}: a still", 1000 * median(one.still_s for one in some), "ms", note=f"medians of {STILLS}"),
    ]


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=ROOT / "demo" / "film.mp4")
    parser.add_argument("--rounds", type=int, default=7)
    words = parser.parse_args()
    asyncio.run(measure(words.video, words.rounds))
