"""Media files that no video leads to after the database was lost: moved aside by day. Blocks; raises OSError."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

FOLDER = "set-aside"


class Aside:
    """The folder beside the media store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, media: Path) -> Aside:
        """Return that of a media store."""
        return cls(media.parent / FOLDER)

    def take(self, files: Iterable[Path]) -> Path | None:
        """Move files there; return the folder of today, or None where there was nothing to move."""
        folder = self._folder / time.strftime("%Y-%m-%d")
        moved = 0
        for path in files:
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                path.replace(folder / path.name)
                moved += 1
        return folder if moved else None

    def files(self) -> tuple[Path, ...]:
        """Return all files that lie there."""
        return tuple(path for path in sorted(self._folder.glob("*/*")) if path.is_file())

    def bring_back(self, names: Collection[str], media: Path) -> int:
        """Move back into the store what videos lead to again, by the stems of their files; return how many."""
        wanted = [path for path in self.files() if path.stem in names and not (media / path.name).exists()]
        for path in wanted:
            path.replace(media / path.name)
        self._drop_empty()
        return len(wanted)

    def forget(self, stem: str) -> None:
        """Delete a video's files."""
        for path in self._folder.glob(f"*/{stem}*"):
            path.unlink(missing_ok=True)
        self._drop_empty()

    def _drop_empty(self) -> None:
        for folder in self._folder.glob("*"):
            with suppress(OSError):  # there are others in it
                folder.rmdir()
