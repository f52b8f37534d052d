"""Checks a database and repairs it: restores a backup, drops what is damaged. Blocks.

What no backup has, `sqlite3 DATABASE .recover` may read: docs/operations.md says how.

The caller makes sure that no other process has the data folder open.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from core.errors import SchemaTooNew, StorageDamaged
from storage import embeddings
from storage.backups import Backups
from storage.data_folder import disk, flush
from storage.database import Connections
from storage.migrations import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import FrameIndex

__all__ = ["Repaired", "repair"]

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

Outcome: TypeAlias = Literal["sound", "restored", "begun", "left"]
"""No page was damaged; a backup was restored; a new library began; or the database was left as it was, as there is no
sound backup and Keaton can go on without what is damaged."""


@dataclass(frozen=True, slots=True)
class LostVideo:
    """A video to be posted again."""

    video_id: str
    title: str
    """"" where that is lost too."""
    link: str
    """Where it came from, or ""."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did."""

    copy: Path
    """The database as it was."""
    complaints: tuple[str, ...]
    """What SQLite found wrong with it, if anything; at most twenty things."""
    outcome: Outcome
    lost: tuple[LostVideo, ...] = ()
    """Videos to be posted again."""
    backup: Path | None = None
    """The one that was restored."""

    @property
    def is_another(self) -> bool:
        """Tell whether this is an older library now, or an empty one: files may be kept that it knows nothing of."""
        return self.outcome in {"restored", "begun"}


async def repair(database: Path) -> Repaired:
    """Mend a database; unless it is left as it is, it has the newest tables afterwards.

    Raises SchemaTooNew, StorageUnusable (DiskFull, ...); then the database is as it was.
    """
    with disk(database):
        found = await asyncio.to_thread(_complaints, database)
        backup = await asyncio.to_thread(_newest_sound_backup, database)
        copy = await asyncio.to_thread(Backups.of(database).take_in, database, "before-repair", backup)
        outcome = await asyncio.to_thread(_mend_pages, database, backup)
        if outcome == "left":
            return Repaired(copy, found, outcome)
        await (await Connections.open(database)).close()
        lost = await asyncio.to_thread(_clean, database)
        return Repaired(copy, found, outcome, lost, backup if outcome == "restored" else None)


def _mend_pages(database: Path, backup: Path | None) -> Outcome:
    if not _page_complaints(database):
        return "sound"
    if (found := _version(database)) > len(MIGRATIONS):
        raise SchemaTooNew(str(database), found, len(MIGRATIONS))
    if backup is not None:
        _restore(backup, database)
        return "restored"
    if _has_tables(database):
        return "left"
    _remove(database)
    return "begun"


def _restore(backup: Path, database: Path) -> None:
    fresh = database.with_name(database.name + ".fresh")
    try:
        shutil.copyfile(backup, fresh)
        flush(fresh)
        # The old file's log must not be taken for the new one's.
        for ending in ("-wal", "-shm"):
            database.with_name(database.name + ending).unlink(missing_ok=True)
        fresh.replace(database)
    finally:
        _remove(fresh)


def _has_tables(database: Path) -> bool:
    """Tell whether SQLite finds the list of tables, so that Keaton can be started with it."""
    try:
        with closing(sqlite3.connect(database)) as file:
            return bool(file.execute("SELECT 1 FROM sqlite_master WHERE name = 'videos'").fetchone())
    except sqlite3.DatabaseError:
        return False


def _newest_sound_backup(database: Path) -> Path | None:
    """Return the newest backup that nothing is wrong with, of a version that is understood; or None."""
    for path in reversed(Backups.of(database).all()):
        if not _complaints(path) and 0 < _version(path) <= len(MIGRATIONS):
            return path
    return None


def _version(database: Path) -> int:
    """Return the number of the last migration that a database went through; 0 where that cannot be read."""
    try:
        with closing(sqlite3.connect(database)) as file:
            return int(file.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return 0


def _complaints(database: Path) -> tuple[str, ...]:
    try:
        return complaints(database)
    except sqlite3.DatabaseError as error:
        return (str(error),)


def _page_complaints(database: Path) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(database)) as file:
            return _wrong_pages(file)
    except sqlite3.DatabaseError as error:
        return (str(error),)


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


def complaints(database: Path) -> tuple[str, ...]:
    """Return what SQLite finds wrong with pages and references, at most twenty things; raises sqlite3.Error."""
    with closing(sqlite3.connect(database)) as file:
        found = [*_wrong_pages(file)]
        found += [f"{table} row {row}: no such {parent}" for table, row, parent, _ in _dangling(file)]
    return tuple(found[:_MOST_COMPLAINTS])


def _wrong_pages(file: sqlite3.Connection) -> tuple[str, ...]:
    checked = file.execute(f"PRAGMA integrity_check({_MOST_COMPLAINTS})")
    return tuple(str(text) for (text,) in checked if text != "ok")


def drop_damaged(file: sqlite3.Connection) -> tuple[LostVideo, ...]:
    """Delete videos that cannot be searched as they were, and all that leads nowhere; return those videos.

    Runs in a transaction of the caller, who has foreign keys switched on. Raises sqlite3.Error.
    """
    # Only people read what a recipe's key stands for: embeddings need not go for the want of it.
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
    _drop_broken_checkpoints(file)
    _drop_dangling(file)
    unsound = " OR ".join(f"NOT json_valid({column})" for column in ("moments", "view_channels", "earlier"))
    file.execute(f"DELETE FROM answers WHERE {unsound}")  # noqa: S608 - our own names
    file.execute("DELETE FROM curves WHERE NOT json_valid(about)")
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
    if len(index) % embeddings.CHUNK_FRAMES or len(index) < 2:
        return False
    step_s = float(np.median(np.diff(index.times_s)))
    return duration_s - float(index.times_s[-1]) > 3 * step_s


def _drop_broken_checkpoints(file: sqlite3.Connection) -> None:
    """Drop checkpoints that cannot be read: those videos begin anew."""
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
