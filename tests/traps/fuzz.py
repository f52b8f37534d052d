"""Feeds damaged videos to the product's own decoder: `python -m tests.traps.fuzz [--videos 2000] [--seed 1]`.

Each video is read in its own child, as the product does, once whole, once for a still and once for a clip. What may
happen: it is read, refused with one of Keaton's errors, or it kills its child. What may not: any other exception, or a
child left.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildClipper, ChildFrameReader
from core.errors import AppError, DecoderDied
from core.limits import VideoLimits
from core.model.video import Preprocess, Sampling
from core.ports.metrics import Unwatched
from core.ports.video import ClipWish
from tests.traps import videos

LIMITS = VideoLimits(duration_s=3600, frame_px=4_000_000, frames=20_000, decode_s=20, memory_bytes=600_000_000)
_MARK = "KEATON_FUZZ"
_WISH = ClipWish(0.5, 1.5, "mp4", 120, 30.0, 200_000, sound=True)
_PREPROCESS = Preprocess(32, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(slots=True)
class Figures:
    """What became of the videos."""

    videos: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """"read", or the name of the error."""
    deaths: Counter[str] = field(default_factory=Counter)
    """How children died that did."""
    bugs: list[str] = field(default_factory=list)
    children_left: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"{self.videos} videos in {self.seconds:.0f} s; children left: {self.children_left}"]
        lines += [f"{count:6} {name}" for name, count in self.ends.most_common()]
        lines += [f"{count:6} deaths by {name}" for name, count in self.deaths.most_common()]
        return "\n".join(lines + [f"BUG {bug}" for bug in self.bugs])


async def fuzz(count: int, seed: int, folder: Path, at_once: int = 2) -> Figures:
    """Read that many damaged videos."""
    figures, began_s = Figures(), time.monotonic()
    mark = f"{os.getpid()}-{began_s}"
    chance = random.Random(seed)  # noqa: S311 - damage is no secret
    originals = [videos.sound(folder / f"sound.{kind}").read_bytes() for kind in videos.KINDS]
    children = ChildPool("core.engines.video.worker", {_MARK: mark}, forks=True)
    reader, gate = ChildFrameReader(children, LIMITS, patience_s=30, watch=Unwatched()), asyncio.Semaphore(at_once)

    async def one(number: int, data: bytes) -> None:
        async with gate:
            path = folder / f"{number}.{videos.KINDS[number % len(videos.KINDS)]}"
            path.write_bytes(data)
            await _try(reader, path, figures)
            path.unlink()

    damaged = (videos.mutated(originals[number % len(originals)], chance) for number in range(count))
    await asyncio.gather(*(one(number, data) for number, data in enumerate(damaged)))
    await children.close()
    figures.seconds = time.monotonic() - began_s
    figures.children_left = len(marked(mark))
    return figures


async def _try(reader: ChildFrameReader, path: Path, figures: Figures) -> None:
    figures.videos += 1
    end = "read"
    try:
        async with aclosing(reader.frames(path, Sampling(), _PREPROCESS)) as events:
            async for _ in events:
                pass
        await reader.still(path, 1.0, 200)
        await ChildClipper(reader, most_s=60).clip(path, _WISH, lambda _: None)
    except AppError as error:
        end = type(error).__name__
        if isinstance(error, DecoderDied):
            figures.deaths[error.detail[:120]] += 1
    except Exception as error:  # noqa: BLE001 - that is what this looks for
        end = "bug"
        figures.bugs.append(f"{path.name}: {error!r}")
    figures.ends[end] += 1


def marked(mark: str) -> list[int]:
    """Give the processes that bear a mark in their environment, which all children inherit."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if f"{_MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def running(module: str) -> list[int]:
    """Give the children of this process that run a module; a test run has some for other tests too."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if module.encode() in words and int(parent) == os.getpid():
            found.append(int(place.name))
    return found


def main() -> int:
    """Run, print the figures, and give 1 where the parent met a bug or a child is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-fuzz-") as folder:
        figures = asyncio.run(fuzz(words.videos, words.seed, Path(folder)))
    print(figures)  # noqa: T201 - a program's figures
    return 1 if figures.bugs or figures.children_left else 0


if __name__ == "__main__":
    sys.exit(main())
