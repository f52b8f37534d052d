"""A copy of the list of tables beside the database, so that rows are found where that list is damaged. Blocks.

SQLite finds a table by its root page, and root pages never move here, as nothing is vacuumed. The copy holds names of
tables and columns only.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.files import write

ENDING = ".tables"
_LISTED = (
    "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY rowid"
)
_PAGES_AT = 28
"""Where in the file its number of pages stands; behind it what is known of free pages."""
_JOURNAL_AT = 18
_WITH_LOG = b"\2\2"


@dataclass(frozen=True, slots=True)
class Outline:
    """Which tables there are, and where they begin."""

    version: int
    page_bytes: int
    listed: tuple[tuple[str, str, str, int, str | None], ...]

    @classmethod
    def of(cls, file: sqlite3.Connection) -> Outline:
        """Give that of an open database; raises sqlite3.Error."""
        ((version,),) = file.execute("PRAGMA user_version").fetchall()
        ((page_bytes,),) = file.execute("PRAGMA page_size").fetchall()
        return cls(version, page_bytes, tuple(file.execute(_LISTED).fetchall()))

    @classmethod
    def kept(cls, database: Path) -> Outline | None:
        """Give the one that was kept beside a database, or None where there is none that can be read."""
        try:
            told = json.loads(_place(database).read_text())
            listed = tuple((str(a), str(b), str(c), int(d), e) for a, b, c, d, e in told["listed"])
            return cls(int(told["version"]), int(told["page_bytes"]), listed)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, database: Path) -> None:
        """Keep it beside the database, where it is not there already; raises OSError."""
        if self != Outline.kept(database):
            write(_place(database), json.dumps(asdict(self)).encode())


def keep(database: Path) -> None:
    """Keep the list of a database's tables; raises OSError, sqlite3.Error."""
    with closing(sqlite3.connect(database)) as file:
        Outline.of(file).keep(database)


def is_whole(database: Path, kept: Outline | None) -> bool:
    """Tell whether a database's own list can be read, and lacks nothing of what was kept of it."""
    try:
        with closing(sqlite3.connect(database)) as file:
            own = Outline.of(file)
    except sqlite3.Error:
        return False
    return set(own.listed) >= set(kept.listed if kept else ()) if own.listed else False


def relisted(database: Path, kept: Outline, place: Path) -> Path:
    """Copy a damaged database to a place, with the list of tables that was kept of it; raises OSError, sqlite3.Error.

    Pages that the write-ahead log holds come along. What else is damaged stays so.
    """
    shutil.copyfile(database, place)
    log = database.with_name(database.name + "-wal")
    if log.exists():
        shutil.copyfile(log, place.with_name(place.name + "-wal"))
        _put_first_page(place, kept, journal=_WITH_LOG)
        with closing(sqlite3.connect(place)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            file.execute("PRAGMA journal_mode = DELETE").fetchall()
    _put_first_page(place, kept)
    with closing(sqlite3.connect(place, isolation_level=None)) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.executemany(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)", kept.listed
        )
    return place


def _put_first_page(place: Path, kept: Outline, journal: bytes = b"") -> None:
    page = bytearray(_empty_page(kept))
    pages = place.stat().st_size // kept.page_bytes
    page[_PAGES_AT : _PAGES_AT + 12] = struct.pack(">III", pages, 0, 0)
    if journal:
        page[_JOURNAL_AT : _JOURNAL_AT + 2] = journal
    with place.open("r+b") as file:
        file.write(page)


def _empty_page(kept: Outline) -> bytes:
    """Give the first page of a database that lists nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty"
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute(f"PRAGMA page_size = {kept.page_bytes}")
            file.execute("CREATE TABLE one (one)")
            file.execute(f"PRAGMA user_version = {kept.version}")
            file.execute("PRAGMA writable_schema = ON")
            file.execute("DELETE FROM sqlite_master")
        return path.read_bytes()[: kept.page_bytes]


def _place(database: Path) -> Path:
    return database.with_name(database.name + ENDING)
