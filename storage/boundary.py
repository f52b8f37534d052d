"""The one place where the disk's complaints become StorageUnusable. Knows no query and no noun."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUGS = (
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn what the disk or the database file does wrong into StorageUnusable; bugs in our own queries pass."""
    try:
        yield
    except _BUGS:
        raise
    except (sqlite3.Error, OSError) as error:
        raise StorageUnusable(str(path), str(error)) from error
