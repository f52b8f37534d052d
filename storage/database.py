"""The connections to the database: one that writes, a transaction at a time, and one that reads."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import aiosqlite

from core.errors import DatabaseGone, ForgottenInCopy, StorageUnusable
from storage.backups import Backups
from storage.continuity import COUNT, Continuity
from storage.data_folder import Reserve, disk
from storage.migrations import MIGRATIONS, migrate, version
from storage.wiper import Wiper, empty_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from core.model.video import View

log = logging.getLogger(__name__)

BUSY_S = 30.0
"""How long to wait for another process that holds the database."""
_PARTING_BUSY_S = 0.5
"""How long opening and closing wait for those who read from the log."""
LOG_BYTES = 32 << 20
"""A write-ahead log larger than this is emptied after the next transaction; readers let it grow now and then."""
_TRUNCATED_LOG_BYTES = 4 << 20
_SMALL_TABLES = """
    SELECT name FROM sqlite_master AS made WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
    AND NOT EXISTS (SELECT 1 FROM pragma_table_info(made.name) WHERE type = 'BLOB')
"""
_VIDEOS = "SELECT id FROM videos"
_RESCUED = """the database %s was deleted or replaced while Keaton ran. All that was kept is in %s: stop Keaton, put \
that file in its place without any -wal and -shm file beside it, and start again"""
_WAL_TRIES = 200
_WAL_PAUSE_S = 0.02

HERE = "platform = :platform AND space = :space AND channel = :channel"
IN_VIEW = "platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))"
"""With the values of `of_view`."""
NOW_S = "CAST(strftime('%s') AS REAL)"


def of_view(view: View) -> dict[str, object]:
    """Return the values that a query names :platform, :space and :channels (a JSON list)."""
    return {"platform": view.platform, "space": view.space, "channels": json.dumps(sorted(view.channels))}


def sealed(platform: str, space: str, channel: str, message: str, item: str) -> str:
    """Return what stands for a key's item once that is forgotten."""
    text = f"{platform}\0{space}\0{channel}\0{message}\0{item}"
    return "sealed:" + hashlib.sha256(text.encode()).hexdigest()[:32]


class Connections:
    """The two connections to one database file."""

    def __init__(
        self,
        path: Path,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        busy_s: float,
        log_bytes: int,
        continuity: Continuity,
        *,
        sound: bool,
    ) -> None:
        self._path = path
        self._continuity = continuity
        self._is_rescued = False
        self._rescued: Path | None = None
        self._forgotten_s = 0.0
        self._unswept = path.with_name(path.name + ".unswept")
        self._reserve = Reserve.of(path)
        self._keeps_room = False
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        self._wiper = Wiper(path, writer, reader, busy_s, self._turn, self.writing)
        self._sound = sound
        self._busy_s = busy_s
        self._log_bytes = self._most_log_bytes = log_bytes
        self._changed = asyncio.Event()
        self._closed = False

    @classmethod
    async def open(cls, path: Path, busy_s: float = BUSY_S, log_bytes: int = LOG_BYTES) -> Connections:
        """Open the file, making it or backing it up and migrating it where needed.

        Raises StorageUnusable, SchemaTooNew.
        """
        with disk(path):
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            async with AsyncExitStack() as opened:
                writer = await opened.enter_async_context(_connect(path, busy_s))
                is_new = await _prepare(writer, path)
                await writer.create_function("sealed", 5, sealed, deterministic=True)
                reader = await opened.enter_async_context(_connect(path, busy_s))
                reader.row_factory = sqlite3.Row
                await reader.create_function("folded", 1, str.casefold, deterministic=True)
                await reader.execute("PRAGMA query_only = ON")
                sound = await _look_over(reader)
                # A run that died may have forgotten what still stands in the log.
                emptied = await empty_log(writer, busy_s, _PARTING_BUSY_S)
                continuity = await Continuity.begin(writer, path, is_new=is_new)
                opened.pop_all()
        found = cls(path, writer, reader, busy_s, log_bytes, continuity, sound=sound)
        if not emptied:
            await found.empty_log()
        return found

    @property
    def sound(self) -> bool:
        """Tell whether a quick check at opening found nothing damaged, in all tables but those that hold BLOBs."""
        return self._sound

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return self._path

    async def close(self) -> None:
        """Close the connections once no transaction is under way; a second call does nothing."""
        is_left = await self._wiper.close()
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            with disk(self._path):
                try:
                    await self._reader.close()
                    await empty_log(self._writer, self._busy_s, _PARTING_BUSY_S)
                    if is_left:  # another process that has the file open does that, as soon as it can
                        await asyncio.to_thread(self._unswept.touch)
                finally:
                    self._continuity.close()
                    await self._writer.close()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[aiosqlite.Connection]:
        """Hold a transaction.

        Raises DatabaseGone where the file is not the one that was opened, StorageUnusable.
        """
        async with self._turn:
            await self._check()
            with disk(self._path):
                # A cancelled call still runs in the connection's thread, and a later one after it: so the
                # rollback always comes after whatever was begun, and before the next transaction.
                try:
                    await self._writer.execute("BEGIN IMMEDIATE")
                    yield self._writer
                    ((number,),) = await self._writer.execute_fetchall(COUNT)
                    await self._writer.commit()
                except BaseException:
                    await self._writer.rollback()
                    raise
                finally:
                    self._changed.set()
            await self._check()  # what went into a deleted file must not be acknowledged
            self._continuity.note(int(number))
            await self._tend_log()

    async def changed(self) -> None:
        """Wait until a transaction of this process has ended since the last call; one waits at a time."""
        await self._changed.wait()
        self._changed.clear()

    async def rows(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """Return all rows of a query, as of one point in time.

        Raises StorageUnusable.
        """
        with disk(self._path):
            return list(await self._reader.execute_fetchall(sql, values))

    async def empty_log(self) -> None:
        """Move what the write-ahead log holds into the file, and empty it: it keeps old pages otherwise.

        While a process still reads from it that is done later, in the background.
        """
        await self._wiper.empty_log()
        if self._keeps_room:
            await asyncio.to_thread(self._reserve.lay)

    async def emptied(self) -> None:
        """Wait until nothing of what was forgotten stands on the disk any more."""
        await self._wiper.done()

    async def keep_room(self) -> None:
        """Reserve some room on the disk from now on, so that forgetting works when it is full."""
        self._keeps_room = True
        self._wiper.scrub_soon()  # an earlier run may have died before it came to that
        await asyncio.to_thread(self._reserve.lay)

    async def make_room(self) -> None:
        """Release that room where the disk is full. Raises StorageUnusable."""
        if self._reserve.size_bytes:
            with disk(self._path):
                await asyncio.to_thread(self._reserve.drop)

    @asynccontextmanager
    async def forgetting(self) -> AsyncIterator[aiosqlite.Connection]:
        """Hold a transaction after which nothing that was deleted is left in backups or in the log.

        Backups go before it counts: a process that dies in between has forgotten nothing yet. What is left in the log
        goes as soon as no process reads from it, or when the file is next opened.

        Where the file was deleted or replaced this is done in the copy of it, and then raises ForgottenInCopy.
        """
        await self.make_room()
        if await self._has_only_copy():
            async with self._in_copy() as db:
                yield db
        async with self.writing() as db:
            yield db
            await self.purge_backups()
        await self.purge_backups()  # another process may have made one just before
        await self.empty_log()

    async def _has_only_copy(self) -> bool:
        with suppress(DatabaseGone):
            await self._check()
            return False
        return self._rescued is not None and await asyncio.to_thread(self._rescued.exists)

    @asynccontextmanager
    async def _in_copy(self) -> AsyncIterator[aiosqlite.Connection]:
        """Hold a transaction in the copy that was rescued, after which no other is left; raises ForgottenInCopy."""
        async with self._turn:
            with disk(self._path):
                async with aiosqlite.connect(f"file:{self._rescued}?mode=rw", uri=True, isolation_level=None) as db:
                    for pragma in ("foreign_keys = ON", "secure_delete = ON"):
                        await db.execute_fetchall(f"PRAGMA {pragma}")
                    await db.create_function("sealed", 5, sealed, deterministic=True)
                    before = await db.execute_fetchall(_VIDEOS)
                    await db.execute("BEGIN IMMEDIATE")  # closing takes back what is not committed
                    yield db
                    await asyncio.to_thread(Backups.of(self._path).purge, self._rescued)
                    await db.commit()
                    after = await db.execute_fetchall(_VIDEOS)
                    await db.execute("VACUUM")  # SQLite leaves bytes between the rows
        videos = tuple(sorted(str(video) for (video,) in {*before} - {*after}))
        raise ForgottenInCopy(str(self._path), "forgotten in the copy", videos)

    async def purge_backups(self) -> None:
        """Delete all backups, for something in them is being forgotten."""
        self._forgotten_s = time.time()
        with disk(self._path):
            await asyncio.to_thread(Backups.of(self._path).purge)

    @property
    def forgotten_s(self) -> float:
        """Return when something was last forgotten by this process, in Unix seconds."""
        return self._forgotten_s

    async def _check(self) -> None:
        try:
            self._continuity.check()
        except DatabaseGone:
            if not self._is_rescued:
                self._is_rescued = True
                await self._rescue()
            raise

    async def _rescue(self) -> None:
        """Copy what was kept, which this process can still read, to where it can be found."""
        try:
            place = await Backups.of(self._path).rescue(self._reader.backup)
        except (StorageUnusable, sqlite3.Error):
            log.exception("the database %s was deleted or replaced, and could not be copied", self._path)
        else:
            self._rescued = place
            log.error(_RESCUED, self._path, place)

    async def _tend_log(self) -> None:
        """Empty the log where it has grown; while a process reads from it that fails, and is tried again later."""
        if self._unswept.exists():  # another process closed before it could take off the disk what it forgot
            with suppress(OSError):
                self._unswept.unlink(missing_ok=True)
                self._wiper.empty_log_soon()
        _, size_bytes = self.sizes_bytes()
        if size_bytes <= self._most_log_bytes:
            return
        busy = not await empty_log(self._writer, self._busy_s, 0)
        self._most_log_bytes = size_bytes + self._log_bytes if busy else self._log_bytes

    def sizes_bytes(self) -> tuple[int, int]:
        """Return the sizes of the file and of its write-ahead log, as the disk has them now."""
        return _size_bytes(self._path), _size_bytes(self._path.with_name(self._path.name + "-wal"))


class Tables:
    """The base of what reads and writes tables."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _connect(path: Path, busy_s: float) -> aiosqlite.Connection:
    return aiosqlite.connect(path, timeout=busy_s, isolation_level=None)


async def _look_over(reader: aiosqlite.Connection) -> bool:
    """Check the pages of the small tables; the large ones are checked by `keaton doctor`, which has time."""
    try:
        names = await reader.execute_fetchall(_SMALL_TABLES)
        found = [
            text for (name,) in names for (text,) in await reader.execute_fetchall(f'PRAGMA quick_check("{name}")')
        ]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    wrong = next((text for text in found if text != "ok"), "")
    if wrong:
        log.error("the database is damaged (%s); `keaton doctor --repair` mends it", wrong)
    return not wrong


async def _prepare(writer: aiosqlite.Connection, path: Path) -> bool:
    """Bring the tables up to date; tell whether there were none."""
    found = await version(writer)
    if 0 < found < len(MIGRATIONS):
        place = await asyncio.to_thread(Backups.of(path).make, path, f"schema-{found}")
        log.info("the database is brought up to date; as it was it lies in %s", place.name)
    await writer.execute_fetchall("PRAGMA secure_delete = ON")  # a migration may drop a table
    await migrate(writer, path)
    await _write_ahead(writer)
    # SQLite reads the tables anew after a migration that renames one; a checkpoint which has to do that finds itself
    # locked out by its own reading.
    await writer.execute_fetchall("SELECT count(*) FROM sqlite_master")
    for pragma in ("synchronous = FULL", "foreign_keys = ON", f"journal_size_limit = {_TRUNCATED_LOG_BYTES}"):
        await writer.execute_fetchall(f"PRAGMA {pragma}")
    return not found


async def _write_ahead(writer: aiosqlite.Connection) -> None:
    # For this one statement SQLite does not wait when another process is opening or closing the same file.
    for left in reversed(range(_WAL_TRIES)):
        try:
            await writer.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                raise
            await asyncio.sleep(_WAL_PAUSE_S)
        else:
            return
