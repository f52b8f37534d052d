"""A file of spare room, released when the disk is full and something is to be forgotten. Blocks.

SQLite writes each page that it wipes into its log first, so forgetting takes room before it makes some.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

NAME = "reserve"
SIZE_BYTES = 32 << 20
"""Enough to forget a video of five hours with a look a second."""
_SHARE = 4
"""At most this part of what is free is kept."""
_CHUNK_BYTES = 1 << 20


class Reserve:
    """A file that holds nothing."""

    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @classmethod
    def of(cls, database: Path) -> Reserve:
        """Return the one beside a database."""
        return cls(database.parent / NAME)

    @property
    def size_bytes(self) -> int:
        """Return how much room it keeps."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def lay(self) -> None:
        """Keep room, as far as there is plenty; raises nothing, for without it all else works."""
        part = self._path.with_name(self._path.name + ".part")
        with suppress(OSError):
            has_bytes = self.size_bytes
            size_bytes = min(self._size_bytes, (shutil.disk_usage(self._path.parent).free + has_bytes) // _SHARE)
            if has_bytes >= size_bytes // 2:
                return
            try:
                _fill(part, size_bytes)
                part.replace(self._path)
            finally:
                part.unlink(missing_ok=True)

    def drop(self) -> None:
        """Let go of the room where little else is left; raises OSError."""
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
