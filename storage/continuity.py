"""Tells whether this is the database that was written to, and has all that was acknowledged, by a mark beside it.

SQLite cuts off a damaged write-ahead log in silence. So the number of the last transaction is noted in a small file
beside the database after each commit, without fsync: it is for processes that die and bytes that rot. After a power
failure the note may be older than the database, which is no loss.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import DatabaseGone

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite

log = logging.getLogger(__name__)

ENDING = ".mark"
COUNT = "UPDATE commits SET number = number + 1 RETURNING number"
KNOWN_NUMBER = "SELECT number FROM commits"
_KNOWN = "SELECT library, number FROM commits"
_SET = "UPDATE commits SET number = ?"
_NOTE = "INSERT INTO losses (what, changes) VALUES (?, ?)"

UNSETTLED = "SELECT 1 FROM losses WHERE NOT is_settled LIMIT 1"
_SETTLE = "UPDATE losses SET is_settled = 1 WHERE NOT is_settled"
_TOLD = "-30 days"
"""After so long `keaton doctor` has told of it."""
_DROP_OLD = "DELETE FROM losses WHERE is_settled AND found_at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)"
_ALL = "SELECT found_at, what, changes FROM losses ORDER BY number"


@dataclass(frozen=True, slots=True)
class Loss:
    """Data that was missing when the database was opened."""

    found_at: str
    """UTC, ISO 8601."""
    what: str
    """"new": there was no database. "another": it was not the one from before. "changes": the newest were lost."""
    changes: int
    """How many transactions were lost; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The library, and the last transaction that was acknowledged."""

    library: str
    number: int

    @classmethod
    def read(cls, database: Path) -> Mark | None:
        """Return the mark beside a database, or None where none can be read."""
        try:
            library, number = _place(database).read_text().split()
            return cls(library, int(number))
        except (OSError, ValueError):
            return None

    def line(self) -> bytes:
        """Return the file's content, always of the same length, so that it needs no more room on a full disk."""
        return f"{self.library:<32} {self.number:020}\n".encode()


class Continuity:
    """Keeps the mark of one open database, and checks that its files are still the same."""

    def __init__(self, database: Path, library: str, mark: int | None) -> None:
        """`mark` is the open file of the mark, or None where it cannot be written."""
        self._database = database
        self._library = library
        self._mark = mark
        self._files = {path: _identity(path) for path in (database, _log_of(database))}

    @classmethod
    async def begin(cls, writer: aiosqlite.Connection, database: Path, *, is_new: bool) -> Continuity:
        """Compare a database that was just opened with the mark, and note what is missing.

        Raises sqlite3.Error, OSError.
        """
        known = await _known(writer)
        mark = Mark.read(database)
        if lost := _lost(known, mark, is_new=is_new):
            await writer.execute("BEGIN IMMEDIATE")
            await writer.execute(_NOTE, lost)
            await writer.execute(_SET, (max(known.number, mark.number if mark else 0),))
            await writer.commit()
            _tell(database, *lost, had_mark=mark is not None)
            known = await _known(writer)
        watched = cls(database, known.library, _opened(database))
        watched.note(known.number)
        return watched

    def check(self) -> None:
        """Raise DatabaseGone where the database or its log is not the file any more that was opened."""
        for path, identity in self._files.items():
            if identity is not None and _identity(path) != identity:
                raise DatabaseGone(str(self._database), f"{path.name} was deleted or replaced")

    def note(self, number: int) -> None:
        """Write down the number of a committed transaction, before it is acknowledged."""
        if self._mark is not None:
            with suppress(OSError):  # then a loss might not be noticed, and nothing else
                os.pwrite(self._mark, Mark(self._library, number).line(), 0)

    def close(self) -> None:
        """Close the mark's file."""
        if self._mark is not None:
            os.close(self._mark)
            self._mark = None


async def _known(writer: aiosqlite.Connection) -> Mark:
    ((library, number),) = await writer.execute_fetchall(_KNOWN)
    return Mark(str(library), int(number))


def _lost(known: Mark, mark: Mark | None, *, is_new: bool) -> tuple[str, int] | None:
    """Return what is missing, as a row of `losses`."""
    if is_new:
        return "new", 0
    if mark is None:  # an older version's database has none, and has counted nothing yet
        return ("changes", 0) if known.number else None
    if mark.library != known.library:
        return "another", 0
    missing = mark.number - known.number
    return ("changes", missing) if missing > 0 else None


def _tell(database: Path, what: str, changes: int, *, had_mark: bool) -> None:
    if what == "changes" and not had_mark:
        log.warning("it is not known whether the newest changes to %s are lost: its %s is missing", database, ENDING)
    elif what == "changes":
        log.error("the newest %d changes to %s are lost: it was damaged. `keaton doctor` tells more", changes, database)
    elif what == "another":
        log.warning("%s is not the database that lay there before. `keaton doctor` tells more", database)
    elif had_mark:
        log.error("the database %s was gone, so a new one was made. `keaton doctor` tells more", database)


def _opened(database: Path) -> int | None:
    try:
        return os.open(_place(database), os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        log.warning("what is acknowledged cannot be noted beside the database: %s", error)
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _place(database: Path) -> Path:
    return database.with_name(database.name + ENDING)


def _log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


async def settle(db: aiosqlite.Connection) -> None:
    """Note that media files without a video were set aside since then."""
    await db.execute(_SETTLE)
    await db.execute(_DROP_OLD, (_TOLD,))


async def put_away(db: aiosqlite.Connection) -> None:
    """Delete the notes of losses, once the operator was told."""
    await db.execute("DELETE FROM losses")


def losses(database: Path) -> tuple[Loss, ...]:
    """Return the losses that are still noted, oldest first; blocks. Raises sqlite3.Error."""
    with closing(sqlite3.connect(database)) as file:
        return tuple(Loss(*row) for row in file.execute(_ALL))
