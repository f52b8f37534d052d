"""Copies what can be read of a damaged database, row by row, into a new file. Blocks.

SQLite finds a row by its number without touching other pages than those on the way, so reading goes on behind a damaged
page, at the first number that can be reached (found by bisection).
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LAST = 1 << 62
_AT_ONCE = 64
_VERSION_AT = 60
"""Where `user_version` stands in the file."""


class Table(NamedTuple):
    """A table that is to be filled."""

    name: str
    columns: tuple[str, ...]


def written_version(database: Path) -> int:
    """Give the `user_version` of a file that SQLite may not be able to open, or 0."""
    with database.open("rb") as file:
        header = file.read(100)
    is_ours = header.startswith(b"SQLite format 3\0") and len(header) == 100
    return int(struct.unpack_from(">I", header, _VERSION_AT)[0]) if is_ours else 0


def salvage(damaged: Path, fresh: Path) -> int:
    """Copy what can be read into a new database with the same tables; give the number of rows. Raises sqlite3.Error."""
    with closing(sqlite3.connect(damaged)) as source, closing(_opened(fresh)) as target:
        triggers = _take_triggers(target)
        copied = sum(_fill(source, target, table) for table in _tables(target))
        for (sql,) in triggers:
            target.execute(sql)
        target.execute("COMMIT")
    return copied


def _opened(fresh: Path) -> sqlite3.Connection:
    target = sqlite3.connect(fresh, isolation_level=None)
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN")
    return target


def _take_triggers(target: sqlite3.Connection) -> list[tuple[str]]:
    """Take the triggers away for now: they would change what is copied. Give their SQL."""
    found = target.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in found:
        target.execute(f'DROP TRIGGER "{name}"')
    return [(sql,) for _, sql in found]


def _tables(target: sqlite3.Connection) -> list[Table]:
    names = target.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [
        Table(name, tuple(str(row[1]) for row in target.execute(f'PRAGMA table_info("{name}")')))
        for (name,) in names.fetchall()
    ]


def _fill(source: sqlite3.Connection, target: sqlite3.Connection, table: Table) -> int:
    places = ", ".join("?" * (len(table.columns) + 1))
    names = ", ".join(f'"{column}"' for column in table.columns)
    insert = f'INSERT OR REPLACE INTO "{table.name}" (rowid, {names}) VALUES ({places})'  # noqa: S608 - our own names
    copied = 0
    for row in _rows(source, table):
        try:
            target.execute(insert, row)
            copied += 1
        except sqlite3.IntegrityError:
            continue  # what is left of the row is not what the table holds
    return copied


def _rows(source: sqlite3.Connection, table: Table) -> Iterator[tuple[object, ...]]:
    start, most = 0, _AT_ONCE
    while start <= _LAST:
        try:
            # All or one: where a row cannot be read, sqlite3 gives those before it neither.
            found = source.execute(_select(table) + " LIMIT ?", (start, most)).fetchall()
        except sqlite3.OperationalError:
            return  # the damaged file has no such table, or not these columns
        except sqlite3.DatabaseError:
            start, most = (start, 1) if most > 1 else (_next_reachable(source, table, start + 1), _AT_ONCE)
            continue
        if not found:
            return
        yield from found
        start = int(found[-1][0]) + 1


def _next_reachable(source: sqlite3.Connection, table: Table, first: int) -> int:
    """Give the lowest row number from `first` on that can be read from."""
    step = 1
    while first + step <= _LAST and not _reachable(source, table, first + step):
        step *= 2
    low, high = first + step // 2, first + step
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _reachable(source, table, middle) else (middle + 1, high)
    return low


def _reachable(source: sqlite3.Connection, table: Table, number: int) -> bool:
    try:
        source.execute(_select(table) + " LIMIT 1", (number,)).fetchall()
    except sqlite3.DatabaseError:
        return False
    return True


def _select(table: Table) -> str:
    names = ", ".join(f'"{column}"' for column in table.columns)
    # NOT INDEXED: an index may be damaged where the table is not.
    return f'SELECT rowid, {names} FROM "{table.name}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid'  # noqa: S608
