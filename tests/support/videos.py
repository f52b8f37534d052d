"""Videos of colours that are in the library at once, as if looked at: for tests of what is said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from core.model.video import FrameIndex, IndexedVideo, Posting, Recipe, Sampling, Thumbnail, Video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.events import Turn
    from core.model.video import Scope
    from tests.core.conftest import ColourHouse

RGB = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "navy": (0, 0, 120),
    "pink": (255, 0, 255),
    "black": (0, 0, 0),
    "grey": (120, 120, 120),
}


async def put_video(
    house: ColourHouse, who: Turn, title: str, scenes: Sequence[tuple[str, int]], scope: Scope | None = None
) -> Video:
    """Keep a video with one look a second, and a posting of it by whoever has that turn."""
    colours = [RGB[colour] for colour, seconds in scenes for _ in range(seconds)]
    pixels = np.array(colours, np.uint8)[:, None, None, :].repeat(2, axis=1).repeat(2, axis=2)
    index = FrameIndex(np.arange(len(colours), dtype=np.float64), await house.encoder.images(pixels))
    video = Video(f"sha256:{title}", "", title, float(len(colours)), 64, 36)
    recipe = Recipe.of(await house.encoder.ready(), Sampling())
    thumbnails = tuple(Thumbnail(float(n), f"{title} {n}".encode()) for n in range(len(colours)))
    posting = Posting(
        video.id, scope or who.scope, who.user_id, who.user_name, who.message, datetime.now(UTC), title=title
    )
    await house.library.save(IndexedVideo(video, recipe, index, thumbnails), posting, [])
    return video
