"""Other processes that hold the database, read from it for long, or run a bot on the same folder."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.errors import DataFolderInUse, StorageLocked, StorageReadOnly
from core.model.video import View
from storage.data_folder import alone
from storage.database import Connections
from storage.library import SqliteLibrary
from storage.media import MediaFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo, Posting, Scope
    from tests.support.disks import SmallDisk

    VideoMaker = Callable[..., IndexedVideo]
    PostingMaker = Callable[..., Posting]

pytestmark = pytest.mark.slow

LOG_BYTES = 300_000


async def test_a_database_that_another_holds_is_waited_for(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    with closing(sqlite3.connect(library.connections.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.create_task(library.save(make_video(), make_posting(), []))
        await asyncio.sleep(0.05)
        assert not saving.done()
        other.execute("ROLLBACK")
    await saving
    assert await library.video("youtube:buster") is not None


async def test_a_database_that_is_held_too_long_is_an_error_and_can_be_read(
    tmp_path: Path, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    library = SqliteLibrary(await Connections.open(tmp_path / "keaton.sqlite3", busy_s=0.05))
    await library.save(make_video("first"), make_posting("first"), [])
    with closing(sqlite3.connect(tmp_path / "keaton.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageLocked):
            await library.save(make_video("second"), make_posting("second"), [])
        assert [one.video.id for one in await library.videos(View.of(channel))] == ["first"]
        other.execute("ROLLBACK")
    await library.save(make_video("second"), make_posting("second"), [])
    await library.close()


async def test_the_log_does_not_grow_with_what_is_written(
    tmp_path: Path, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    library = SqliteLibrary(await Connections.open(tmp_path / "keaton.sqlite3", log_bytes=LOG_BYTES))
    sizes = []
    for number in range(30):
        await library.save(make_video("video", frames=600, seed=number), make_posting("video"), [])
        sizes.append(log_size(tmp_path))
    await library.close()
    assert max(sizes) < 3 * LOG_BYTES
    assert min(sizes) == 0


async def test_a_long_reader_lets_the_log_grow_only_until_it_is_done(
    tmp_path: Path, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    library = SqliteLibrary(await Connections.open(tmp_path / "keaton.sqlite3", log_bytes=LOG_BYTES))
    await library.save(make_video("video"), make_posting("video"), [])
    with closing(sqlite3.connect(tmp_path / "keaton.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM videos").fetchone()
        for number in range(8):
            await library.save(make_video("video", frames=600, seed=number), make_posting("video"), [])
        while_reading = log_size(tmp_path)
        reader.execute("COMMIT")
        for number in range(8):
            await library.save(make_video("video", frames=600, seed=number), make_posting("video"), [])
    assert while_reading > 2 * LOG_BYTES
    assert log_size(tmp_path) <= 2 * LOG_BYTES
    await library.close()


def log_size(folder: Path) -> int:
    return (folder / "keaton.sqlite3-wal").stat().st_size


def hold(folder: Path, held: multiprocessing.synchronize.Event, go: multiprocessing.synchronize.Event) -> None:
    with alone(folder):
        held.set()
        go.wait(30)


def test_a_second_bot_on_one_folder_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, go = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold, args=(tmp_path, held, go))
    other.start()
    assert held.wait(30)
    with pytest.raises(DataFolderInUse), alone(tmp_path):
        pass
    other.kill()
    other.join()
    with alone(tmp_path), pytest.raises(DataFolderInUse), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


async def test_a_disk_that_may_only_be_read_says_so_at_the_start(small_disk: SmallDisk) -> None:
    with small_disk.read_only():
        with pytest.raises(StorageReadOnly):
            await SqliteLibrary.open(small_disk.path / "data" / "keaton.sqlite3")
        with pytest.raises(StorageReadOnly):
            await MediaFolder.open(small_disk.path / "media", 1000)
        with pytest.raises(StorageReadOnly), alone(small_disk.path):
            pass
    await (await SqliteLibrary.open(small_disk.path / "data" / "keaton.sqlite3")).close()


async def test_a_database_that_becomes_read_only_says_so_and_is_still_read(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video("first"), make_posting("first"), [])
    async with library.connections.writing() as writer:
        pass
    await writer.execute_fetchall("PRAGMA query_only = ON")
    with pytest.raises(StorageReadOnly):
        await library.save(make_video("second"), make_posting("second"), [])
    assert [one.video.id for one in await library.videos(View.of(channel))] == ["first"]
    await writer.execute_fetchall("PRAGMA query_only = OFF")
    await library.save(make_video("second"), make_posting("second"), [])


async def test_a_media_folder_that_becomes_read_only_says_so_and_recovers(small_disk: SmallDisk) -> None:
    media = await MediaFolder.open(small_disk.path / "media", 1000)
    with small_disk.read_only(), pytest.raises(StorageReadOnly):
        async with media.workshop():
            pass
    async with media.workshop() as folder:
        assert folder.is_dir()
    await media.close()
