"""Takes a posted file off the wire onto the disk, without blocking and within a limit. Must not know what is in it."""

from __future__ import annotations

import asyncio
import errno
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.errors.disk import DiskFull, StorageUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiohttp import StreamReader

_CHUNK_BYTES = 1 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


async def receive(request: web.Request, folder: Path, name: str, limit_bytes: int) -> Path:
    """Write the body of a request to a new file in the folder; nothing is left there when that fails.

    Raises HTTPRequestEntityTooLarge when it is larger than the limit, StorageUnusable (DiskFull) when the folder
    cannot take it.
    """
    length_bytes = request.content_length or 0
    if length_bytes > limit_bytes:
        raise web.HTTPRequestEntityTooLarge(limit_bytes, length_bytes)
    path = folder / f"{uuid.uuid4().hex}{_suffix(name)}"
    try:
        await _write(request.content, path, limit_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def plain_name(name: str) -> str:
    """Give a file's name without folders and control characters, at most 120 characters of it."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-120:] or "film"


async def _write(content: StreamReader, path: Path, limit_bytes: int) -> None:
    with _disk(path.parent):
        file = await asyncio.to_thread(path.open, "xb")
    try:
        written_bytes = 0
        async for chunk in content.iter_chunked(_CHUNK_BYTES):
            written_bytes += len(chunk)
            if written_bytes > limit_bytes:
                raise web.HTTPRequestEntityTooLarge(limit_bytes, written_bytes)
            with _disk(path.parent):
                await asyncio.to_thread(file.write, chunk)
    finally:
        with _disk(path.parent):
            await asyncio.to_thread(file.close)  # what is still buffered may not fit either


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
