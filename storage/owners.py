"""Which processes that took requests up are alive? Each holds the lock of a file while it lives. Blocks.

A process id would say nothing in another container, and comes again.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FOLDER = "owners"
_NEW = ".new"


class Owners:
    """The folder of those files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, database: Path) -> Owners:
        """Return the one beside a database."""
        return cls(database.parent / FOLDER)

    @contextmanager
    def alive(self, name: str) -> Iterator[None]:
        """Be known as alive by this name, for as long as this lasts; without it a lease runs out by its time."""
        held = None
        with suppress(OSError):  # no room, or a file system without locks
            held = self._hold(name)
        try:
            yield
        finally:
            if held is not None:
                self.bury([name])
                os.close(held)

    def dead(self) -> frozenset[str]:
        """Return the names of those that died without a word."""
        if not self._folder.is_dir():
            return frozenset()
        names = [path.name for path in self._folder.iterdir() if not path.name.endswith(_NEW)]
        return frozenset(name for name in names if self._is_free(name))

    def bury(self, names: Iterable[str]) -> None:
        """Forget them: nothing is left that they had taken up."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _hold(self, name: str) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / (name + _NEW)
        held = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.rename(self._folder / name)  # locked by now: nobody takes it for that of a dead process
        except BaseException:
            os.close(held)
            new.unlink(missing_ok=True)
            raise
        return held

    def _is_free(self, name: str) -> bool:
        try:
            found = os.open(self._folder / name, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(found)
