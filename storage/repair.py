"""Mends a database: copies it as it is, salvages what can be read, drops what does not hold together. Blocks.

Nobody else may have the data folder open meanwhile; that is the caller's to see to.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiosqlite

from core.errors.disk import SchemaTooNew
from storage import outline, salvage, soundness
from storage.backups import Backups
from storage.boundary import disk
from storage.connections import Connections
from storage.outline import Outline
from storage.schema import MIGRATIONS, migrate
from storage.workshops import flush

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
    """How many rows a new file got; None where there was no need for one, 0 where nothing could be read."""
    lost: tuple[LostFilm, ...]
    """Films that have to be posted again, as far as anything is known of them."""
    restored: Path | None = None
    """The backup that was put in its place, for nothing of it could be read."""

    @property
    def is_another(self) -> bool:
        """Tell whether this is an older library now, or an empty one: files may be kept that it knows nothing of."""
        return self.restored is not None or self.salvaged_rows == 0


async def repair(database: Path) -> Repaired:
    """Mend a database, whatever state it is in; it has the newest tables afterwards.

    Raises SchemaTooNew, StorageUnusable (DiskFull, ...); then the database is as it was.
    """
    with disk(database):
        found = await asyncio.to_thread(_complaints, database)
        readable = not found or await asyncio.to_thread(_readable, database)
        spare = None if readable else await asyncio.to_thread(_newest_sound_backup, database)
        copy = await asyncio.to_thread(Backups.of(database).take_in, database, "before-repair", spare)
        rows = None
        if spare is not None:
            await asyncio.to_thread(_restore, spare, database)
        elif found:
            rows = await _rebuild(database)
        await (await Connections.open(database)).close()
        lost = await asyncio.to_thread(_clean, database)
        return Repaired(copy, found, rows, lost, spare)


def _readable(database: Path) -> bool:
    """Tell whether rows can be found: by the database's own list of tables, or by what was kept of it."""
    kept = Outline.kept(database)
    return kept is not None or outline.is_whole(database, None)


def _newest_sound_backup(database: Path) -> Path | None:
    """Give the newest backup that nothing is wrong with, of a version that is understood; or None."""
    for path in reversed(Backups.of(database).all()):
        if 0 < salvage.written_version(path) <= len(MIGRATIONS) and not _complaints(path):
            return path
    return None


def _restore(backup: Path, database: Path) -> None:
    fresh = database.with_name(database.name + ".fresh")
    try:
        shutil.copyfile(backup, fresh)
        _put(fresh, database)
    finally:
        _remove(fresh)


def _complaints(database: Path) -> tuple[str, ...]:
    try:
        return soundness.complaints(database)
    except sqlite3.DatabaseError as error:
        return (str(error),)


async def _rebuild(database: Path) -> int:
    """Put a new file with what can be read into the place of the old one; count the rows."""
    fresh, listed = (database.with_name(database.name + ending) for ending in (".fresh", ".listed"))
    _remove(fresh)
    try:
        source = await asyncio.to_thread(_with_tables, database, listed)
        version = await asyncio.to_thread(salvage.written_version, source)
        if version > len(MIGRATIONS):
            raise SchemaTooNew(str(database), version, len(MIGRATIONS))
        async with aiosqlite.connect(fresh, isolation_level=None) as file:
            await migrate(file, fresh, MIGRATIONS[: version or None])
        rows = await asyncio.to_thread(salvage.salvage, source, fresh)
        await asyncio.to_thread(_put, fresh, database)
        return rows
    finally:
        _remove(fresh)
        _remove(listed)


def _with_tables(database: Path, listed: Path) -> Path:
    """Give the database, or a copy with the list of tables that was kept beside it where its own is damaged."""
    kept = Outline.kept(database)
    if kept is None or outline.is_whole(database, kept):
        return database
    return outline.relisted(database, kept, listed)


def _put(fresh: Path, database: Path) -> None:
    """Put a whole new file into the place of the old one."""
    flush(fresh)
    # The old file's log must not be taken for the new one's.
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    fresh.replace(database)


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
