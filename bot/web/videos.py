"""What the page asks of the library beside the conversation: the gallery, small pictures, kept files, and names.

Only of videos that are posted in the page's own channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from core.formatting import clock, plain
from core.model.video import names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.web.render import Json
    from core.model.video import PostedVideo, Posting, Thumbnail, View
    from core.ports.history import History

_MOST: Final = 8
"""Suggestions at a time."""
_NAMED = re.compile(r"^(?P<before>\s*/forget\s+)(?P<typed>.*)$", re.IGNORECASE | re.DOTALL)
_FILTERED = re.compile(
    r'^(?P<before>.*(?:^|\s))(?P<name>video|from):(?:"(?P<quoted>[^"]*)|(?P<bare>[^\s"]*))$', re.IGNORECASE | re.DOTALL
)


class PageLibrary(Protocol):
    """The part of the library that the page reads. Methods raise StorageUnusable."""

    async def videos(self, view: View) -> tuple[PostedVideo, ...]:
        """Return the videos in view, newest first."""
        ...

    async def posting(self, video_id: str, view: View, user_id: str | None = None) -> Posting | None:
        """Return a video's newest posting in view."""
        ...

    async def thumbnails(self, video_id: str) -> tuple[Thumbnail, ...]:
        """Return a video's small pictures in the order of time."""
        ...

    async def posters(self, view: View) -> tuple[tuple[str, str], ...]:
        """Return id and name of everybody who posted a video in view."""
        ...


class PageMedia(Protocol):
    """The kept files."""

    async def path(self, video_id: str) -> Path | None:
        """Return the kept file, or None."""
        ...


@dataclass(frozen=True, slots=True)
class PageVideos:
    """The videos of the page's channel."""

    library: PageLibrary
    media: PageMedia
    view: View

    async def listed(self) -> list[Json]:
        """Return all of them for the gallery, newest first."""
        posted = await self.library.videos(self.view)
        called = names(posted)
        return [_tile(one, called[one.video.id]) for one in posted]

    async def file(self, video_id: str) -> Path | None:
        """Return the kept file of a video that is posted here, or None."""
        return await self.media.path(video_id) if await self._is_here(video_id) else None

    async def thumbnail(self, video_id: str, at_s: float | None, span_s: tuple[float, float] | None) -> bytes | None:
        """Return the JPEG nearest to a time, within a span where one lies there; without a time that of the middle."""
        if not await self._is_here(video_id):
            return None
        found = await self.library.thumbnails(video_id)
        if not found:
            return None
        if at_s is None:
            return found[len(found) // 2].jpeg
        inside = [one for one in found if span_s and span_s[0] <= one.time_s < span_s[1]]
        return min(inside or found, key=lambda one: abs(one.time_s - at_s)).jpeg

    async def suggested(self, text: str) -> list[Json]:
        """Return how a message may go on: names of videos after `/forget` and `video:`, of people after `from:`."""
        if named := _NAMED.match(text):
            found = _fitting(await self._titles(), named["typed"])
            return [{"label": one, "text": named["before"] + one} for one in found]
        filtered = _FILTERED.match(text)
        if filtered is None:
            return []
        typed = filtered["quoted"] if filtered["quoted"] is not None else filtered["bare"]
        known = await self._titles() if filtered["name"].lower() == "video" else await self._posters()
        start = f"{filtered['before']}{filtered['name']}:"
        return [{"label": one, "text": f"{start}{_quoted(one)} "} for one in _fitting(known, typed)]

    async def _is_here(self, video_id: str) -> bool:
        return await self.library.posting(video_id, self.view) is not None

    async def _titles(self) -> list[str]:
        return list(names(await self.library.videos(self.view)).values())[::-1]

    async def _posters(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in await self.library.posters(self.view)))


def _tile(one: PostedVideo, name: str) -> Json:
    posting = one.posting
    return {
        "id": one.video.id,
        "name": plain(name),
        "length": clock(one.video.duration_s),
        "poster": plain(posting.user_name),
        "at_ms": round(posting.posted_at.timestamp() * 1000),
        "url": one.video.url,
    }


def _fitting(known: Iterable[str], typed: str) -> list[str]:
    """Return the names that hold what was typed, those that begin so first."""
    wanted = " ".join(typed.casefold().split())
    found = [one for one in known if wanted in one.casefold()]
    return sorted(found, key=lambda one: not one.casefold().startswith(wanted))[:_MOST]


def _quoted(name: str) -> str:
    return f'"{name}"' if re.search(r"\s", name) else name


@dataclass(frozen=True, slots=True)
class PageStorage:
    """What the page reads and writes beside the conversation."""

    videos: PageVideos
    history: History
