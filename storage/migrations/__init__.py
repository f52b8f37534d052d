"""The tables, as ordered migrations numbered by `PRAGMA user_version`.

It must not know a noun or a query. A released migration is never edited: a change of the tables is a new one. Public:
`migrate` and `version`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import SchemaTooNew
from storage.migrations.history import HISTORY
from storage.migrations.jobs import JOBS
from storage.migrations.leads import LEADS, WITHDRAWN
from storage.migrations.looks import LOOKS
from storage.migrations.losses import LOSSES
from storage.migrations.one_table import ONE_TABLE
from storage.migrations.questions import BALLOTS, CURVES, ORDERS, QUESTIONS
from storage.migrations.recall import RECALL
from storage.migrations.requests import ALL_REQUESTS, MODERATORS, SWITCHES, UNDER
from storage.migrations.walls import BY_FILM, DEPARTURES, NAMES_HERE, SHOWINGS, STALE_CARDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import aiosqlite

_FIRST = (
    """
    CREATE TABLE videos (
        id TEXT PRIMARY KEY,
        url TEXT NOT NULL,
        title TEXT NOT NULL,
        duration_s REAL NOT NULL,
        width_px INTEGER NOT NULL,
        height_px INTEGER NOT NULL,
        truncated INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE links (
        link TEXT PRIMARY KEY,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX links_by_video ON links (video_id)",
    # posted_at: UTC, ISO 8601 with microseconds, so that text order is the order of time.
    """
    CREATE TABLE postings (
        id INTEGER PRIMARY KEY,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        user_id TEXT NOT NULL,
        user_name TEXT NOT NULL,
        message TEXT NOT NULL,
        posted_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX one_posting_per_message ON postings (video_id, platform, space, channel, message)
    WHERE message <> ''
    """,
    """
    CREATE UNIQUE INDEX one_posting_per_user ON postings (video_id, platform, space, channel, user_id)
    WHERE message = ''
    """,
    "CREATE INDEX postings_by_channel ON postings (platform, space, channel)",
    # Only people and later migrations read the description: a key alone would not tell what made these vectors.
    "CREATE TABLE recipes (key TEXT PRIMARY KEY, description TEXT NOT NULL) STRICT",
    """
    CREATE TABLE indexings (
        id INTEGER PRIMARY KEY,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        recipe_key TEXT NOT NULL REFERENCES recipes,
        UNIQUE (video_id, recipe_key)
    ) STRICT
    """,
    # times_s: (n,) little-endian float64. vectors: (n, D) little-endian float16, one row per time.
    """
    CREATE TABLE chunks (
        indexing_id INTEGER NOT NULL REFERENCES indexings ON DELETE CASCADE,
        number INTEGER NOT NULL,
        times_s BLOB NOT NULL,
        vectors BLOB NOT NULL,
        UNIQUE (indexing_id, number)
    ) STRICT
    """,
    """
    CREATE TABLE thumbnails (
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        time_s REAL NOT NULL,
        jpeg BLOB NOT NULL,
        UNIQUE (video_id, time_s)
    ) STRICT
    """,
    # channels: JSON list. moments: JSON list of objects, best first.
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        video_id TEXT,
        view_platform TEXT NOT NULL,
        view_space TEXT NOT NULL,
        view_channels TEXT NOT NULL,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        moments TEXT NOT NULL,
        made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT
    """,
)

_CHATS = (
    "ALTER TABLE postings ADD COLUMN message_url TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX postings_by_message ON postings (platform, space, channel, message)",
    # state: 'begun', 'settled', or 'deleted' once the message is. run: the process that began it.
    """
    CREATE TABLE errands (
        id INTEGER PRIMARY KEY,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        message TEXT NOT NULL,
        item TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('begun', 'settled', 'deleted')),
        run TEXT NOT NULL,
        UNIQUE (platform, space, channel, message, item)
    ) STRICT
    """,
    "CREATE INDEX errands_begun ON errands (platform) WHERE state = 'begun'",
    """
    CREATE TABLE channels (
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        is_on INTEGER NOT NULL,
        PRIMARY KEY (platform, space, channel)
    ) STRICT
    """,
    "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
)

_UPLOADERS = ("ALTER TABLE videos ADD COLUMN uploader TEXT NOT NULL DEFAULT ''",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _FIRST,
    _CHATS,
    _UPLOADERS,
    JOBS,
    LOOKS,
    NAMES_HERE,
    QUESTIONS,
    DEPARTURES,
    SHOWINGS,
    ALL_REQUESTS,
    UNDER,
    SWITCHES,
    ORDERS,
    RECALL,
    STALE_CARDS,
    MODERATORS,
    BALLOTS,
    BY_FILM,
    LOSSES,
    LEADS,
    WITHDRAWN,
    CURVES,
    HISTORY,
    ONE_TABLE,
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
