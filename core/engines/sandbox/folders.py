"""Stops a child whose folder takes too much of the disk. The system limits single files only."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from stat import S_ISDIR
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

_EVERY_S = 0.5
_BLOCK_BYTES = 512
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEPEST = 64
"""Each level takes a descriptor."""
_MOST_FILES = 100_000


@dataclass(slots=True)
class Filling:
    """How full a folder was when it was too full; `found_bytes` is 0 as long as it is not."""

    most_bytes: int
    found_bytes: int = 0
    unmeasured: str = ""
    """Why it could not be measured, or ""."""


@asynccontextmanager
async def watched(folder: Path, most_bytes: int, stop: Callable[[], None]) -> AsyncIterator[Filling]:
    """Call `stop` once the files in a folder, and in those below, take more of the disk than so many bytes.

    Likewise once that cannot be told any more.
    """
    filling = Filling(most_bytes)
    watching = asyncio.create_task(_watch(folder, filling, stop))
    try:
        yield filling
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(folder: Path, filling: Filling, stop: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            taken = await asyncio.to_thread(taken_bytes, folder)
        except OSError as error:
            filling.unmeasured = error.strerror or str(error)
            break
        if taken > filling.most_bytes:
            filling.found_bytes = taken
            break
    stop()


def taken_bytes(folder: Path) -> int:
    """Return how many bytes of the disk all files below a folder take; blocks.

    What goes meanwhile does not count. Raises OSError where that cannot be told: a folder below may not be read, or
    there are more files, or folders in folders, than a fetch ever makes.
    """
    place = os.open(folder, _FOLDER)
    try:
        return _Measuring().taken_bytes(place)
    finally:
        os.close(place)


@dataclass(slots=True)
class _Measuring:
    """A walk by descriptors: names may be longer, together, than any path may be, and folders may be exchanged."""

    seen: int = 0
    depth: int = 0

    def taken_bytes(self, place: int) -> int:
        total = 0
        with suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                self.seen += 1
                if self.seen > _MOST_FILES:
                    raise OSError(errno.EMFILE, "too many files to be measured")
                total += self._of(entry, place)
        return total

    def _of(self, entry: os.DirEntry[str], place: int) -> int:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return 0
        below = self._below(entry.name, place) if S_ISDIR(found.st_mode) else 0
        return found.st_blocks * _BLOCK_BYTES + below

    def _below(self, name: str, place: int) -> int:
        if self.depth == _DEEPEST:
            raise OSError(errno.ENAMETOOLONG, "folders too deep to be measured")
        try:
            inner = os.open(name, _FOLDER, dir_fd=place)
        except (FileNotFoundError, NotADirectoryError):  # it went, or is something else by now
            return 0
        self.depth += 1
        try:
            return self.taken_bytes(inner)
        finally:
            self.depth -= 1
            os.close(inner)
