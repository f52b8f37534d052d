"""The web of traps and its canary, for one test or for a run of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support import clips
from tests.traps import videos, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def trap_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound video and hostile ones."""
    folder = tmp_path_factory.mktemp("videos")
    clips.make_clip(folder / "colours.mp4", [("red", 3), ("green", 3), ("blue", 3)], clips.Shape(patterned=True))
    videos.huge_gif(folder / "huge.gif")
    videos.huge_frames(folder / "huge.avi")
    videos.one_frame_a_day(folder / "days.mkv")
    return folder


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def traps(trap_videos: Path) -> AsyncIterator[web.Traps]:
    """The web of traps; at the end nobody may ever have met its canary."""
    async with web.listening() as canary, web.serving(web.Traps(trap_videos, canary, web.bomb())) as traps:
        yield traps
        assert canary.hits == []
