"""One connection that writes, one transaction at a time, and one that reads meanwhile. Knows no table."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import aiosqlite

from storage.boundary import disk
from storage.schema import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_BUSY_S = 30.0
_WAL_TRIES = 200
_WAL_PAUSE_S = 0.02


class Connections:
    """The two connections to one database file."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Connections:
        """Open the file, making and migrating it where needed.

        Raises StorageUnusable, SchemaTooNew.
        """
        with disk(path):
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            async with AsyncExitStack() as opened:
                writer = await opened.enter_async_context(_connect(path))
                await _prepare(writer, path)
                reader = await opened.enter_async_context(_connect(path))
                reader.row_factory = sqlite3.Row
                await reader.execute("PRAGMA query_only = ON")
                opened.pop_all()
        return cls(path, writer, reader)

    async def close(self) -> None:
        """Let a transaction under way end, then let go of the file."""
        async with self._turn:
            with disk(self._path):
                try:
                    await self._reader.close()
                finally:
                    await self._writer.close()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[aiosqlite.Connection]:
        """Hold a transaction: what happens inside counts as a whole, or not at all.

        Raises StorageUnusable.
        """
        async with self._turn:
            with disk(self._path):
                # A cancelled call still runs in the connection's thread, and a later one after it: so the
                # rollback always comes after whatever was begun, and before the next transaction.
                try:
                    await self._writer.execute("BEGIN IMMEDIATE")
                    yield self._writer
                    await self._writer.commit()
                except BaseException:
                    await self._writer.rollback()
                    raise

    async def rows(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """Give all rows of a query, as of one point in time.

        Raises StorageUnusable.
        """
        with disk(self._path):
            return list(await self._reader.execute_fetchall(sql, values))

    async def empty_log(self) -> None:
        """Move what the write-ahead log holds into the file, and empty it: it keeps old pages otherwise."""
        async with self._turn:
            with disk(self._path):
                await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")


def _connect(path: Path) -> aiosqlite.Connection:
    return aiosqlite.connect(path, timeout=_BUSY_S, isolation_level=None)


async def _prepare(writer: aiosqlite.Connection, path: Path) -> None:
    await migrate(writer, path)
    await _write_ahead(writer)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        await writer.execute_fetchall(f"PRAGMA {pragma}")


async def _write_ahead(writer: aiosqlite.Connection) -> None:
    # For this one statement SQLite does not wait when another process is opening or closing the same file.
    for left in reversed(range(_WAL_TRIES)):
        try:
            await writer.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                raise
            await asyncio.sleep(_WAL_PAUSE_S)
        else:
            return
