"""What can go wrong with the data folder, each in its own class. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import OperatorError


@dataclass(eq=False)
class StorageUnusable(OperatorError):
    """The data folder cannot be used."""

    path: str
    reason: str


@dataclass(eq=False)
class DiskFull(StorageUnusable):
    """There is no room left; nothing that was kept before is touched by that."""


@dataclass(eq=False)
class StorageLocked(StorageUnusable):
    """Another process has held the database for longer than Keaton waits."""


@dataclass(eq=False)
class StorageReadOnly(StorageUnusable):
    """The folder or its disk may be read, but not written."""


@dataclass(eq=False)
class StorageDamaged(StorageUnusable):
    """What was to be read or changed lies in a damaged part of the database."""


@dataclass(eq=False)
class DatabaseGone(StorageUnusable):
    """The database was deleted or replaced while Keaton ran: what is written now would be lost."""


@dataclass(eq=False)
class DataFolderInUse(OperatorError):
    """Another Keaton works on the same data folder, and must not."""

    path: str


@dataclass(eq=False)
class SchemaTooNew(OperatorError):
    """The database was written by a newer Keaton."""

    path: str
    found: int
    known: int
