"""The tables, as ordered migrations numbered by `PRAGMA user_version`.

It must not know a query. What a released migration does is never changed: a change of the tables is a new one. Public:
`migrate` and `version`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import SchemaTooNew
from storage.migrations import jobs, library, messages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import aiosqlite

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    library.FIRST,
    jobs.CHATS,
    library.UPLOADERS,
    jobs.JOBS,
    library.LOOKS,
    library.NAMES_HERE,
    library.QUESTIONS,
    messages.DEPARTURES,
    messages.SHOWINGS,
    jobs.ALL_REQUESTS,
    jobs.UNDER,
    jobs.SWITCHES,
    library.ORDERS,
    jobs.RECALL,
    messages.STALE_CARDS,
    jobs.MODERATORS,
    library.BALLOTS,
    library.BY_FILM,
    library.LOSSES,
    library.LEADS,
    library.WITHDRAWN,
    library.CURVES,
    messages.HISTORY,
    jobs.ONE_TABLE,
)
"""Migration number n leads from `user_version` n - 1 to n."""


async def migrate(
    connection: aiosqlite.Connection, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring the tables up to date, each migration in a transaction of its own.

    Raises SchemaTooNew before anything was written.
    """
    await _check(connection, path, len(migrations))
    for number, statements in enumerate(migrations, start=1):
        await _step(connection, number, statements)


async def version(connection: aiosqlite.Connection) -> int:
    """Give the number of the last migration that this database went through."""
    ((found,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(found)


async def _check(connection: aiosqlite.Connection, path: Path, known: int) -> None:
    found = await version(connection)
    if found > known:
        raise SchemaTooNew(str(path), found, known)


async def _step(connection: aiosqlite.Connection, number: int, statements: Sequence[str]) -> None:
    # The version is read under the write lock: another process may be opening the same file.
    try:
        await connection.execute("BEGIN IMMEDIATE")
        if await version(connection) < number:
            for statement in statements:
                await connection.execute(statement)
            await connection.execute(f"PRAGMA user_version = {number}")
        await connection.commit()
    except BaseException:
        await connection.rollback()
        raise
