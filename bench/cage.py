"""What the cage costs: `python -m bench.cage [--film PATH] [--rounds 7]`.

Reads one film, whole, at a look a second, through children with and without the cage in turn, start of the child
included. Processor seconds tell more than the clock on a busy machine, so both are given; then the time from a film's
being down to its first look.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.table import Row, report
from core.engines.children import Children
from core.engines.frames import ChildFrameReader
from core.film_ports import Look
from core.model import Preprocess, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
BAR = 0.10
MODULES = {"caged": "core.engines.decoder", "free": "bench.uncaged"}
_PREPROCESS = Preprocess(224, "shortest", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Reading:
    """One reading of the film, in seconds."""

    first_s: float
    """Until the first look came."""
    whole_s: float
    processor_s: float


async def read(module: str, film: Path) -> Reading:
    """Read the film in a new child."""
    children = Children(module, keep_spare=False)
    before, began_s, first_s = _processor_s(), time.perf_counter(), 0.0
    async with aclosing(ChildFrameReader(children).looks(film, Sampling(), _PREPROCESS)) as events:
        async for event in events:
            if isinstance(event, Look) and not first_s:
                first_s = time.perf_counter() - began_s
    await children.close()
    return Reading(first_s, time.perf_counter() - began_s, _processor_s() - before)


async def measure(film: Path, rounds: int) -> None:
    """Print the figures."""
    readings: dict[str, list[Reading]] = {name: [] for name in MODULES}
    for _ in range(rounds):
        for name, module in MODULES.items():
            readings[name].append(await read(module, film))
    caged, free = (median(one.processor_s for one in readings[name]) for name in MODULES)
    rows = [row for name, some in readings.items() for row in _rows(name, some)]
    rows.append(Row("the cage costs", 100 * (caged / free - 1), "%", 100 * BAR, note=f"medians of {rounds}"))
    report("The decoder's cage", "cage", rows)


def _rows(name: str, some: Sequence[Reading]) -> list[Row]:
    first_s = median(one.first_s for one in some)
    return [
        Row(f"{name}: a film read", median(one.whole_s for one in some), "s", note=f"first look after {first_s:.2f} s"),
        Row(f"{name}: processor", median(one.processor_s for one in some), "s"),
    ]


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, default=ROOT / "demo" / "film.mp4")
    parser.add_argument("--rounds", type=int, default=7)
    words = parser.parse_args()
    asyncio.run(measure(words.film, words.rounds))
