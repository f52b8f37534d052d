"""Numbered copies of the database, the last few of them. Blocks.

Numbered and not dated, since a clock may jump. Forgetting deletes them all, so that nothing forgotten lives on.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from storage.data_folder import disk, flush

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

log = logging.getLogger(__name__)

FOLDER = "backups"
KEPT = 3

_RESCUED = "rescued"
_NAME = re.compile(r"(\d{4,})-[a-z0-9-]+\.sqlite3(-wal)?(\.part)?")


class Backups:
    """The copies of one database. All methods block, and raise StorageUnusable (DiskFull, ...)."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept

    @classmethod
    def of(cls, database: Path) -> Backups:
        """Return the backups beside a database."""
        return cls(database.parent / FOLDER)

    def make(self, database: Path, label: str) -> Path:
        """Copy a sound database, which others may write to meanwhile; then delete the oldest copies."""
        with disk(self._folder):
            place = self._place(label)
            part = place.with_suffix(".sqlite3.part")
            try:
                _copy(database, part)
                _settle(part, place)
            finally:
                part.unlink(missing_ok=True)
            self._drop_old()
            return place

    def take_in(self, database: Path, label: str, spared: Path | None = None) -> Path:
        """Copy the files of a database as they are, which SQLite may not be able to read; no process may write to them.

        A copy that is spared stays, however old it is.
        """
        with disk(self._folder):
            place = self._place(label)
            part = place.with_suffix(".sqlite3.part")
            try:
                shutil.copyfile(database, part)
                _settle(part, place)
            finally:
                part.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(_log_of(database), _log_of(place))
            self._drop_old(spared)
            return place

    async def rescue(self, copy: Callable[[sqlite3.Connection], Awaitable[None]]) -> Path:
        """Have a database copied that is still open, though its file is gone; older copies stay, whatever their number.

        Unlike the other methods it does not block. Raises StorageUnusable, sqlite3.Error.
        """
        with disk(self._folder):
            place = await asyncio.to_thread(self._place, _RESCUED)
            part = place.with_suffix(".sqlite3.part")
            try:
                with closing(sqlite3.connect(part, check_same_thread=False)) as target:
                    await copy(target)
                    await asyncio.to_thread(target.execute, "PRAGMA journal_mode = DELETE")
                await asyncio.to_thread(_settle, part, place)
            finally:
                part.unlink(missing_ok=True)
            return place

    def all(self) -> tuple[Path, ...]:
        """Return the copies, oldest first."""
        with disk(self._folder):
            return tuple(path for path in self._files() if path.suffix == ".sqlite3")

    def purge(self, spared: Path | None = None) -> int:
        """Delete all copies but `spared`, since something in them was forgotten. Return how many there were."""
        found = self.all()
        with disk(self._folder):
            for path in self._files():
                if path == spared:
                    continue
                if _RESCUED in path.name and path.suffix == ".sqlite3":
                    log.warning("%s is deleted with all other copies: what was just forgotten may stand in it", path)
                path.unlink(missing_ok=True)
        return len(found)

    def _place(self, label: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name.split("-", 1)[0]) for path in self._files()]
        return self._folder / f"{max(numbers, default=0) + 1:04}-{label}.sqlite3"

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))

    def _drop_old(self, spared: Path | None = None) -> None:
        for path in [path for path in self._files() if path.suffix == ".sqlite3"][: -self._kept]:
            if path == spared:
                continue
            path.unlink(missing_ok=True)
            _log_of(path).unlink(missing_ok=True)


def _copy(database: Path, part: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
        # No -wal file is to be needed beside the copy.
        target.execute("PRAGMA journal_mode = DELETE")


def _settle(part: Path, place: Path) -> None:
    flush(part)
    part.replace(place)
    flush(place.parent)


def _log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")
