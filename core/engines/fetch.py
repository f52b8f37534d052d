"""The parent's side of fetching: `core.ports.Fetcher` over a child process that runs yt-dlp.

Owns the trust boundary and the time limit: the child's words are checked and its codes become Keaton's errors.
"""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import links
from core.engines.children import Children
from core.engines.wire import GarbledError, Message
from core.errors import AppError, FetchFailed, LinkRefused, VideoUnavailable
from core.ports import Fetched, Fetching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from core.engines.children import Child

_LONGEST_TITLE = 300
_JOINER = "\u200d"
"""Holds emoji together."""


@dataclass(frozen=True, slots=True)
class ChildFetcher:
    """Fetches each link in a child of its own."""

    allowed_hosts: frozenset[str]
    """Private hosts that links may reach, on any port."""
    max_bytes: int
    timeout_s: float
    """For a whole fetch."""

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncGenerator[Fetching | Fetched, None]:
        """Download into the folder; the last item is the Fetched.

        Raises LinkRefused, VideoUnavailable, FetchFailed.
        """
        links.check(url, self.allowed_hosts)
        deadline_s = asyncio.get_running_loop().time() + self.timeout_s
        children = Children("core.engines.fetcher", _environment(folder), keep_spare=False)
        async with children.child() as child:
            await child.ask(self._request(url, folder, bearer))
            while True:
                event = _event(await _hear(child, url, deadline_s), url, folder)
                yield event
                if isinstance(event, Fetched):
                    return

    def _request(self, url: str, folder: Path, bearer: str) -> dict[str, object]:
        allowed = sorted(self.allowed_hosts)
        job = {"url": url, "folder": str(folder), "bearer": bearer}
        return {**job, "max_bytes": self.max_bytes, "allowed_hosts": allowed}


def _environment(folder: Path) -> dict[str, str]:
    """Keep all that the child and its JavaScript runtime write within the job's folder."""
    own = str(folder)
    return {"HOME": own, "TMPDIR": own, "XDG_CACHE_HOME": own, "DENO_DIR": own, "YTDLP_NO_PLUGINS": "1"}


async def _hear(child: Child, url: str, deadline_s: float) -> Message:
    """Give the child's next message, unless time runs out or it dies."""
    left_s = deadline_s - asyncio.get_running_loop().time()
    try:
        message = await child.receive(max(0.0, left_s))
    except TimeoutError as error:
        raise FetchFailed(url, "timeout") from error
    except GarbledError as error:
        raise FetchFailed(url, "other", str(error)) from error
    if message is None:
        raise FetchFailed(url, "other", await child.ending())
    return message


def _event(message: Message, url: str, folder: Path) -> Fetching | Fetched:
    try:
        match message.kind:
            case "fetching":
                return _fetching(message)
            case "fetched":
                return _fetched(message, folder)
            case kind:
                raise _error(message, url, kind)
    except GarbledError as error:
        raise FetchFailed(url, "other", str(error)) from error


def _fetching(message: Message) -> Fetching:
    total = message.maybe_number("total_bytes")
    done = int(message.number("done_bytes"))
    return Fetching(done, None if total is None else int(total), message.maybe_number("eta_s"))


def _fetched(message: Message, folder: Path) -> Fetched:
    path = folder / Path(message.text("name")).name
    if path.is_symlink() or not path.is_file():
        raise GarbledError("the child names a file that is not there")
    return Fetched(path, message.maybe_text("video_id"), _one_line(message.text("title")), message.text("url"))


def _error(message: Message, url: str, kind: str) -> AppError:
    """Give the error that the child reports."""
    detail = message.maybe_text("detail") or ""
    match kind:
        case "refused":
            return LinkRefused(url, message.text("why"))
        case "unavailable":
            return VideoUnavailable(url, message.text("why"), detail)
        case "failed":
            return FetchFailed(url, message.text("why"), detail)
        case "error":
            return FetchFailed(url, "other", detail)
    raise GarbledError(f"a message of the kind {kind[:40]!r}")


def _one_line(title: str) -> str:
    """Give a stranger's title without line breaks, control and direction characters."""
    clean = "".join(char if char == _JOINER or unicodedata.category(char)[0] != "C" else " " for char in title)
    return " ".join(clean.split())[:_LONGEST_TITLE]
