"""Checks a database and repairs it: copies, salvages, drops what is damaged. Blocks.

The caller makes sure that nobody else has the data folder open.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiosqlite
import numpy as np

from core.errors import SchemaTooNew, StorageDamaged
from storage import embeddings, outline, salvage
from storage.backups import Backups
from storage.boundary import disk
from storage.database import Connections
from storage.files import flush
from storage.migrations import MIGRATIONS, migrate
from storage.outline import Outline

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import FrameIndex

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
    lost: tuple[LostVideo, ...]
    """Videos that have to be posted again, as far as anything is known of them."""
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
        return complaints(database)
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


def _clean(database: Path) -> tuple[LostVideo, ...]:
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("BEGIN IMMEDIATE")
        lost = drop_damaged(file)
        file.execute("COMMIT")
        return lost


def _remove(fresh: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)


_MOST_COMPLAINTS = 20


_KNOWN = """
    SELECT id AS video_id FROM videos UNION SELECT video_id FROM postings
    UNION SELECT video_id FROM links UNION SELECT video_id FROM indexings
"""


_NAMES = """
    SELECT
        coalesce((SELECT title FROM videos WHERE id = :id), (SELECT max(title) FROM postings WHERE video_id = :id)),
        coalesce((SELECT max(link) FROM links WHERE video_id = :id), (SELECT url FROM videos WHERE id = :id))
"""


_VISIBLE = "SELECT 1 FROM videos JOIN postings ON video_id = videos.id WHERE videos.id = ?"


@dataclass(frozen=True, slots=True)
class LostVideo:
    """A video that has to be posted again."""

    video_id: str
    title: str
    """"" where that is lost too."""
    link: str
    """Where it came from, or ""."""


def complaints(database: Path) -> tuple[str, ...]:
    """Give what SQLite finds wrong with pages and references, at most twenty things; raises sqlite3.Error."""
    with closing(sqlite3.connect(database)) as file:
        found = [str(text) for (text,) in file.execute(f"PRAGMA integrity_check({_MOST_COMPLAINTS})") if text != "ok"]
        found += [f"{table} row {row}: no such {parent}" for table, row, parent, _ in _dangling(file)]
    return tuple(found[:_MOST_COMPLAINTS])


def drop_damaged(file: sqlite3.Connection) -> tuple[LostVideo, ...]:
    """Delete videos that cannot be searched as they were, and all that leads nowhere; give those videos.

    Runs in a transaction of the caller, who has foreign keys switched on. Raises sqlite3.Error.
    """
    # Only people read what a recipe's key stands for: looks need not go for the want of it.
    file.execute("INSERT OR IGNORE INTO recipes (key, description) SELECT DISTINCT recipe_key, '{}' FROM indexings")
    for indexing_id, video_id in file.execute("SELECT id, video_id FROM indexings").fetchall():
        if not _is_sound(file, indexing_id, video_id):
            file.execute("DELETE FROM chunks WHERE indexing_id = ?", (indexing_id,))
            file.execute("DELETE FROM indexings WHERE id = ?", (indexing_id,))
    known = [video_id for (video_id,) in file.execute(_KNOWN).fetchall()]
    lost = tuple(_named(file, video_id) for video_id in known if not _is_whole(file, video_id))
    for video in lost:
        for table in ("postings", "links", "indexings", "thumbnails"):
            file.execute(f"DELETE FROM {table} WHERE video_id = ?", (video.video_id,))  # noqa: S608
        file.execute("DELETE FROM videos WHERE id = ?", (video.video_id,))
    _drop_works(file)
    _drop_dangling(file)
    unsound = " OR ".join(f"NOT json_valid({column})" for column in ("moments", "view_channels", "earlier"))
    file.execute(f"DELETE FROM answers WHERE {unsound}")  # noqa: S608 - our own names
    return lost


def _is_whole(file: sqlite3.Connection, video_id: str) -> bool:
    has_looks = file.execute("SELECT 1 FROM indexings WHERE video_id = ?", (video_id,)).fetchone()
    return bool(has_looks and file.execute(_VISIBLE, (video_id,)).fetchone())


def _named(file: sqlite3.Connection, video_id: str) -> LostVideo:
    title, link = file.execute(_NAMES, {"id": video_id}).fetchone()
    return LostVideo(video_id, title or "", link or "")


def _is_sound(file: sqlite3.Connection, indexing_id: int, video_id: str) -> bool:
    rows = file.execute(
        "SELECT number, times_s, vectors FROM chunks WHERE indexing_id = ? ORDER BY number", (indexing_id,)
    ).fetchall()
    if not rows or [number for number, _, _ in rows] != list(range(len(rows))):
        return False
    try:
        index = embeddings.join([embeddings.Chunk(times_s, blob) for _, times_s, blob in rows])
    except StorageDamaged:
        return False
    found = file.execute("SELECT duration_s FROM videos WHERE id = ?", (video_id,)).fetchone()
    return found is not None and not _lacks_its_end(index, float(found[0]))


def _lacks_its_end(index: FrameIndex, duration_s: float) -> bool:
    """Tell whether further chunks must have followed: the last is full, and the video goes on."""
    if len(index) % embeddings.CHUNK_LOOKS or len(index) < 2:
        return False
    step_s = float(np.median(np.diff(index.times_s)))
    return duration_s - float(index.times_s[-1]) > 3 * step_s


def _drop_works(file: sqlite3.Connection) -> None:
    """Drop what was seen of videos under way where it cannot be read: they begin anew."""
    for (video_id,) in file.execute("SELECT video_id FROM works").fetchall():
        rows = file.execute(
            "SELECT times_s, vectors FROM work_chunks WHERE video_id = ? ORDER BY first_s", (video_id,)
        ).fetchall()
        try:
            if rows:
                embeddings.join([embeddings.Chunk(*row) for row in rows])
        except StorageDamaged:
            file.execute("DELETE FROM works WHERE video_id = ?", (video_id,))


def _drop_dangling(file: sqlite3.Connection) -> None:
    while found := _dangling(file):
        for table, row, _, _ in found:
            file.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))  # noqa: S608 - SQLite names our own tables


def _dangling(file: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return file.execute("PRAGMA foreign_key_check").fetchall()
