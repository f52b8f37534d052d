"""A full disk, told in the chat: a sentence, nothing lost, and all goes on once there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.model.events import FilePosted, Find, ListVideos
from core.ports.metrics import Unwatched
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import QUOTA_BYTES, build, looking, turn
from tests.support import clips
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.support.disks import SmallDisk


@pytest_asyncio.fixture
async def cramped(small_disk: SmallDisk) -> AsyncIterator[ColourHouse]:
    """A product whose data folder lies on a small disk."""
    library = await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")
    media = await MediaFolder.open(small_disk.path / "media", QUOTA_BYTES)
    children = ChildPool("core.engines.video.worker", forks=True)
    async with looking(library) as looks:
        yield build(library, media, ChildFrameReader(children, watch=Unwatched()), ColourEncoder(), looks)
    await children.close()
    await media.close()
    await library.close()


async def test_given_a_full_disk_when_posted_then_said_and_later_all_goes_on(
    cramped: ColourHouse, small_disk: SmallDisk, tmp_path: Path
) -> None:
    first = clips.make_clip(tmp_path / "first.mp4", [("red", 2)])
    second = clips.make_clip(tmp_path / "second.mp4", [("green", 2)])
    assert "Ready" in (await cramped.last(FilePosted(turn(), first, "first.mp4"))).text
    with small_disk.full():
        refused = await cramped.last(FilePosted(turn(), second, "second.mp4"))
        listed = await cramped.last(ListVideos(turn()))
        asked = await cramped.last(Find(turn(), "something red"))
    assert "The disk is full" in refused.text
    assert (refused.tone, refused.private) == ("error", True)
    assert "first" in listed.text
    assert asked.tone == "error" or asked.pictures
    assert "Ready" in (await cramped.last(FilePosted(turn(), second, "second.mp4"))).text
    found = await cramped.last(Find(turn(), "something green"))
    assert "second" in found.text
    assert cramped.watch.problems[:1] == ["DiskFull"]
    assert len(list((small_disk.path / "media").glob("*.mp4"))) == 2
