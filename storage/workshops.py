"""Working folders on the disk of the media, and how one is deleted that a stranger's code may have filled. Blocks.

Its files may lie at any depth, with any names and modes. No symbolic link is followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WORK = ".work"

LOCK = ".lock"

INBOX = ".inbox"


def enter(root: Path) -> int:
    """Make missing folders, sweep out workshops of dead processes, return a lock to be held; raises OSError."""
    # Shared while a process uses workshops; one that gets it alone knows that all workshops are leftovers.
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


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 3
"""A thread that outlives its cancelled task may still write there."""


def remove(folder: Path) -> None:
    """Delete a folder with all that is in it, as far as the system allows; files stay."""
    for _ in range(_TRIES):
        with suppress(OSError):
            if not folder.is_symlink():
                folder.chmod(0o700)
            _empty(folder)
            folder.rmdir()
        if not folder.exists():
            return


def _empty(folder: Path) -> None:
    """Delete all that is in a folder. Raises OSError where something stays.

    What lies deeper is moved up first: so it takes two descriptors and no long path, however deep it is.
    """
    place = os.open(folder, _FOLDER)
    try:
        while names := os.listdir(place):  # noqa: PTH208 - pathlib knows no descriptors
            dropped = [_dropped(name, place) for name in names]
            if not any(dropped):
                raise OSError(errno.ENOTEMPTY, "some of it stays")
    finally:
        os.close(place)


def _dropped(name: str, place: int) -> bool:
    """Delete a file, or a folder whose own folders are moved beside it; return whether that was done."""
    with suppress(OSError):
        if _is_unlinked(name, place):
            return True
        _let_in(name, place)
        inner = os.open(name, _FOLDER, dir_fd=place)
        try:
            for below in os.listdir(inner):  # noqa: PTH208 - likewise
                if not _is_unlinked(below, inner):
                    _let_in(below, inner)
                    os.rename(below, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=place)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=place)
        return True
    return False


def _is_unlinked(name: str, place: int) -> bool:
    """Delete a file; return False where it is a folder."""
    try:
        os.unlink(name, dir_fd=place)
    except FileNotFoundError:
        return True
    except (IsADirectoryError, PermissionError):  # macOS calls it the latter
        return False
    return True


def _let_in(name: str, place: int) -> None:
    """Make a folder readable for us; a link is not followed. Raises OSError."""
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, 0o700, dir_fd=place, follow_symlinks=False)
        return
    held = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
    try:
        os.chmod(f"/proc/self/fd/{held}", 0o700)  # noqa: PTH101 - of that very folder
    finally:
        os.close(held)
