"""The page's history, kept across restarts. Methods may raise StorageUnusable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.video import Scope


@dataclass(frozen=True, slots=True)
class HistoryPicture:
    """A picture in a message."""

    key: str
    theme: str
    data: bytes


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """One message as it stands."""

    id: int
    author: str
    at_ms: int
    """When it was said, in Unix milliseconds."""
    audience: str
    """The one tab that sees it, or "" for all."""
    body: str
    """JSON, for the page."""
    videos: tuple[str, ...] = ()
    """Ids of the videos that it shows or tells of: it goes with any of them."""
    pictures: tuple[HistoryPicture, ...] = ()


class History(Protocol):
    """The messages of one channel, bounded, and forgotten with their videos."""

    async def newest(self, scope: Scope, most: int) -> tuple[HistoryMessage, ...]:
        """Return at most so many messages without their pictures, oldest first."""
        ...

    async def keep(self, scope: Scope, messages: Sequence[HistoryMessage], oldest: int) -> None:
        """Keep messages in the place of those with the same ids; drop all with ids below `oldest`.

        One that shows a video which was forgotten meanwhile is not kept.
        """
        ...

    async def picture(self, message: int, key: str, theme: str) -> bytes | None:
        """Return a picture of a message in a theme, or in the one it has; None where it is not kept."""
        ...
