"""The data folder: errors of its disk, who may read it, which processes use it, and spare room. Blocks.

`disk` turns errors of the system and of SQLite into the core's. `alone` and `Owners` hold locks that the system
releases when a process dies: a process id would say nothing in another container, and comes again.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import re
import shutil
import sqlite3
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.errors import DataFolderInUse, DiskFull, StorageDamaged, StorageLocked, StorageReadOnly, StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

log = logging.getLogger(__name__)

LOCK = "running.lock"
_GRACE_S = 1.5
"""A bot that was killed while it started a child may hold its lock for a moment longer, by that child."""
_RETRY_S = 0.05
_OWNERS = "owners"
_NEW = ".new"
_RESERVE = "reserve"
RESERVE_BYTES = 32 << 20
"""Enough to forget a video of five hours with a frame a second."""
_RESERVE_SHARE = 4
"""At most this part of what is free is kept."""
_CHUNK_BYTES = 1 << 20

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
    """Turn errors of the disk and of the database file into StorageUnusable; errors in our own queries pass."""
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


OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The bits of a mode that are for others than the owner."""
_OURS = re.compile(r"keaton\.sqlite3.*|media|kept|backups|set-aside|owners|reserve|converted|running\.lock|page-.*")


def tighten(folder: Path) -> bool:
    """Close an older folder to other users; tell whether it is closed now.

    A folder that holds more than Keaton's own files keeps its mode, for it may be a home; a file with several
    names keeps its own, for one of them may lie elsewhere. Raises StorageUnusable.
    """
    with disk(folder):
        entries = list(os.scandir(folder))
        ours = [entry for entry in entries if _OURS.fullmatch(entry.name) and not entry.is_symlink()]
        is_closed = len(ours) == len(entries) and _close(folder)
        closed = [_close_below(entry) for entry in ours]
        return is_closed or all(closed)


def _close_below(entry: os.DirEntry[str]) -> bool:
    """Close a file, or a folder with all that is in it; what lies below a closed folder is left as it is."""
    if not entry.is_dir(follow_symlinks=False):
        return _close(entry)
    if not stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) & OTHERS:
        return True
    for within in os.scandir(entry):
        if not within.is_symlink():
            _close_below(within)
    return _close(entry)


def _close(path: os.PathLike[str]) -> bool:
    """Clear the bits for others in a mode; tell whether they are clear now."""
    found = os.lstat(path)
    if not found.st_mode & OTHERS:
        return True
    if found.st_uid != os.geteuid() or (found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode)):
        return False
    with suppress(OSError):  # as on a disk that knows no modes
        Path(path).chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
    return not os.lstat(path).st_mode & OTHERS


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of the only bot on this folder.

    Raises DataFolderInUse when there is another, and still is after a moment, StorageUnusable. Blocks.
    """
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=_GRACE_S)
        try:
            lock.acquire(poll_interval=_RETRY_S)
        except Timeout as error:
            raise DataFolderInUse(str(folder)) from error
    try:
        yield
    finally:
        lock.release()


class Owners:
    """Files that living processes hold locks on, in a folder beside the database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, database: Path) -> Owners:
        """Return the one beside a database."""
        return cls(database.parent / _OWNERS)

    @contextmanager
    def alive(self, name: str) -> Iterator[None]:
        """Hold the lock of a file by this name; where that fails, other processes go by the lease's time."""
        held = None
        with suppress(OSError):  # no room, or a file system without locks
            held = self._hold(name)
        try:
            yield
        finally:
            if held is not None:
                self.bury([name])
                os.close(held)

    def dead(self) -> frozenset[str]:
        """Return the names of processes that died without deleting their file."""
        if not self._folder.is_dir():
            return frozenset()
        names = [path.name for path in self._folder.iterdir() if not path.name.endswith(_NEW)]
        return frozenset(name for name in names if self._is_free(name))

    def bury(self, names: Iterable[str]) -> None:
        """Delete the files of dead processes."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _hold(self, name: str) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / (name + _NEW)
        held = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.rename(self._folder / name)  # locked by now: nobody takes it for that of a dead process
        except BaseException:
            os.close(held)
            new.unlink(missing_ok=True)
            raise
        return held

    def _is_free(self, name: str) -> bool:
        try:
            found = os.open(self._folder / name, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(found)


class Reserve:
    """A file of zeros that keeps room on the disk."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @classmethod
    def of(cls, database: Path) -> Reserve:
        """Return the one beside a database."""
        return cls(database.parent / _RESERVE)

    @property
    def size_bytes(self) -> int:
        """Return its size; 0 where there is none."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def lay(self) -> None:
        """Make the file, as far as there is plenty of room; raises nothing, since all else works without it."""
        part = self._path.with_name(self._path.name + ".part")
        with suppress(OSError):
            has_bytes = self.size_bytes
            size_bytes = min(
                self._size_bytes, (shutil.disk_usage(self._path.parent).free + has_bytes) // _RESERVE_SHARE
            )
            if has_bytes >= size_bytes // 2:
                return
            try:
                _fill(part, size_bytes)
                part.replace(self._path)
            finally:
                part.unlink(missing_ok=True)

    def drop(self) -> None:
        """Delete the file where little else is left; raises OSError."""
        has_bytes = self.size_bytes
        if has_bytes and shutil.disk_usage(self._path.parent).free < has_bytes:
            self._path.unlink(missing_ok=True)
            log.warning("the disk is full; %d bytes that were kept for it are free now, to forget with", has_bytes)


def _fill(path: Path, size_bytes: int) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size_bytes)
        except (AttributeError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in {errno.EINVAL, errno.EOPNOTSUPP}:
                raise
            for at in range(0, size_bytes, _CHUNK_BYTES):
                file.write(bytes(min(_CHUNK_BYTES, size_bytes - at)))


def write(path: Path, data: bytes) -> None:
    """Write a file: all of it, or nothing; raises OSError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        flush(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Flush a file or folder to the disk; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderBlobCache:
    """A cache with a file for each blob; any number of processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> bytes | None:
        """Return what is kept under a name, or None."""
        return await asyncio.to_thread(self._get, name)

    async def put(self, name: str, data: bytes) -> None:
        """Keep data under a name, and replace what it had."""
        await asyncio.to_thread(self._put, name, data)

    def _get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnusable(str(self._folder), error.strerror or str(error)) from error

    def _put(self, name: str, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(draft).replace(self._folder / name)
        except OSError as error:
            raise StorageUnusable(str(self._folder), error.strerror or str(error)) from error
