"""The `Fetcher` port: one child process for each download, with time limits and retries.

The child is not trusted: its messages are checked, and its codes become errors of `core.errors`. One whose folder
takes too much of the disk is stopped, for the system limits single files only.
"""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

from core import links
from core.engines.sandbox.pool import ChildPool
from core.engines.sandbox.protocol import ChildMessage, GarbledError
from core.errors import DiskFull, FetchFailed, LinkRefused, OverLimit, VideoUnavailable
from core.formatting import one_line
from core.ports.video import Fetched, Fetching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from core.engines.sandbox.pool import Child
    from core.errors import AppError
    from core.limits import FetchLimits
    from core.ports.metrics import Watch

_LONGEST_DETAIL = 300
_LONGEST_HOST = 253
_PASSING = frozenset({"timeout", "broken", "busy"})
"""Failures that may be over in a moment."""
_PAUSE_S = 1.0
_COPIES = 2
"""A video may lie there in pieces and whole."""
_BESIDE_BYTES = 64 << 20
"""For what the JavaScript runtime keeps."""
_MOST_MESSAGES = 200_000
"""Five a second for eleven hours."""
_LEAST_BYTES = 1 << 16
"""What a fetch that has not stalled brings at the least."""
_EVERY_S = 0.5
_BLOCK_BYTES = 512
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEPEST = 64
"""Each level takes a descriptor."""
_MOST_FILES = 100_000


@dataclass(slots=True)
class FetchPace:
    """Tells how long to wait for a child: until it stalls, or until the whole fetch takes too long."""

    deadline_s: float
    stall_s: float
    began_s: float
    brought_bytes: int = 0

    @classmethod
    def start(cls, deadline_s: float, stall_s: float) -> FetchPace:
        """Return a pace that starts now; finding the video may take twice as long as a stall."""
        return cls(deadline_s, stall_s, _now_s() + stall_s)

    def note(self, done_bytes: int) -> None:
        """Take how many bytes are there now."""
        if abs(done_bytes - self.brought_bytes) >= _LEAST_BYTES:
            self.brought_bytes = done_bytes
            self.began_s = _now_s()

    def left_s(self) -> float:
        """Return the seconds until patience ends."""
        return max(0.0, min(self.deadline_s, self.began_s + self.stall_s) - _now_s())

    def why(self) -> str:
        """Say which patience has ended, as a code of FetchFailed."""
        return "timeout" if self.over else "slow"

    @property
    def over(self) -> bool:
        """Return whether the whole fetch has taken too long."""
        return _now_s() >= self.deadline_s


@dataclass(frozen=True, slots=True)
class ChildFetcher:
    """Fetches each link in a child of its own; a passing failure is tried again from where it ended."""

    allowed_hosts: frozenset[str]
    """Private hosts that links may reach, on any port."""
    limits: FetchLimits
    program: str = "core.engines.download.worker"
    """The module that fetches."""
    watch: Watch = field(kw_only=True)

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncGenerator[Fetching | Fetched, None]:
        """Download into the folder; the last item is the Fetched.

        Raises LinkRefused, VideoUnavailable, OverLimit, FetchFailed, DiskFull.
        """
        with self.watch.stage("fetch"):
            async with aclosing(self._attempts(url, folder, bearer)) as events:
                async for event in events:
                    yield event

    async def _attempts(self, url: str, folder: Path, bearer: str) -> AsyncGenerator[Fetching | Fetched, None]:
        links.check(url, self.allowed_hosts, self.limits.sites)
        deadline_s = _now_s() + self.limits.timeout_s
        for attempt in range(1, self.limits.attempts + 1):
            try:
                async with aclosing(self._attempt(url, folder, bearer, deadline_s)) as events:
                    async for event in events:
                        yield event
            except FetchFailed as error:
                pause_s = _PAUSE_S * attempt
                if error.why not in _PASSING or attempt == self.limits.attempts or _now_s() + pause_s >= deadline_s:
                    raise
            else:
                return
            await asyncio.sleep(pause_s)

    async def _attempt(
        self, url: str, folder: Path, bearer: str, deadline_s: float
    ) -> AsyncGenerator[Fetching | Fetched, None]:
        pace = FetchPace.start(deadline_s, self.limits.stall_s)
        children = ChildPool(self.program, _environment(folder), keep_spare=False, gives_way=True)
        most_bytes = _COPIES * self.limits.size_bytes + _BESIDE_BYTES
        async with children.child() as child, watched(folder, most_bytes, child.kill) as filling:
            await child.ask(self._request(url, folder, bearer))
            for _ in range(_MOST_MESSAGES):
                message = await _hear(child, url, pace)
                if message is None and filling.found_bytes:
                    raise OverLimit(links.file_title(url), "size_bytes", self.limits.size_bytes, filling.found_bytes)
                if message is None:
                    raise FetchFailed(url, "other", filling.unmeasured or await child.ending())
                event = self._event(message, url, folder)
                yield event
                if isinstance(event, Fetched):
                    return
                pace.note(event.done_bytes)
        raise FetchFailed(url, "other", f"more than {_MOST_MESSAGES} messages")

    def _request(self, url: str, folder: Path, bearer: str) -> dict[str, object]:
        limits = {**asdict(self.limits), "sites": sorted(self.limits.sites)}
        job = {"url": url, "folder": str(folder), "bearer": bearer}
        return {**job, "limits": limits, "allowed_hosts": sorted(self.allowed_hosts)}

    def _event(self, message: ChildMessage, url: str, folder: Path) -> Fetching | Fetched:
        try:
            match message.kind:
                case "fetching":
                    return _fetching(message)
                case "fetched":
                    return _fetched(message, folder)
                case kind:
                    raise self._error(message, url, kind)
        except GarbledError as error:
            raise FetchFailed(url, "other", one_line(str(error)[:_LONGEST_DETAIL])) from error

    def _error(self, message: ChildMessage, url: str, kind: str) -> AppError:
        """Return the error that the child reports."""
        detail = one_line(message.maybe_text("detail") or "")[:_LONGEST_DETAIL]
        match kind:
            case "refused":
                host = one_line(message.maybe_text("host") or "")[:_LONGEST_HOST]
                return LinkRefused(url, message.text("why"), host)
            case "unavailable":
                return VideoUnavailable(url, message.text("why"), detail)
            case "failed":
                return FetchFailed(url, message.text("why"), detail)
            case "over_limit":
                return self._over(message, url)
            case "disk_full":
                return DiskFull("", detail)
            case "error":
                return FetchFailed(url, "other", detail)
        raise GarbledError(f"a message of the kind {kind[:40]!r}")

    def _over(self, message: ChildMessage, url: str) -> OverLimit:
        name, found = one_line(message.maybe_text("name") or "") or links.file_title(url), message.maybe_number("found")
        match message.text("quantity"):
            case "size_bytes":
                return OverLimit(name, "size_bytes", self.limits.size_bytes, found)
            case "duration_s":
                return OverLimit(name, "duration_s", self.limits.duration_s, found)
            case "memory_bytes":
                return OverLimit(name, "memory_bytes", self.limits.memory_bytes, found)
        raise GarbledError("a limit that fetches do not have")


def _environment(folder: Path) -> dict[str, str]:
    """Keep all that the child and its JavaScript runtime write within the job's folder."""
    own = str(folder)
    return {"HOME": own, "TMPDIR": own, "XDG_CACHE_HOME": own, "DENO_DIR": own, "YTDLP_NO_PLUGINS": "1"}


async def _hear(child: Child, url: str, pace: FetchPace) -> ChildMessage | None:
    """Return the child's next message, or None where it died, unless patience ends."""
    try:
        return await child.receive(pace.left_s())
    except TimeoutError as error:
        raise FetchFailed(url, pace.why()) from error
    except GarbledError as error:
        raise FetchFailed(url, "other", one_line(str(error)[:_LONGEST_DETAIL])) from error


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _fetching(message: ChildMessage) -> Fetching:
    total = message.maybe_number("total_bytes")
    done = int(message.number("done_bytes"))
    eta_s, bytes_per_s = message.maybe_number("eta_s"), message.maybe_number("bytes_per_s")
    return Fetching(done, None if total is None else int(total), eta_s, bytes_per_s)


def _fetched(message: ChildMessage, folder: Path) -> Fetched:
    path = folder / Path(message.text("name")).name
    if path.is_symlink() or not path.is_file():
        raise GarbledError("the child names a file that is not there")
    uploader = message.maybe_text("uploader")
    return Fetched(
        path,
        message.maybe_text("video_id"),
        one_line(message.text("title")),
        message.text("url"),
        uploader=None if uploader is None else one_line(uploader),
        several=message.header.get("several") is True,
    )


@dataclass(slots=True)
class Filling:
    """How full a folder was when it was too full; `found_bytes` is 0 as long as it is not."""

    most_bytes: int
    found_bytes: int = 0
    unmeasured: str = ""
    """Why it could not be measured, or ""."""


@asynccontextmanager
async def watched(folder: Path, most_bytes: int, stop: Callable[[], None]) -> AsyncIterator[Filling]:
    """Call `stop` once the files in a folder, and in those below, take more of the disk than so many bytes.

    Likewise once that cannot be told any more.
    """
    filling = Filling(most_bytes)
    watching = asyncio.create_task(_watch(folder, filling, stop))
    try:
        yield filling
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(folder: Path, filling: Filling, stop: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            taken = await asyncio.to_thread(taken_bytes, folder)
        except OSError as error:
            filling.unmeasured = error.strerror or str(error)
            break
        if taken > filling.most_bytes:
            filling.found_bytes = taken
            break
    stop()


def taken_bytes(folder: Path) -> int:
    """Return how many bytes of the disk all files below a folder take; blocks.

    What goes meanwhile does not count. Raises OSError where that cannot be told: a folder below may not be read, or
    there are more files, or folders in folders, than a fetch ever makes.
    """
    place = os.open(folder, _FOLDER)
    try:
        return _Measuring().taken_bytes(place)
    finally:
        os.close(place)


@dataclass(slots=True)
class _Measuring:
    """A walk by descriptors: names may be longer, together, than any path may be, and folders may be exchanged."""

    seen: int = 0
    depth: int = 0

    def taken_bytes(self, place: int) -> int:
        total = 0
        with suppress(FileNotFoundError), os.scandir(place) as entries:
            for entry in entries:
                self.seen += 1
                if self.seen > _MOST_FILES:
                    raise OSError(errno.EMFILE, "too many files to be measured")
                total += self._of(entry, place)
        return total

    def _of(self, entry: os.DirEntry[str], place: int) -> int:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return 0
        below = self._below(entry.name, place) if S_ISDIR(found.st_mode) else 0
        return found.st_blocks * _BLOCK_BYTES + below

    def _below(self, name: str, place: int) -> int:
        if self.depth == _DEEPEST:
            raise OSError(errno.ENAMETOOLONG, "folders too deep to be measured")
        try:
            inner = os.open(name, _FOLDER, dir_fd=place)
        except (FileNotFoundError, NotADirectoryError):  # it went, or is something else by now
            return 0
        self.depth += 1
        try:
            return self.taken_bytes(inner)
        finally:
            self.depth -= 1
            os.close(inner)
