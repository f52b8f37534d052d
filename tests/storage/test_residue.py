"""What SQLite leaves between the cells of its pages is wiped after something was forgotten, and nothing else is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from storage import residue
from storage.database import Connections

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.slow

ALL = "SELECT name, text FROM notes ORDER BY name"


def name_of(number: int) -> str:
    return "video-" + hashlib.sha256(str(number).encode()).hexdigest()


async def write(connections: Connections, numbers: Iterable[int]) -> None:
    """Write rows in no order of their names, so that pages are split and filled anew."""
    async with connections.writing() as db:
        await db.executemany("INSERT INTO notes VALUES (?, ?)", [(name_of(one), f"text {one}") for one in numbers])


async def forget(connections: Connections, numbers: Iterable[int]) -> None:
    async with connections.forgetting() as db:
        await db.executemany("DELETE FROM notes WHERE name = ?", [(name_of(one),) for one in numbers])


def pages_with_residue(path: Path) -> list[int]:
    """Return them by a child, as the product does: closing the file here would drop the locks of its connections."""
    with closing(sqlite3.connect(path)) as file:
        roots = [1, *(root for (root,) in file.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0"))]
    command = [sys.executable, residue.__file__, "find", str(path), json.dumps(roots), "1000000"]
    return [int(one) for one in json.loads(subprocess.run(command, capture_output=True, check=True).stdout)]


def left(path: Path, numbers: Iterable[int]) -> list[int]:
    content = subprocess.run(["cat", path], capture_output=True, check=True).stdout
    return [one for one in numbers if name_of(one).encode() in content]


async def test_no_name_is_left_where_rows_moved_and_all_other_rows_stay(tmp_path: Path) -> None:
    path = tmp_path / "keaton.db"
    connections = await Connections.open(path)
    gone, stay = range(0, 3000, 2), range(1, 3000, 2)
    await write(connections, range(3000))
    await connections.empty_log()
    assert await asyncio.to_thread(pages_with_residue, path), "SQLite wipes it by itself by now"
    await forget(connections, gone)
    await connections.emptied()
    assert await asyncio.to_thread(pages_with_residue, path) == []
    assert await asyncio.to_thread(left, path, gone) == []
    expected = sorted((name_of(one), f"text {one}") for one in stay)
    assert [tuple(row) for row in await connections.rows(ALL, {})] == expected
    await write(connections, gone)
    await connections.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM notes").fetchone() == (3000,)


async def test_what_others_write_meanwhile_is_untouched_and_wiping_follows(tmp_path: Path) -> None:
    """Two processes' worth of connections: one forgets while the other writes and deletes all the time."""
    path = tmp_path / "keaton.db"
    one, other = await Connections.open(path), await Connections.open(path)
    await write(one, range(2000))

    async def busy() -> None:
        for at in range(3000, 6000, 100):
            await write(other, range(at, at + 100))
            await forget(other, range(at, at + 50))
            await asyncio.sleep(0.03)

    working = asyncio.create_task(busy())
    await forget(one, range(0, 2000, 2))
    await working
    await one.emptied()
    await other.emptied()
    gone = [*range(0, 2000, 2), *(one for one in range(3000, 6000) if one % 100 < 50)]
    assert await asyncio.to_thread(left, path, gone) == []
    ((count,),) = await one.rows("SELECT count(*) FROM notes", {})
    assert count == 1000 + 1500
    ((said,),) = await one.rows("PRAGMA integrity_check", {})
    assert said == "ok"
    await one.close()
    await other.close()
