"""Taking a film back. Owns what goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.model import View
    from core.ports import Library, Media


async def forget(library: Library, media: Media, video_id: str, view: View, user_id: str | None = None) -> bool:
    """Take back a film's postings in view, of one person where that is named.

    Tell whether none was left anywhere, so that all of the film went.

    Raises OperatorError.
    """
    gone = await library.forget(video_id, view, user_id)
    if gone:
        await media.forget(video_id)
    return gone
