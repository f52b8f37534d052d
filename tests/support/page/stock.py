"""What the page reads and writes beside the conversation: a stock of videos, and a history in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.web.videos import PageStorage, PageVideos
from core.model.video import PostedVideo, Posting, Thumbnail, Video
from storage.history import SqliteHistory
from tests.support.tabs import CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.model.video import Scope, View
    from core.ports.history import HistoryMessage
    from tests.core.conftest import ColourHouse


@dataclass
class MemoryHistory:
    """Keeps messages for as long as the test runs."""

    kept: dict[int, HistoryMessage] = field(default_factory=dict)

    async def newest(self, scope: Scope, most: int) -> tuple[HistoryMessage, ...]:  # noqa: ARG002 - the port's
        return tuple(replace(one, pictures=()) for _, one in sorted(self.kept.items())[-most:])

    async def keep(self, scope: Scope, messages: Sequence[HistoryMessage], oldest: int) -> None:  # noqa: ARG002 - likewise
        self.kept.update({one.id: one for one in messages})
        self.kept = {number: one for number, one in self.kept.items() if number >= oldest}

    async def picture(self, message: int, key: str, theme: str) -> bytes | None:
        found = [one for one in self.kept[message].pictures if one.key == key] if message in self.kept else []
        return min(found, key=lambda one: one.theme != theme).data if found else None


@dataclass
class Stock:
    """A library of so many videos, with a file and a picture each if they are given."""

    titles: Sequence[str] = ()
    file: Path | None = None
    jpeg: bytes = b""

    async def videos(self, view: View) -> tuple[PostedVideo, ...]:  # noqa: ARG002 - the port's
        return tuple(self._posted(number) for number in range(len(self.titles)))

    async def posting(self, video_id: str, view: View, user_id: str | None = None) -> Posting | None:  # noqa: ARG002
        found = [self._posted(number) for number in range(len(self.titles))]
        return next((one.posting for one in found if one.video.id == video_id), None)

    async def thumbnails(self, video_id: str) -> tuple[Thumbnail, ...]:  # noqa: ARG002 - likewise
        return (Thumbnail(0.0, self.jpeg),) if self.jpeg else ()

    async def posters(self, view: View) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 - likewise
        return (("u1", "Ada Lovelace"), ("u2", "Bo"))

    async def path(self, video_id: str) -> Path | None:  # noqa: ARG002 - likewise
        return self.file

    def _posted(self, number: int) -> PostedVideo:
        title, name = self.titles[number], f"v{number}"
        video = Video(name, "", title, 94.0, 640, 360)
        at = datetime(2026, 11, 3, 12, tzinfo=UTC)
        return PostedVideo(video, Posting(name, CONFIG.scope, "u1", "Ada Lovelace", "", at, title=title))


def stocked(*titles: str, file: Path | None = None, jpeg: bytes = b"") -> PageStorage:
    """Return a stock of videos with these titles, and an empty history."""
    stock = Stock(titles, file, jpeg)
    return PageStorage(PageVideos(stock, stock, CONFIG.view), MemoryHistory())


def kept_in(house: ColourHouse) -> PageStorage:
    """Return what a page over a real library reads and writes."""
    videos = PageVideos(house.library, house.media, CONFIG.view)
    return PageStorage(videos, SqliteHistory(house.library.connections))
