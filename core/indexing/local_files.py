"""Opens files of this machine that are named to Keaton: regular files up to a size only. Blocks.

Opening a pipe, or reading a file of /proc, may never end.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import FileMissing, FileUnreadable, NotAFile, OverLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from core.errors import FileKind

_CHUNK_BYTES = 1 << 20
_KINDS: tuple[tuple[Callable[[int], bool], FileKind], ...] = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


def check(path: Path, name: str, limit_bytes: float) -> None:
    """Judge a file without opening it; errors call it by `name`.

    Raises FileMissing, FileUnreadable, NotAFile, OverLimit.
    """
    with _told(name):
        _judge(path.stat(), name, limit_bytes)


def file_id(path: Path, name: str, limit_bytes: float) -> str:
    """Return the id of a file by its content. Raises FileMissing, FileUnreadable, NotAFile, OverLimit."""
    with _opened(path, name, limit_bytes) as file, _told(name):
        return id_of(file, name, limit_bytes)


def read(path: Path, name: str, limit_bytes: int) -> bytes:
    """Return what is in a file. Raises FileMissing, FileUnreadable, NotAFile, OverLimit."""
    with _opened(path, name, limit_bytes) as file, _told(name):
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise OverLimit(name, "size_bytes", limit_bytes, len(data))
    return data


def id_of(file: BinaryIO, name: str, limit_bytes: float) -> str:
    """Return the id of an open file by its content; raises OverLimit, also where it grows meanwhile."""
    digest, read_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        read_bytes += len(chunk)
        if read_bytes > limit_bytes:
            raise OverLimit(name, "size_bytes", limit_bytes, read_bytes)
        digest.update(chunk)
    return "sha256:" + digest.hexdigest()[:32]


@contextmanager
def _opened(path: Path, name: str, limit_bytes: float) -> Iterator[BinaryIO]:
    """Open a plain file. What took its place after it was judged is judged once more, and opening it does not wait."""
    check(path, name, limit_bytes)
    with _told(name):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _judge(os.fstat(descriptor), name, limit_bytes)
        yield file


def _judge(found: os.stat_result, name: str, limit_bytes: float) -> None:
    for is_of_kind, kind in _KINDS:
        if is_of_kind(found.st_mode):
            raise NotAFile(name, kind)
    if not found.st_size:  # as most files of /proc and /sys say of themselves, of which some can be read for ever
        raise NotAFile(name, "empty")
    if found.st_size > limit_bytes:
        raise OverLimit(name, "size_bytes", limit_bytes, found.st_size)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(name) from error
    except (OSError, ValueError) as error:  # the latter for a name that holds a zero byte
        raise FileUnreadable(name, getattr(error, "strerror", None) or "no such name is possible") from error
