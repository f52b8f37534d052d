from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from core.errors import SchemaTooNew, StorageUnusable
from storage.library import SqliteLibrary
from storage.migrations import MIGRATIONS, migrate, version

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ADD_ACTOR = ("CREATE TABLE actors (name TEXT)", "INSERT INTO actors VALUES ('Buster')")
BROKEN = ("CREATE TABLE stunts (name TEXT)", "INSERT INTO nowhere VALUES (1)")


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(tmp_path / "keaton.db", isolation_level=None) as opened:
        yield opened


@pytest.mark.usefixtures("library")
async def test_a_new_library_has_the_newest_schema(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "keaton.db")) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_the_writing_connection_waits_for_the_disk_and_checks_references(library: SqliteLibrary) -> None:
    settings = {}
    async with library.connections.writing() as writer:
        for pragma in ("foreign_keys", "synchronous", "secure_delete", "busy_timeout"):
            ((settings[pragma],),) = await writer.execute_fetchall(f"PRAGMA {pragma}")
    assert settings == {"foreign_keys": 1, "synchronous": 2, "secure_delete": 1, "busy_timeout": 30_000}


async def test_a_file_written_by_a_newer_keaton_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "keaton.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew) as caught:
        await SqliteLibrary.open(path)
    assert (caught.value.path, caught.value.found, caught.value.known) == (str(path), 99, len(MIGRATIONS))
    assert path.read_bytes() == before


async def test_an_old_file_goes_through_the_missing_migrations_once(
    connection: aiosqlite.Connection, tmp_path: Path
) -> None:
    await migrate(connection, tmp_path)
    for _ in range(2):
        await migrate(connection, tmp_path, (*MIGRATIONS, ADD_ACTOR))
    assert await version(connection) == len(MIGRATIONS) + 1
    assert await _names(connection, "SELECT name FROM actors") == ["Buster"]


async def test_a_migration_that_fails_half_way_leaves_the_schema_before_it(
    connection: aiosqlite.Connection, tmp_path: Path
) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await migrate(connection, tmp_path, (*MIGRATIONS, ADD_ACTOR, BROKEN))
    assert await version(connection) == len(MIGRATIONS) + 1
    tables = await _names(connection, "SELECT name FROM sqlite_master")
    assert "actors" in tables
    assert "stunts" not in tables


@pytest.mark.parametrize("content", [b"this is a letter to my mother, not a database" * 100])
async def test_a_file_that_is_no_database_is_the_operators_to_mend(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keaton.db"
    path.write_bytes(content)
    with pytest.raises(StorageUnusable) as caught:
        await SqliteLibrary.open(path)
    assert caught.value.path == str(path)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_bytes() == content


async def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnusable):
        await SqliteLibrary.open(tmp_path / "file" / "keaton.db")


async def test_a_folder_in_the_place_of_the_file_is_the_operators_to_mend(tmp_path: Path) -> None:
    with pytest.raises(StorageUnusable):
        await SqliteLibrary.open(tmp_path)


@pytest.fixture
def locked_folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o500)
    return tmp_path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_the_operators_to_mend(locked_folder: Path) -> None:
    with pytest.raises(StorageUnusable):
        await SqliteLibrary.open(locked_folder / "keaton.db")


OPEN = """
import asyncio, sys
from pathlib import Path
from storage.library import SqliteLibrary

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    for name in range(8):
        library = await SqliteLibrary.open(Path(sys.argv[1]) / f"{name}.db")
        await library.close()

asyncio.run(main())
"""


async def test_two_processes_may_open_a_new_library_at_the_same_time(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    command = (sys.executable, "-c", OPEN, str(tmp_path))
    started = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=env) for _ in range(2)]
    for process in started:
        assert process.stdout is not None
        await process.stdout.readline()
    await asyncio.gather(*(process.communicate(b"go\n") for process in started))
    assert [process.returncode for process in started] == [0, 0]


async def _names(connection: aiosqlite.Connection, sql: str) -> list[str]:
    return [name for (name,) in await connection.execute_fetchall(sql)]
