"""One running bot per data folder. Owns the lock file; the system lets go of it when its process ends, however.

The command line's other commands go on beside a running bot: SQLite and the media folder know how to share.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.errors.disk import DataFolderInUse
from storage.boundary import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "running.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the one bot on this folder.

    Raises DataFolderInUse at once when there is another, StorageUnusable.
    """
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / NAME, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise DataFolderInUse(str(folder)) from error
    try:
        yield
    finally:
        lock.release()
