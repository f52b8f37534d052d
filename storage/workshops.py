"""The folders beside the kept media files: workshops, which die with their process, and the inbox. Blocks.

Owns their names, and whole writes; knows no film.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WORK = ".work"
LOCK = ".lock"
INBOX = ".inbox"


def enter(root: Path) -> int:
    """Make the folders where they lack, sweep out workshops of the dead, and give a lock to be held; raises OSError."""
    # Shared while anybody uses workshops; whoever gets it alone knows that all workshops are leftovers.
    work = root / WORK
    work.mkdir(parents=True, exist_ok=True)
    (root / INBOX).mkdir(exist_ok=True)
    lock = os.open(work / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sweep(work)
        fcntl.flock(lock, fcntl.LOCK_SH)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _sweep(work: Path) -> None:
    for leftover in work.iterdir():
        if leftover.name != LOCK:
            remove(leftover)


def remove(folder: Path) -> None:
    """Delete a folder with all that is in it."""
    # More than once: a thread that outlives its cancelled task may still write there.
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


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
    """Have a file or folder on the disk when this returns; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
