"""The SQL of what was missing when the database was opened. Functions run inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite

UNSETTLED = "SELECT 1 FROM losses WHERE NOT is_settled LIMIT 1"
SETTLE = "UPDATE losses SET is_settled = 1 WHERE NOT is_settled"
_TOLD = "-30 days"
"""After so long `keaton doctor` has told whoever looks."""
_DROP_OLD = "DELETE FROM losses WHERE is_settled AND found_at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)"
_ALL = "SELECT found_at, what, changes FROM losses ORDER BY number"


@dataclass(frozen=True, slots=True)
class Loss:
    """What was found missing once."""

    found_at: str
    """UTC, ISO 8601."""
    what: str
    """"new": there was no database. "another": it was not the one from before. "changes": the newest were lost."""
    changes: int
    """How many were lost; 0 where nothing tells whether any were."""


async def settle(db: aiosqlite.Connection) -> None:
    """Note that media files which nothing leads to since then were set aside."""
    await db.execute(SETTLE)
    await db.execute(_DROP_OLD, (_TOLD,))


async def put_away(db: aiosqlite.Connection) -> None:
    """Forget what was found missing: it was told."""
    await db.execute("DELETE FROM losses")


def known(database: Path) -> tuple[Loss, ...]:
    """Return what was found missing in the last time, oldest first; blocks. Raises sqlite3.Error."""
    with closing(sqlite3.connect(database)) as file:
        return tuple(Loss(*row) for row in file.execute(_ALL))
