"""The web of traps and its canary, for one test or for a run of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support import clips
from tests.traps import films, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def trap_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound film and hostile ones."""
    folder = tmp_path_factory.mktemp("films")
    clips.make_clip(folder / "colours.mp4", [("red", 3), ("green", 3), ("blue", 3)], clips.Shape(patterned=True))
    films.huge_gif(folder / "huge.gif")
    films.huge_frames(folder / "huge.avi")
    films.one_frame_a_day(folder / "days.mkv")
    return folder


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def traps(trap_films: Path) -> AsyncIterator[web.Traps]:
    """The web of traps; at the end nobody may ever have met its canary."""
    async with web.listening() as canary, web.serving(web.Traps(trap_films, canary, web.bomb())) as traps:
        yield traps
        assert canary.hits == []
