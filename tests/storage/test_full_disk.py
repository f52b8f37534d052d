"""A full disk loses nothing, says so, and is over as soon as there is room again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.errors import DiskFull
from core.model.video import View
from storage.library import SqliteLibrary
from storage.media import MediaFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo, Posting, Scope
    from tests.support.disks import SmallDisk

    VideoMaker = Callable[..., IndexedVideo]
    PostingMaker = Callable[..., Posting]

FRAMES = 4000
"""A video of these takes half of the small disk."""


async def shown(library: SqliteLibrary, channel: Scope) -> list[str]:
    return [posted.video.id for posted in await library.videos(View.of(channel))]


async def test_a_video_that_does_not_fit_is_refused_until_there_is_room(
    small_disk: SmallDisk, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    library = await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")
    await library.save(make_video("first"), make_posting("first"), [])
    with small_disk.full():
        for _ in range(3):
            with pytest.raises(DiskFull):
                await library.save(make_video("second", frames=FRAMES), make_posting("second"), ["link"])
        assert await shown(library, channel) == ["first"]
        assert await library.video_at("link", channel) is None
    await library.save(make_video("second", frames=FRAMES), make_posting("second", minute=1), ["link"])
    assert await shown(library, channel) == ["second", "first"]
    await library.close()


async def test_what_was_kept_before_the_disk_was_full_is_there_after_a_restart(
    small_disk: SmallDisk, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    path = small_disk.path / "keaton.sqlite3"
    library = await SqliteLibrary.open(path)
    await library.save(make_video("first"), make_posting("first"), [])
    with small_disk.full():
        with pytest.raises(DiskFull):
            await library.save(make_video("second", frames=FRAMES), make_posting("second"), [])
        await library.close()
        again = await SqliteLibrary.open(path)
        assert await shown(again, channel) == ["first"]
        await again.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_video_that_alone_fills_the_disk_leaves_all_else_as_it_was(
    small_disk: SmallDisk, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    library = await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")
    with pytest.raises(DiskFull):
        await library.save(make_video("huge", frames=20_000), make_posting("huge"), [])
    await library.save(make_video("small"), make_posting("small"), [])
    assert await shown(library, channel) == ["small"]
    await library.close()


async def test_no_room_for_one_page_more_is_a_full_disk_too(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    async with library.connections.writing() as writer:
        pass
    ((pages,),) = await writer.execute_fetchall("PRAGMA page_count")
    await writer.execute_fetchall(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull):
        await library.save(make_video(frames=FRAMES), make_posting(), [])
    await writer.execute_fetchall("PRAGMA max_page_count = 1000000")
    await library.save(make_video(), make_posting(), [])
    assert await shown(library, channel) == ["youtube:buster"]


async def test_a_new_library_on_a_full_disk_is_refused_and_leaves_no_obstacle(
    small_disk: SmallDisk,
) -> None:
    with small_disk.full(), pytest.raises(DiskFull):
        await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")
    await (await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")).close()


async def test_a_file_that_does_not_fit_is_refused_and_those_that_are_kept_stay(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    media = await MediaFolder.open(small_disk.path / "media", quota_bytes=10**9)
    video = tmp_path / "film.mp4"
    video.write_bytes(b"old" * 1000)
    async with media.workshop() as folder:
        await media.keep(await media.copy_in(video, folder), "old")
    video.write_bytes(bytes(4_000_000))
    with pytest.raises(DiskFull):
        async with media.workshop() as folder:
            await media.copy_in(video, folder)
    video.write_bytes(b"new" * 1000)
    async with media.workshop() as folder:
        kept = await media.keep(await media.copy_in(video, folder), "new")
    old = await media.path("old")
    assert old is not None
    assert (old.read_bytes()[:3], kept.read_bytes()[:3]) == (b"old", b"new")
    assert list((small_disk.path / "media" / ".work").iterdir()) == [small_disk.path / "media" / ".work" / ".lock"]
    await media.close()
