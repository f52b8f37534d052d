"""Kills Keaton at random moments and tells what was lost, doubled or left behind: nothing, it is hoped.

python -m tests.crash [--kills 100] [--seed 1] [--minutes 60]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.crash.living import lived
from tests.crash.proof import judge


async def run(kills: int, seed: int, most_s: float) -> bool:
    """Run it in a folder of its own; tell whether all holds."""
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keaton-crash-") as folder:
        async for town in lived(Path(folder), kills, seed, lambda text: print(text, flush=True), most_s):  # noqa: T201
            found = await asyncio.to_thread(judge, town)
            whys = ", ".join(f"{count} at {why}" for why, count in Counter(town.kills).items())
            for line in (
                f"seed {seed}: {found.kills} kills ({whys}) in {time.monotonic() - started_s:.0f} s",
                f"{found.videos} videos of {found.answers} requests; {found.gone_on} times a video went on half-way",
                (
                    f"lost {len(found.lost)}, doubled {len(found.doubled)}, wrong {len(found.wrong)}, "
                    f"orphans {len(found.orphans)}"
                ),
                *found.lost,
                *found.doubled,
                *found.wrong,
                *found.orphans,
            ):
                print(line)  # noqa: T201
            if not found.fine:
                print(town.program.log)  # noqa: T201
            return found.fine
    return False


def main() -> None:
    """Read the wish and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="after these it is killed no more")
    wish = parser.parse_args()
    sys.exit(0 if asyncio.run(run(wish.kills, wish.seed, wish.minutes * 60)) else 1)


if __name__ == "__main__":
    main()
