"""Turns errors of SQLite and of the disk into StorageUnusable and its kinds."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import DiskFull, StorageDamaged, StorageLocked, StorageReadOnly, StorageUnusable

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
_OF_SQLITE: dict[int, type[StorageUnusable]] = {
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_BUSY: StorageLocked,
    sqlite3.SQLITE_LOCKED: StorageLocked,
    sqlite3.SQLITE_READONLY: StorageReadOnly,
    sqlite3.SQLITE_PERM: StorageReadOnly,
    sqlite3.SQLITE_CORRUPT: StorageDamaged,
    sqlite3.SQLITE_NOTADB: StorageDamaged,
}
_OF_SYSTEM: dict[int, type[StorageUnusable]] = {
    errno.ENOSPC: DiskFull,
    errno.EDQUOT: DiskFull,
    errno.EFBIG: DiskFull,
    errno.EROFS: StorageReadOnly,
    errno.EACCES: StorageReadOnly,
    errno.EPERM: StorageReadOnly,
}
_PRIMARY = 0xFF
"""The low byte of SQLite's extended codes is the plain one."""
_HARDLY_FREE_BYTES = 1 << 18


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn what the disk or the database file does wrong into StorageUnusable; bugs in our own queries pass."""
    try:
        yield
    except _BUGS:
        raise
    except (sqlite3.Error, OSError) as error:
        raise _kind(path, error)(str(path), str(error)) from error


def _kind(path: Path, error: sqlite3.Error | OSError) -> type[StorageUnusable]:
    if isinstance(error, OSError):
        return _OF_SYSTEM.get(error.errno or 0, StorageUnusable)
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    # SQLite reports a full disk in its side files as an I/O error, and a forbidden folder as a file it cannot open.
    if code == sqlite3.SQLITE_IOERR and _is_full(path):
        return DiskFull
    if code == sqlite3.SQLITE_CANTOPEN and path.parent.is_dir() and not os.access(path.parent, os.W_OK):
        return StorageReadOnly
    return _OF_SQLITE.get(code, StorageUnusable)


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _HARDLY_FREE_BYTES
    except OSError:
        return False
