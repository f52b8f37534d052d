"""Closes the data folder to other users of the machine. New files are closed by the process's umask. Blocks."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from storage.boundary import disk

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""All that a mode may give to others than the owner."""
_OURS = re.compile(r"keaton\.sqlite3.*|media|kept|backups|set-aside|owners|reserve|converted|running\.lock|page-.*")


def tighten(folder: Path) -> bool:
    """Take from everybody else what an earlier version let them do; tell whether they can do nothing now.

    A folder that holds more than Keaton's own files keeps its mode, for it may be somebody's home; a file with several
    names keeps its own, for one of them may lie elsewhere. Raises StorageUnusable.
    """
    with disk(folder):
        entries = list(os.scandir(folder))
        ours = [entry for entry in entries if _OURS.fullmatch(entry.name) and not entry.is_symlink()]
        is_closed = len(ours) == len(entries) and _close(folder)
        closed = [_close_below(entry) for entry in ours]
        return is_closed or all(closed)


def _close_below(entry: os.DirEntry[str]) -> bool:
    """Close a file, or a folder with all that is in it; below one that is closed nothing needs to be looked at."""
    if not entry.is_dir(follow_symlinks=False):
        return _close(entry)
    if not stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) & OTHERS:
        return True
    for within in os.scandir(entry):
        if not within.is_symlink():
            _close_below(within)
    return _close(entry)


def _close(path: os.PathLike[str]) -> bool:
    """Take all from others that a mode gives them; tell whether they have nothing now."""
    found = os.lstat(path)
    if not found.st_mode & OTHERS:
        return True
    if found.st_uid != os.geteuid() or (found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode)):
        return False
    with suppress(OSError):  # as on a disk that knows no modes
        Path(path).chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
    return not os.lstat(path).st_mode & OTHERS
