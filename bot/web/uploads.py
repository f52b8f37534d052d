"""Takes a posted file off the wire onto the disk, without blocking and within a limit. Must not know what is in it."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import StreamReader

_CHUNK_BYTES = 1 << 20


async def receive(request: web.Request, folder: Path, name: str, limit_bytes: int) -> Path:
    """Write the body of a request to a new file in the folder; nothing is left there when that fails.

    Raises HTTPRequestEntityTooLarge when it is larger than the limit.
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
    with await asyncio.to_thread(path.open, "xb") as file:
        written_bytes = 0
        async for chunk in content.iter_chunked(_CHUNK_BYTES):
            written_bytes += len(chunk)
            if written_bytes > limit_bytes:
                raise web.HTTPRequestEntityTooLarge(limit_bytes, written_bytes)
            await asyncio.to_thread(file.write, chunk)


def _suffix(name: str) -> str:
    match = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return match.group().lower() if match else ""
