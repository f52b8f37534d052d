"""A real small disk, to fill up. Only Linux's tmpfs, and whoever may mount it, can have one."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE_KB = 1536
_BALLAST = "ballast"
_BLOCK = bytes(4096)


@dataclass(frozen=True)
class SmallDisk:
    """A disk of one and a half megabytes."""

    path: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room on it, for as long as this lasts."""
        self.fill()
        try:
            yield
        finally:
            self.make_room()

    def fill(self) -> None:
        with suppress(OSError), (self.path / _BALLAST).open("ab", buffering=0) as file:
            while file.write(_BLOCK):
                pass

    def make_room(self) -> None:
        (self.path / _BALLAST).unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nobody open anything there for writing, for as long as this lasts; what is open stays so."""
        _run("mount", "--bind", self.path, self.path)
        _run("mount", "-o", "remount,bind,ro", self.path)
        try:
            yield
        finally:
            unmount(self.path)


def mount(path: Path) -> str:
    """Mount a small disk there; give why not, or ""."""
    options = f"size={SIZE_KB}k"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "keaton-test", path], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return str(error)
    return done.stderr.strip() or "mount failed" if done.returncode else ""


def unmount(path: Path) -> None:
    """Take it away, whoever may still have a file open on it."""
    _run("umount", "--lazy", path)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
