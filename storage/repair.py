"""Mends a database: copies it as it is, salvages what can be read, drops what does not hold together. Blocks.

Nobody else may have the data folder open meanwhile; that is the caller's to see to.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiosqlite

from core.errors import SchemaTooNew
from storage import salvage, soundness
from storage.backups import Backups
from storage.boundary import disk
from storage.connections import Connections
from storage.schema import MIGRATIONS, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from storage.soundness import LostFilm

__all__ = ["Repaired", "repair"]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done."""

    copy: Path
    """The database as it was."""
    complaints: tuple[str, ...]
    """What SQLite found wrong with it, if anything; at most twenty things."""
    salvaged_rows: int | None
    """How many rows a new file got; None where there was no need for one, 0 where the list of tables is damaged."""
    lost: tuple[LostFilm, ...]
    """Films that have to be posted again, as far as anything is known of them."""


async def repair(database: Path) -> Repaired:
    """Mend a database, whatever state it is in; it has the newest tables afterwards.

    Raises SchemaTooNew, StorageUnusable (DiskFull, ...); then the database is as it was.
    """
    with disk(database):
        copy = await asyncio.to_thread(Backups.of(database).take_in, database, "before-repair")
        found = await asyncio.to_thread(_complaints, database)
        rows = await _rebuild(database) if found else None
        await (await Connections.open(database)).close()
        lost = await asyncio.to_thread(_clean, database)
        return Repaired(copy, found, rows, lost)


def _complaints(database: Path) -> tuple[str, ...]:
    try:
        return soundness.complaints(database)
    except sqlite3.DatabaseError as error:
        return (str(error),)


async def _rebuild(database: Path) -> int:
    """Put a new file with what can be read into the place of the old one; count the rows."""
    fresh = database.with_name(database.name + ".fresh")
    _remove(fresh)
    try:
        version = await asyncio.to_thread(salvage.written_version, database)
        if version > len(MIGRATIONS):
            raise SchemaTooNew(str(database), version, len(MIGRATIONS))
        async with aiosqlite.connect(fresh, isolation_level=None) as file:
            await migrate(file, fresh, MIGRATIONS[: version or None])
        rows = await asyncio.to_thread(_salvage, database, fresh)
        fresh.replace(database)
        return rows
    finally:
        _remove(fresh)


def _salvage(database: Path, fresh: Path) -> int:
    rows = salvage.salvage(database, fresh)
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # The old file's log must not be taken for the new one's.
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    return rows


def _clean(database: Path) -> tuple[LostFilm, ...]:
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("BEGIN IMMEDIATE")
        lost = soundness.drop_damaged(file)
        file.execute("COMMIT")
        return lost


def _remove(fresh: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
