"""Has residue of forgotten rows wiped when that is safe: under the write lock, over an empty log."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.concurrency import to_its_end
from storage import residue

if TYPE_CHECKING:
    import aiosqlite

_PATIENCE_S = 30.0
_MOST_PAGES = 1 << 16
"""So many are looked at: 256 MB. The trees of BLOBs come last, whose pages are most of a large database."""
_ROOTS = """
    SELECT rootpage FROM sqlite_master AS made WHERE rootpage > 0 ORDER BY type = 'table' AND EXISTS (
        SELECT 1 FROM pragma_table_info(made.name) WHERE type = 'BLOB'
    ), rootpage
"""


async def find(reader: aiosqlite.Connection, database: Path) -> list[int]:
    """Return the pages that hold residue; nobody is kept from writing meanwhile, so it counts only if nobody did.

    Raises OSError, sqlite3.Error.
    """
    roots = [1, *(int(root) for (root,) in await reader.execute_fetchall(_ROOTS))]
    told = await _child("find", str(database), json.dumps(roots), str(_MOST_PAGES))
    return [int(number) for number in json.loads(told)]


async def wipe(writer: aiosqlite.Connection, database: Path, pages: list[int]) -> None:
    """Wipe those pages, in a transaction that has changed nothing yet, over an empty write-ahead log.

    So nobody else writes to the file. That the transaction counts lets other processes read the pages anew.
    Raises OSError, sqlite3.Error.
    """
    await _child("wipe", str(database), json.dumps(pages), str(os.getpid()))
    # The connection must not write back what it remembers of them.
    await writer.execute_fetchall("PRAGMA shrink_memory")


async def _child(*words: str) -> bytes:
    """Run the child to its end, though this is cancelled: the lock must hold as long as it wipes. Raises OSError."""
    return await to_its_end(asyncio.to_thread(_run, words))


def _run(words: tuple[str, ...]) -> bytes:
    command = [sys.executable, "-I", "-S", str(Path(residue.__file__)), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=True)  # noqa: S603 - our own words
    except subprocess.SubprocessError as error:
        raise OSError(f"the pages could not be looked at: {error}") from error
    return done.stdout
