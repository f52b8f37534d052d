"""The list of videos, page by page."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from core.formatting import clock
from core.model.actions import Page
from core.model.reply import Button, Link, ListEntry, Picture, Reply
from core.model.video import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.events import Door, Turn
    from core.model.video import PostedVideo, Posting, Video, View
    from core.ports.library import Library

A_PAGE: Final = 5
"""Entries of one page: with their pictures, links and longest titles these fit into one message of each platform."""


class VideoList:
    """Lists the videos that a turn may see."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def suggest(self, view: View, typed: str, most: int = 25) -> tuple[Video, ...]:
        """Return videos that may be meant while a title is typed, the best fitting first. Raises StorageUnusable."""
        return await self._library.matching(view, typed, most)

    async def page(self, turn: Turn, number: int, *, updates: bool = False) -> Reply:
        """Return a page (from 1) of the videos in a turn's view; the last one where there are fewer by now.

        With `updates` it takes the place of the page whose button was pressed. Raises StorageUnusable.
        """
        posted = await self._library.videos(turn.view)
        if not posted:
            return Reply("There is no video here yet. Post a link to a video, or drop a file.", updates=updates)
        pages = ceil(len(posted) / A_PAGE)
        number = min(max(1, number), pages)
        shown = posted[(number - 1) * A_PAGE : number * A_PAGE]
        made = [await self._picture(video, place, turn.door) for place, video in enumerate(shown, 1)]
        called = names(posted)
        return Reply(
            "\n".join(line(video, called[video.video.id]) for video in shown),
            title=_title(len(posted), number, pages),
            entries=tuple(
                _entry(video, called[video.video.id], one.name if one else "")
                for video, one in zip(shown, made, strict=True)
            ),
            pictures=tuple(one for one in made if one),
            buttons=_buttons(number, pages),
            updates=updates,
            videos=tuple(video.video.id for video in shown),
        )

    async def _picture(self, video: PostedVideo, place: int, door: Door) -> Picture | None:
        thumbnails = await self._library.thumbnails(video.video.id)
        if not thumbnails:
            return None
        jpeg = thumbnails[len(thumbnails) // 2].jpeg
        return Picture(
            "thumb", f"video-{place}.jpg", f"A frame of {video.video.title}", dict.fromkeys(door.themes, jpeg)
        )


def lines(posted: Sequence[PostedVideo]) -> str:
    """Return all videos as lines of text, each under the name that it can be asked for by."""
    if not posted:
        return "There is no video here yet. Post a link to a video, or drop a file."
    called = names(posted)
    return "\n".join(line(video, called[video.video.id]) for video in posted)


def line(video: PostedVideo, name: str) -> str:
    """Return a video as one line of text."""
    return f"• {name} ({clock(video.video.duration_s)}), {_posted(video.posting)}"


def _entry(posted: PostedVideo, name: str, picture: str) -> ListEntry:
    video, posting = posted.video, posted.posting
    source = Link(posting.message_url, _capital(_posted(posting))) if posting.message_url else None
    facts = clock(video.duration_s) if source else f"{clock(video.duration_s)}, {_posted(posting)}"
    return ListEntry(name, facts, source, picture)


def _posted(posting: Posting) -> str:
    day = posting.posted_at
    return f"posted by {posting.user_name}, {day.day} {day:%b %Y}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(videos: int, number: int, pages: int) -> str:
    count = "1 video" if videos == 1 else f"{videos} videos"
    return count if pages == 1 else f"{count}, page {number} of {pages}"


def _buttons(number: int, pages: int) -> tuple[Button, ...]:
    if pages == 1:
        return ()
    return (
        Button(Page(number - 1).id(), "Previous page", enabled=number > 1),
        Button(Page(number + 1).id(), "Next page", enabled=number < pages),
    )
