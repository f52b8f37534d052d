"""Tells whether a database holds together: its pages, its references, and the looks of its films. Blocks.

Owns what counts as damage and what goes with it; must not know how the rest is salvaged.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors.disk import StorageDamaged
from storage import vectors

if TYPE_CHECKING:
    from pathlib import Path

    from core.model import FrameIndex

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
class LostFilm:
    """A film that has to be posted again."""

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


def drop_damaged(file: sqlite3.Connection) -> tuple[LostFilm, ...]:
    """Delete films that cannot be searched as they were, and all that leads nowhere; give those films.

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
    for film in lost:
        for table in ("postings", "links", "indexings", "thumbnails"):
            file.execute(f"DELETE FROM {table} WHERE video_id = ?", (film.video_id,))  # noqa: S608
        file.execute("DELETE FROM videos WHERE id = ?", (film.video_id,))
    _drop_works(file)
    _drop_dangling(file)
    unsound = " OR ".join(f"NOT json_valid({column})" for column in ("moments", "view_channels", "earlier"))
    file.execute(f"DELETE FROM answers WHERE {unsound}")  # noqa: S608 - our own names
    return lost


def _is_whole(file: sqlite3.Connection, video_id: str) -> bool:
    has_looks = file.execute("SELECT 1 FROM indexings WHERE video_id = ?", (video_id,)).fetchone()
    return bool(has_looks and file.execute(_VISIBLE, (video_id,)).fetchone())


def _named(file: sqlite3.Connection, video_id: str) -> LostFilm:
    title, link = file.execute(_NAMES, {"id": video_id}).fetchone()
    return LostFilm(video_id, title or "", link or "")


def _is_sound(file: sqlite3.Connection, indexing_id: int, video_id: str) -> bool:
    rows = file.execute(
        "SELECT number, times_s, vectors FROM chunks WHERE indexing_id = ? ORDER BY number", (indexing_id,)
    ).fetchall()
    if not rows or [number for number, _, _ in rows] != list(range(len(rows))):
        return False
    try:
        index = vectors.join([vectors.Chunk(times_s, blob) for _, times_s, blob in rows])
    except StorageDamaged:
        return False
    found = file.execute("SELECT duration_s FROM videos WHERE id = ?", (video_id,)).fetchone()
    return found is not None and not _lacks_its_end(index, float(found[0]))


def _lacks_its_end(index: FrameIndex, duration_s: float) -> bool:
    """Tell whether further chunks must have followed: the last is full, and the film goes on."""
    if len(index) % vectors.CHUNK_LOOKS or len(index) < 2:
        return False
    step_s = float(np.median(np.diff(index.times_s)))
    return duration_s - float(index.times_s[-1]) > 3 * step_s


def _drop_works(file: sqlite3.Connection) -> None:
    """Drop what was seen of films under way where it cannot be read: they begin anew."""
    for (video_id,) in file.execute("SELECT video_id FROM works").fetchall():
        rows = file.execute(
            "SELECT times_s, vectors FROM work_chunks WHERE video_id = ? ORDER BY first_s", (video_id,)
        ).fetchall()
        try:
            if rows:
                vectors.join([vectors.Chunk(*row) for row in rows])
        except StorageDamaged:
            file.execute("DELETE FROM works WHERE video_id = ?", (video_id,))


def _drop_dangling(file: sqlite3.Connection) -> None:
    while found := _dangling(file):
        for table, row, _, _ in found:
            file.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))  # noqa: S608 - SQLite names our own tables


def _dangling(file: sqlite3.Connection) -> list[tuple[str, int, str, int]]:
    return file.execute("PRAGMA foreign_key_check").fetchall()
