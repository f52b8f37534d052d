"""Uploads of files within limits: their number, their size together, and the time that each takes."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from core.errors import DiskFull, StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiohttp import StreamReader

logger = logging.getLogger(__name__)


_CHUNK_BYTES = 1 << 20


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class UploadLimits(Protocol):
    """How much may be posted."""

    @property
    def uploads(self) -> int:
        """How many files may be on their way, or wait to be looked at."""
        ...

    @property
    def uploads_limit_bytes(self) -> int:
        """How large these may be together."""
        ...

    @property
    def upload_timeout_s(self) -> float:
        """How long one may be on its way."""
        ...


class Uploads:
    """A folder for posted files, bounded in their number, their size together, and the time that each takes."""

    def __init__(self, folder: Path, limits: UploadLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._bytes: dict[Path, int] = {}
        """How large each file is that lies here; of one on its way, how large it will be as far as known."""
        self._under_way: set[Path] = set()

    async def receive(self, request: web.Request, name: str, limit_bytes: int) -> Path:
        """Write the body of a request to a new file in the folder; nothing is left there when that fails.

        Raises HTTPRequestEntityTooLarge when it is larger than the limit, HTTPTooManyRequests when as much as may
        be posted lies here, HTTPRequestTimeout when it takes too long, one of `guard.BROKEN` when it breaks off, and
        StorageUnusable (DiskFull) when the folder cannot take it.
        """
        length_bytes = request.content_length or 0
        if length_bytes > limit_bytes:
            raise web.HTTPRequestEntityTooLarge(limit_bytes, length_bytes)
        self._count_what_lies()
        if len(self._bytes) >= self._limits.uploads:
            raise web.HTTPTooManyRequests(text=f"{len(self._bytes)} files wait already")
        path = self._folder / f"{uuid.uuid4().hex}{_suffix(name)}"
        self._under_way.add(path)
        try:
            self._grow(path, length_bytes)
            await self._write(request, path, limit_bytes)
        except BaseException:
            self._bytes.pop(path, None)
            path.unlink(missing_ok=True)
            raise
        finally:
            self._under_way.discard(path)
        return path

    def _count_what_lies(self) -> None:
        """Leave out what was looked at, and so deleted."""
        for path in [path for path in self._bytes if path not in self._under_way and not path.exists()]:
            del self._bytes[path]

    def _grow(self, path: Path, size_bytes: int) -> None:
        self._bytes[path] = max(size_bytes, self._bytes.get(path, 0))
        if sum(self._bytes.values()) > self._limits.uploads_limit_bytes:
            raise web.HTTPTooManyRequests(text="the files that wait already are too large together with this one")

    async def _write(self, request: web.Request, path: Path, limit_bytes: int) -> None:
        try:
            async with asyncio.timeout(self._limits.upload_timeout_s):
                await self._copy(request.content, path, limit_bytes)
        except TimeoutError as error:
            logger.info("an upload was given up after %.0f s", self._limits.upload_timeout_s)
            raise web.HTTPRequestTimeout from error

    async def _copy(self, content: StreamReader, path: Path, limit_bytes: int) -> None:
        with _disk(path.parent):
            file = await asyncio.to_thread(path.open, "xb")
        try:
            written_bytes = 0
            async for chunk in content.iter_chunked(_CHUNK_BYTES):
                written_bytes += len(chunk)
                if written_bytes > limit_bytes:
                    raise web.HTTPRequestEntityTooLarge(limit_bytes, written_bytes)
                self._grow(path, written_bytes)
                with _disk(path.parent):
                    await asyncio.to_thread(file.write, chunk)
        finally:
            with _disk(path.parent):
                await asyncio.to_thread(file.close)  # what is still buffered may not fit either


def plain_name(name: str) -> str:
    """Give a file's name without folders and control characters, at most 120 characters of it."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-120:] or "video"


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn what the disk does wrong into StorageUnusable; a connection that breaks off is no matter of the disk."""
    try:
        yield
    except OSError as error:
        kind = DiskFull if error.errno in _NO_ROOM else StorageUnusable
        raise kind(str(folder), error.strerror or str(error)) from error


def _suffix(name: str) -> str:
    match = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return match.group().lower() if match else ""
