"""Keeps what stands in the channel in the database, as a tab that writes down what it sees."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from bot.web.log import LogEntry
from core.errors import AppError
from core.ports.history import HistoryMessage, HistoryPicture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.web.log import Channel
    from bot.web.render import PictureCache
    from core.model.video import Scope
    from core.ports.history import History

log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.3
"""Between two looks at what changed: an answer is drawn twice within a moment."""
_AGAIN_S: Final = 30.0
"""How long what could not be written down waits for the next try."""
_LARGEST_BYTES: Final = 4_000_000
"""A larger picture, as of a cut, is not kept: it can be made again."""


@dataclass(slots=True)
class HistoryKeeper:
    """Writes one channel down, and puts it back."""

    channel: Channel
    shelf: PictureCache
    history: History
    scope: Scope
    limit: int
    _written: int = 0
    """The channel's clock up to which all is written down."""

    async def restore(self) -> None:
        """Put back what stood there when Keaton last ran."""
        try:
            kept = await self.history.newest(self.scope, self.limit)
        except AppError:
            log.exception("the page's history could not be read")
            return
        for one in kept:
            self.channel.restore(_entry(one))
        self._written = self.channel.clock

    async def run(self) -> None:
        """Write down each change, for ever."""
        try:
            while True:
                await self.channel.moved(self._written)
                await asyncio.sleep(_PAUSE_S)
                if not await self.write():
                    await asyncio.sleep(_AGAIN_S)
        finally:
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self.write())

    async def write(self) -> bool:
        """Write down what changed since the last time; return whether that is kept, and leave it for later if not."""
        clock = self.channel.clock
        changed = [_kept(one, self.shelf) for one in self.channel.changed(self._written) if _is_kept(one)]
        try:
            if changed:
                await self.history.keep(self.scope, changed, self.channel.oldest)
        except AppError:
            log.exception("the page's history could not be written")
            return False
        self._written = clock
        return True


def _is_kept(entry: LogEntry) -> bool:
    return entry.keeps and not entry.body.get("progress") and entry.body.get("tone") != "error"


def _entry(one: HistoryMessage) -> LogEntry:
    return LogEntry(
        id=one.id,
        changed=0,
        author="you" if one.author == "you" else "keaton",
        at=datetime.fromtimestamp(one.at_ms / 1000, UTC),
        body=json.loads(one.body),
        audience=one.audience or None,
        videos=one.videos,
        keeps=True,
    )


def _kept(entry: LogEntry, shelf: PictureCache) -> HistoryMessage:
    return HistoryMessage(
        entry.id,
        entry.author,
        round(entry.at.timestamp() * 1000),
        entry.audience or "",
        json.dumps(entry.body, ensure_ascii=False),
        entry.videos,
        tuple(_pictures(entry, shelf)),
    )


def _pictures(entry: LogEntry, shelf: PictureCache) -> Iterator[HistoryPicture]:
    for key in dict.fromkeys(_keys(entry.body)):
        for theme, data in shelf.all_of(key).items():
            if len(data) <= _LARGEST_BYTES:
                yield HistoryPicture(key, theme, data)


def _keys(part: object) -> Iterator[str]:
    """Return the keys of all pictures in a body, wherever they stand in it."""
    if isinstance(part, dict):
        urls = part.get("urls")
        if isinstance(urls, dict):
            yield from (unquote(urlsplit(str(url)).path.rpartition("/")[2]) for url in urls.values())
        for inner in part.values():
            yield from _keys(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _keys(inner)
