"""FolderOfKeepsakes: ports.Keepsakes over a folder. Owns small files that can be made again; knows no film."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from core.errors.disk import StorageUnusable


class FolderOfKeepsakes:
    """One file for each; any number of processes may share the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> bytes | None:
        """Give what is kept under a name, or None."""
        return await asyncio.to_thread(self._get, name)

    async def put(self, name: str, data: bytes) -> None:
        """Keep something, in the place of what had this name."""
        await asyncio.to_thread(self._put, name, data)

    def _get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnusable(str(self._folder), error.strerror or str(error)) from error

    def _put(self, name: str, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(draft).replace(self._folder / name)
        except OSError as error:
            raise StorageUnusable(str(self._folder), error.strerror or str(error)) from error
