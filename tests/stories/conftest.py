"""The same person at each platform in turn, over one product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.stories.discord_driver import on_discord
from tests.stories.page_driver import on_the_page
from tests.stories.slack_driver import on_slack
from tests.support import clips
from tests.support.houses import house, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tests.core.conftest import ColourHouse
    from tests.stories.person import Driver

__all__ = ["house", "reader"]

DOORS = {"web": on_the_page, "discord": on_discord, "slack": on_slack}
LINK = "https://films.example/colours.mp4"
TITLE = "A linked video"


@pytest_asyncio.fixture(loop_scope="session", params=DOORS)
async def driver(request: pytest.FixtureRequest, house: ColourHouse, tmp_path: Path) -> AsyncIterator[Driver]:
    """Each platform in turn; behind LINK lies a video of red, green and blue, three seconds each, and green again."""
    put_video(house, tmp_path)
    async with DOORS[request.param](house, tmp_path) as driver:
        yield driver


def put_video(house: ColourHouse, folder: Path) -> None:
    scenes = [("red", 3.0), ("green", 3.0), ("blue", 3.0), ("green", 2.0)]
    shape = clips.Shape(size=(160, 96), fps=8, patterned=True)
    house.fetcher.web[LINK] = clips.make_clip(folder / "colours.mp4", scenes, shape)
