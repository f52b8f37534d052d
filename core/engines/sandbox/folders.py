"""Stops a child whose folder takes too much of the disk. The system limits single files only."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

_EVERY_S = 0.5
_BLOCK_BYTES = 512


@dataclass(slots=True)
class Filling:
    """How full a folder was when it was too full; `found_bytes` is 0 as long as it is not."""

    most_bytes: int
    found_bytes: int = 0


@asynccontextmanager
async def watched(folder: Path, most_bytes: int, stop: Callable[[], None]) -> AsyncIterator[Filling]:
    """Call `stop` once the files in a folder, and in those below, take more of the disk than so many bytes."""
    filling = Filling(most_bytes)
    watching = asyncio.create_task(_watch(folder, filling, stop))
    try:
        yield filling
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(folder: Path, filling: Filling, stop: Callable[[], None]) -> None:
    while not filling.found_bytes:
        await asyncio.sleep(_EVERY_S)
        taken = await asyncio.to_thread(taken_bytes, folder)
        if taken > filling.most_bytes:
            filling.found_bytes = taken
            stop()


def taken_bytes(folder: Path) -> int:
    """Return how many bytes of the disk all files below a folder take; blocks."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # it went meanwhile
            total += path.lstat().st_blocks * _BLOCK_BYTES
    return total
