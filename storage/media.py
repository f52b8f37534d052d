"""`MediaFolder`: kept media files under a quota, the inbox of posted files, and files that were set aside.

A kept file is named by a hash of its video's id. Its access time, set by us, is its time of last use; the modification
time is left alone.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import re
import shutil
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.concurrency import to_its_end
from core.errors import DataFolderInUse, FileMissing
from storage.data_folder import disk, flush, write
from storage.workshops import INBOX, LOCK, WORK, enter, remove

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator

    Needed: TypeAlias = Callable[[], Awaitable[tuple[frozenset[str], frozenset[str]]]]

log = logging.getLogger(__name__)

FOLDER = "set-aside"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


class Aside:
    """The folder of files that were set aside, beside the media store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, media: Path) -> Aside:
        """Return the one beside a media store."""
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


class MediaFolder:
    """The kept media files. Several processes may share the folder."""

    def __init__(self, root: Path, quota_bytes: int, lock: int, last_used_ns: int) -> None:
        self._root = root
        self._quota_bytes = quota_bytes
        self._lock = lock
        self._last_used_ns = last_used_ns
        self._keeping = asyncio.Lock()
        self._aside = Aside.of(root)

    @classmethod
    async def open(cls, root: Path, quota_bytes: int) -> MediaFolder:
        """Open the folder, making it where there is none, and sweep out workshops that a dead process left behind.

        Raises StorageUnusable.
        """
        with disk(root):
            return cls(root, quota_bytes, await asyncio.to_thread(enter, root), await asyncio.to_thread(_newest, root))

    @staticmethod
    @contextmanager
    def alone(root: Path) -> Iterator[None]:
        """Keep all other processes out of the folder, for as long as this lasts.

        Raises DataFolderInUse where another process uses it, StorageUnusable.
        """
        with disk(root):
            (root / WORK).mkdir(parents=True, exist_ok=True)
            lock = os.open(root / WORK / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise DataFolderInUse(str(root.parent)) from error
        finally:
            os.close(lock)

    async def close(self) -> None:
        """Release the lock on the workshops."""
        os.close(self._lock)

    @asynccontextmanager
    async def workshop(self) -> AsyncIterator[Path]:
        """Yield an empty folder on the same disk that is deleted afterwards, whatever happens."""
        with disk(self._root):
            folder = Path(tempfile.mkdtemp(dir=self._root / WORK))
        try:
            yield folder
        finally:
            # Shielded: a task that is cancelled twice would leave the folder behind.
            await asyncio.shield(asyncio.to_thread(remove, folder))

    async def keep(self, path: Path, video_id: str) -> Path:
        """Take a file from a workshop into the store; return its new path.

        The least recently used go when it is full. The new file itself stays even if it is larger than the quota.
        Where this is cancelled the file may be there, but does not come later.
        """
        async with self._keeping:
            with disk(self._root):
                return await to_its_end(asyncio.to_thread(self._keep, path, video_id))

    async def copy_in(self, path: Path, folder: Path) -> Path:
        """Bring a file into a workshop folder; the original stays. Raises FileMissing.

        Only what lies in another workshop is linked: a user's own file may be written over in place later.
        """
        with disk(self._root):
            return await asyncio.to_thread(_copy_in, path, folder, linked=path.is_relative_to(self._root))

    async def path(self, video_id: str) -> Path | None:
        """Return the kept file and count it as used, or None when there is none (any more)."""
        with disk(self._root):
            return await asyncio.to_thread(self._use, video_id)

    async def forget(self, video_id: str) -> None:
        """Delete the kept file, if there is one, also where it was set aside."""
        with disk(self._root):
            await asyncio.to_thread(self._forget, video_id)

    @property
    def inbox(self) -> Path:
        """Return the folder where posted files lie until their job has ended."""
        return self._root / INBOX

    def inbox_bytes(self) -> int:
        """Return the size of all that lies there."""
        return sum(stat.st_size for stat, _ in _files(self.inbox))

    async def take_posted(self, path: Path, data: bytes) -> None:
        """Write a small file into the inbox."""
        with disk(self._root):
            await asyncio.to_thread(write, path, data)

    async def posted(self, path: Path) -> bytes | None:
        """Return a small file of the inbox, or None where there is none."""
        with disk(self._root), suppress(FileNotFoundError):
            return await asyncio.to_thread(path.read_bytes)
        return None

    async def drop_posted(self, path: Path) -> None:
        """Delete a file, if it lies in the inbox: a user's own stays."""
        if path.is_relative_to(self.inbox):
            with disk(self._root):
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def set_aside(self, needed: Needed) -> Path | None:
        """Move files that nothing leads to into a folder of their own; return it, or None where there are none."""
        with disk(self._root):
            strays = await self._strays(needed)
            folder = await asyncio.to_thread(self._aside.take, strays)
        if folder:
            log.warning("%d files that no video leads to were set aside in %s", len(strays), folder)
        return folder

    async def bring_back(self, needed: Needed) -> int:
        """Move files back that were set aside, and that videos lead to again; count them."""
        with disk(self._root):
            if not await asyncio.to_thread(self._aside.files):
                return 0
            videos, _ = await needed()
            found = await asyncio.to_thread(self._aside.bring_back, set(map(_name, videos)), self._root)
        if found:
            log.info("%d files are back that had been set aside: videos lead to them again", found)
        return found

    async def sweep(self, needed: Needed) -> int:
        """Delete files that nothing leads to, and say so in the log; count them."""
        with disk(self._root):
            orphans = await self._strays(needed)
            for path in orphans:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        if orphans:  # their number alone: files of the inbox have names that people gave them
            log.info("%d media files that no video and no request leads to were deleted", len(orphans))
        return len(orphans)

    async def _strays(self, needed: Needed) -> list[Path]:
        """Return files that nothing leads to.

        `needed` is asked after the files were listed, and returns videos by id and files of the inbox by path. A
        file comes after the row that leads to it, so that one which was listed has its row by then.
        """
        listed = await asyncio.to_thread(lambda: [*_files(self._root), *_files(self.inbox)])
        videos, posted = await needed()
        names = set(map(_name, videos))
        return [path for _, path in listed if path.stem not in names and str(path) not in posted]

    def _keep(self, path: Path, video_id: str) -> Path:
        place = self._root / (_name(video_id) + _suffix(path))
        flush(path)
        self._mark_used(path)
        self._make_room(path.stat().st_size, place)
        path.replace(place)
        for other in self._kept(video_id):
            if other != place:
                other.unlink(missing_ok=True)
        flush(self._root)
        return place

    def _use(self, video_id: str) -> Path | None:
        for place in self._kept(video_id):
            with suppress(FileNotFoundError):
                self._mark_used(place)
                return place
        return None

    def _mark_used(self, path: Path) -> None:
        # A clock that jumps back must not make what was used last seem to be used first.
        self._last_used_ns = max(time.time_ns(), self._last_used_ns + 1)
        os.utime(path, ns=(self._last_used_ns, path.stat().st_mtime_ns))

    def _forget(self, video_id: str) -> None:
        for place in self._kept(video_id):
            place.unlink(missing_ok=True)
        self._aside.forget(_name(video_id))
        flush(self._root)

    def _kept(self, video_id: str) -> list[Path]:
        return list(self._root.glob(_name(video_id) + "*"))

    def _make_room(self, needed_bytes: int, place: Path) -> None:
        others = [(stat, path) for stat, path in _files(self._root) if path != place]
        others.sort(key=lambda file: file[0].st_atime_ns)
        total_bytes = needed_bytes + sum(stat.st_size for stat, _ in others)
        for stat, path in others:
            if total_bytes <= self._quota_bytes:
                return
            path.unlink(missing_ok=True)
            total_bytes -= stat.st_size


def _name(video_id: str) -> str:
    return hashlib.sha256(video_id.encode()).hexdigest()[:32]


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def _copy_in(path: Path, folder: Path, *, linked: bool) -> Path:
    original = path.resolve()
    if not original.is_file():
        raise FileMissing(str(path))
    place = folder / path.name
    if linked:
        os.link(original, place)
    else:
        with original.open("rb") as source, place.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    return place


def _newest(root: Path) -> int:
    return max((stat.st_atime_ns for stat, _ in _files(root)), default=0)


def _files(root: Path) -> list[tuple[os.stat_result, Path]]:
    found = []
    for path in root.iterdir():
        with suppress(FileNotFoundError):
            if path.is_file():
                found.append((path.stat(), path))
    return found
