"""The conversation that all tabs share: a bounded log with a clock.

Each change advances the clock, and a tab asks for all changes since the time it has seen; so nothing queues up for slow
tabs, and no history of edits is kept.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.web.render import Json

Author: TypeAlias = Literal["you", "keaton"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message."""

    id: int
    changed: int
    """The channel's clock at the last change."""
    author: Author
    at: datetime
    body: Json
    audience: str | None
    """The one tab that sees it, or None for all."""
    videos: tuple[str, ...] = ()
    """Ids of the videos that it shows or tells of."""
    keeps: bool = False
    """It goes into the history."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a tab has not seen yet."""

    clock: int
    oldest: int
    """Messages with a smaller id are gone."""
    messages: tuple[Json, ...]
    """In the order of ids."""


class Channel:
    """A bounded log of messages; ids rise and are never used again."""

    def __init__(self, limit: int, first_id: int = 1) -> None:
        """Keep so many messages; ids begin above those of earlier runs."""
        self._limit = limit
        self._clock = 0
        self._next_id = first_id
        self._entries: dict[int, LogEntry] = {}
        self._moved = asyncio.Event()

    def __contains__(self, message: int) -> bool:
        return message in self._entries

    def reserve(self) -> int:
        """Give the id that the next new message will have, for bodies that mention it."""
        self._next_id += 1
        return self._next_id - 1

    @property
    def clock(self) -> int:
        """Return the time of the last change."""
        return self._clock

    @property
    def oldest(self) -> int:
        """Return the smallest id in the log; messages with a smaller one are gone."""
        return min(self._entries, default=self._next_id)

    def add(
        self,
        message: int,
        author: Author,
        body: Json,
        audience: str | None = None,
        at: datetime | None = None,
        *,
        videos: Sequence[str] = (),
        keeps: bool = False,
    ) -> None:
        """Add a message under a reserved id, or put one back that stood there in an earlier run."""
        at = at or datetime.now(UTC)
        self.restore(LogEntry(message, 0, author, at, body, audience, tuple(videos), keeps))

    def restore(self, entry: LogEntry) -> None:
        """Put a message into the log as it stood there."""
        self._entries[entry.id] = replace(entry, changed=self._tick())
        while len(self._entries) > self._limit:
            del self._entries[min(self._entries)]

    def change(self, message: int, body: Json, videos: Sequence[str] = ()) -> None:
        """Replace what a message says; nothing happens when it has left the log."""
        if message in self._entries:
            shown = tuple(videos)
            self._entries[message] = replace(self._entries[message], changed=self._tick(), body=body, videos=shown)

    def tie(self, message: int, videos: Sequence[str]) -> None:
        """Note that a message tells of videos, and goes into the history until one of these is forgotten."""
        if message in self._entries:
            entry = self._entries[message]
            all_of = tuple(dict.fromkeys((*entry.videos, *videos)))
            self._entries[message] = replace(entry, changed=self._tick(), videos=all_of, keeps=True)

    def show_to(self, message: int, audience: str | None) -> None:
        """Set who sees a message; for the others it is gone."""
        if message in self._entries and self._entries[message].audience != audience:
            self._entries[message] = replace(self._entries[message], changed=self._tick(), audience=audience)

    def buttons(self, message: int) -> tuple[str, ...]:
        """Give the ids of the buttons under a message."""
        entry = self._entries.get(message)
        known = entry.body.get("buttons") if entry else None
        return tuple(str(one["id"]) for one in known) if isinstance(known, list) else ()

    def changes(self, tab: str, since: int) -> Changes:
        """Give what changed after `since`, as this tab may see it."""
        return Changes(self._clock, self.oldest, tuple(_seen_by(tab, entry) for entry in self.changed(since)))

    def changed(self, since: int) -> tuple[LogEntry, ...]:
        """Return the messages that changed after `since`, in the order of ids."""
        found = (entry for entry in self._entries.values() if entry.changed > since)
        return tuple(sorted(found, key=lambda one: one.id))

    async def moved(self, since: int) -> None:
        """Wait until something changed after `since`."""
        while self._clock <= since:
            await self._moved.wait()

    def _tick(self) -> int:
        self._clock += 1
        self._moved.set()
        self._moved = asyncio.Event()
        return self._clock


def _seen_by(tab: str, entry: LogEntry) -> Json:
    if entry.audience not in {None, tab}:
        return {"id": entry.id, "gone": True}
    at_ms = round(entry.at.timestamp() * 1000)
    return {"id": entry.id, "author": entry.author, "at_ms": at_ms, **entry.body}
