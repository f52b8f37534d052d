"""One running bot per data folder: a lock file, which the system releases when the process ends.

Other commands do not need it: SQLite and the media folder can be shared.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.errors import DataFolderInUse
from storage.boundary import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "running.lock"
_GRACE_S = 1.5
"""A bot that was killed while it started a child may hold its lock for a moment longer, by that child."""
_RETRY_S = 0.05


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the one bot on this folder.

    Raises DataFolderInUse when there is another, and still is after a moment, StorageUnusable. Blocks.
    """
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / NAME, timeout=_GRACE_S)
        try:
            lock.acquire(poll_interval=_RETRY_S)
        except Timeout as error:
            raise DataFolderInUse(str(folder)) from error
    try:
        yield
    finally:
        lock.release()
