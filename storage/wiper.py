"""Takes what was forgotten off the disk: from the log, and from between the rows of the file.

It happens in the background, as soon as it is safe: under the write lock, over an empty log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.concurrency import to_its_end
from core.errors import StorageUnusable
from storage import residue
from storage.continuity import KNOWN_NUMBER
from storage.data_folder import disk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    import aiosqlite

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 1.0
"""SQLite does not tell when the last reader of the log has gone: it has to be asked again."""

_PATIENCE_S = 30.0
_MOST_PAGES = 1 << 16
"""So many are searched: 256 MB. The trees of BLOBs come last, whose pages are most of a large database."""
_ROOTS = """
    SELECT rootpage FROM sqlite_master AS made WHERE rootpage > 0 ORDER BY type = 'table' AND EXISTS (
        SELECT 1 FROM pragma_table_info(made.name) WHERE type = 'BLOB'
    ), rootpage
"""
_SWEEP_PAUSE_S = 0.05
_SCRUB_PAUSE_S = 0.5


class Sweeper:
    """Tries something in the background until it succeeds."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]], pause_s: float) -> None:
        """`sweep` returns whether it is done; if not, it is tried again after a pause that grows."""
        self._sweep = sweep
        self._pause_s = pause_s
        self._is_due = False
        self._later: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Tell whether it was asked for and has not succeeded since."""
        return self._is_due

    async def now(self) -> None:
        """Try it now, and where that fails again in the background. Raises no error of the disk."""
        self._is_due = True
        if not await self._try():
            log.info("what was forgotten cannot be taken off the disk yet; that is tried until it can")
            self.soon()

    def soon(self) -> None:
        """Try it in the background after a pause, once for all that ask for it until then."""
        self._is_due = True
        if self._later is None or self._later.done():
            self._later = asyncio.create_task(self._until_done())

    async def done(self) -> None:
        """Wait until nothing is left to be done."""
        while self._later is not None and not self._later.done():
            await asyncio.shield(self._later)

    async def close(self) -> None:
        """Stop trying."""
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


class Wiper:
    """Takes what was forgotten off the disk: out of the log, then from between the rows of the file."""

    def __init__(
        self,
        path: Path,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        busy_s: float,
        turn: asyncio.Lock,
        writing: Callable[[], AbstractAsyncContextManager[aiosqlite.Connection]],
    ) -> None:
        """Use two connections: the writer while `turn` is held, or within `writing`, which takes it."""
        self._path = path
        self._writer = writer
        self._reader = reader
        self._busy_s = busy_s
        self._turn = turn
        self._writing = writing
        self._sweeper = Sweeper(self._sweep, _SWEEP_PAUSE_S)
        self._scrubber = Sweeper(self._scrub, _SCRUB_PAUSE_S)
        self._is_closed = False

    async def empty_log(self) -> None:
        """Empty the log now, or as soon as no process reads from it; then the file is scrubbed."""
        await self._sweeper.now()

    def empty_log_soon(self) -> None:
        """Have that done in the background."""
        self._sweeper.soon()

    def scrub_soon(self) -> None:
        """Have the file scrubbed in the background."""
        self._scrubber.soon()

    async def done(self) -> None:
        """Wait until nothing is left to be wiped."""
        await self._sweeper.done()
        await self._scrubber.done()

    async def close(self) -> bool:
        """Try once more, then stop; tell whether something is left for another process. A second time do nothing."""
        await self._sweeper.close()
        await self._scrubber.close()
        is_left = self._sweeper.is_due or self._scrubber.is_due
        if is_left and not self._is_closed:
            with suppress(StorageUnusable):
                is_left = not await self._scrub()
        self._is_closed = True
        return is_left

    async def _sweep(self) -> bool:
        if not await self._is_log_empty():
            return False
        self._scrubber.soon()
        return True

    async def _scrub(self) -> bool:
        """Wipe what SQLite left between the rows; tell whether this is done, as no process wrote meanwhile."""
        if not await self._is_log_empty():
            return False
        if self._is_closed:
            return True
        try:
            ((before,),) = await self._reader.execute_fetchall(KNOWN_NUMBER)
            pages = await _find(self._reader, self._path)
            return await self._wipe(pages, int(before)) if pages else True
        except (OSError, ValueError, sqlite3.Error) as error:  # what is forgotten is; tried again with the next
            log.warning("what may be left between the rows of the database could not be wiped: %s", error)
            return True

    async def _wipe(self, pages: list[int], before: int) -> bool:
        async with self._writing() as db:
            ((now,),) = await db.execute_fetchall(KNOWN_NUMBER)
            log_file = self._path.with_name(self._path.name + "-wal")
            if now != before or (log_file.exists() and log_file.stat().st_size):
                return False
            await _overwrite(db, self._path, pages)
        return True

    async def _is_log_empty(self) -> bool:
        async with self._turn:
            if self._is_closed:
                return True
            with disk(self._path):
                return await empty_log(self._writer, self._busy_s, 0)


async def empty_log(writer: aiosqlite.Connection, busy_s: float, wait_s: float) -> bool:
    """Empty the log, unless others read from it for longer than `wait_s`; tell whether it is empty."""
    try:
        await writer.execute_fetchall(f"PRAGMA busy_timeout = {int(wait_s * 1000)}")
        ((busy, *_),) = await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:  # what was to be kept is kept
        log.debug("the write-ahead log could not be emptied: %s", error)
        return False
    finally:
        await writer.execute_fetchall(f"PRAGMA busy_timeout = {int(busy_s * 1000)}")
    return not busy


async def _find(reader: aiosqlite.Connection, database: Path) -> list[int]:
    """Return the pages that hold residue; others may write meanwhile, and then it does not count.

    Raises OSError, sqlite3.Error.
    """
    roots = [1, *(int(root) for (root,) in await reader.execute_fetchall(_ROOTS))]
    told = await _child("find", str(database), json.dumps(roots), str(_MOST_PAGES))
    return [int(number) for number in json.loads(told)]


async def _overwrite(writer: aiosqlite.Connection, database: Path, pages: list[int]) -> None:
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
