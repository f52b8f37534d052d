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

from core.engines.children import Children
from core.engines.frames import ChildFrameReader
from core.model import Preprocess, Sampling
from core.ports import Look

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
    for name, some in readings.items():
        whole_s, processor_s = median(one.whole_s for one in some), median(one.processor_s for one in some)
        first_s = median(one.first_s for one in some)
        print(f"{name:6} {whole_s:6.2f} s, {processor_s:6.2f} s of processor; first look after {first_s:.2f} s")
    caged, free = (median(one.processor_s for one in readings[name]) for name in MODULES)
    print(f"the cage costs {caged / free - 1:+.1%} of processor time (bar {BAR:.0%}); medians of {rounds}")


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, default=ROOT / "demo" / "film.mp4")
    parser.add_argument("--rounds", type=int, default=7)
    words = parser.parse_args()
    asyncio.run(measure(words.film, words.rounds))
