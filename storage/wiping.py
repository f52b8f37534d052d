"""Takes what was forgotten off the disk: from the log, and from between the rows of the file.

It happens in the background, as soon as it is safe: under the write lock, over an empty log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.concurrency import to_its_end
from core.errors import StorageUnusable
from storage import residue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiosqlite

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 1.0
"""SQLite does not tell when the last reader of the log has gone: it has to be asked again."""


class Sweeper:
    """Tries something in the background until it succeeds."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]], pause_s: float) -> None:
        """Take what is to be done: it tells whether all of it is. It is tried again after a pause that grows."""
        self._sweep = sweep
        self._pause_s = pause_s
        self._is_due = False
        self._later: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Tell whether it was asked for and has not gone well since."""
        return self._is_due

    async def now(self) -> None:
        """Try it now; where that is too early, have it tried until it went well. Raises nothing of the disk."""
        self._is_due = True
        if not await self._try():
            log.info("what was forgotten cannot be taken off the disk yet; that is tried until it can")
            self.soon()

    def soon(self) -> None:
        """Have it done after a pause, and once for all that ask for it until then."""
        self._is_due = True
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._until_done())

    async def done(self) -> None:
        """Wait until nothing is left to be done."""
        while self._later is not None and not self._later.done():
            await asyncio.shield(self._later)

    async def close(self) -> None:
        """Try no more."""
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)

    async def _until_done(self) -> None:
        pause_s = self._pause_s
        while self._is_due:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await self._try()

    async def _try(self) -> bool:
        self._is_due = False
        try:
            is_done = await self._sweep()
        except StorageUnusable as error:  # what was forgotten is, and this goes on
            log.debug("what was forgotten still stands on the disk: %s", error.reason)
            is_done = False
        except asyncio.CancelledError:
            self._is_due = True
            raise
        self._is_due = self._is_due or not is_done
        return is_done


_PATIENCE_S = 30.0
_MOST_PAGES = 1 << 16
"""So many are searched: 256 MB. The trees of BLOBs come last, whose pages are most of a large database."""
_ROOTS = """
    SELECT rootpage FROM sqlite_master AS made WHERE rootpage > 0 ORDER BY type = 'table' AND EXISTS (
        SELECT 1 FROM pragma_table_info(made.name) WHERE type = 'BLOB'
    ), rootpage
"""


async def find(reader: aiosqlite.Connection, database: Path) -> list[int]:
    """Return the pages that hold residue; others may write meanwhile, and then it does not count.

    Raises OSError, sqlite3.Error.
    """
    roots = [1, *(int(root) for (root,) in await reader.execute_fetchall(_ROOTS))]
    told = await _child("find", str(database), json.dumps(roots), str(_MOST_PAGES))
    return [int(number) for number in json.loads(told)]


async def wipe(writer: aiosqlite.Connection, database: Path, pages: list[int]) -> None:
    """Wipe those pages, in a transaction that has changed nothing yet, over an empty write-ahead log.

    So no other process writes to the file. That the transaction counts lets other processes read the pages anew.
    Raises OSError, sqlite3.Error.
    """
    await _child("wipe", str(database), json.dumps(pages), str(os.getpid()))
    # The connection must not write back what it remembers of them.
    await writer.execute_fetchall("PRAGMA shrink_memory")


async def _child(*words: str) -> bytes:
    """Run the child to its end, though this is cancelled: the lock must hold as long as it wipes. Raises OSError."""
    return await to_its_end(asyncio.to_thread(_run, words))


def _run(words: tuple[str, ...]) -> bytes:
    command = [sys.executable, "-I", "-S", str(Path(residue.__file__)), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=True)  # noqa: S603 - our own words
    except subprocess.SubprocessError as error:
        raise OSError(f"the pages could not be read: {error}") from error
    return done.stdout
