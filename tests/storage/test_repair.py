"""Damage is noticed, keeps to itself, and can be mended: a sound backup is restored, what is lost is named."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import DataFolderInUse, DiskFull, SchemaTooNew, StorageDamaged
from core.model.video import Scope, View
from storage.backups import Backups
from storage.embeddings import SqliteEmbeddings
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from storage.repair import complaints, repair
from tests.core.conftest import looking
from tests.support.damaging import damage, page_with, pages, pages_of_the_list, vectors_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo, Posting, Recipe
    from tests.support.disks import SmallDisk

    VideoMaker = Callable[..., IndexedVideo]
    PostingMaker = Callable[..., Posting]

NAMES = ("youtube:one", "youtube:two", "youtube:three")
FRAMES = 600
"""Two chunks a video."""


@pytest.fixture
async def videos(make_video: VideoMaker) -> dict[str, IndexedVideo]:
    return {name: make_video(name, frames=FRAMES, seed=seed, title=f"Video {name}") for seed, name in enumerate(NAMES)}


@pytest.fixture
async def database(tmp_path: Path, videos: dict[str, IndexedVideo], make_posting: PostingMaker) -> Path:
    return await written(tmp_path / "keaton.sqlite3", videos, make_posting)


async def written(path: Path, videos: dict[str, IndexedVideo], make_posting: PostingMaker) -> Path:
    library = await SqliteLibrary.open(path)
    for name, video in videos.items():
        await library.save(video, make_posting(name, message=name), [f"https://films.test/{name}"])
    await library.close()
    return path


async def test_a_sound_database_is_copied_and_left_as_it_is(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe
) -> None:
    repaired = await repair(database)
    assert (repaired.complaints, repaired.lost) == ((), ())
    assert Backups.of(database).all() == (repaired.copy,)
    await all_is_there(database, videos, set(NAMES), channel, recipe)


async def test_a_damaged_video_is_left_out_and_named_and_the_others_are_searched(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe
) -> None:
    damage(database, page_with(database, vectors_of(videos["youtube:two"])[5000:5400]))
    library = await SqliteLibrary.open(database)
    wanted = videos["youtube:one"].index.vectors[:1]
    async with looking(library) as looks:
        peaks = await looks.peaks(View.of(channel), recipe, wanted)
        await looks.indexes(peaks.videos)
        peaks = await looks.peaks(View.of(channel), recipe, wanted)
        assert {video.video.id for video in peaks.videos} == {"youtube:one", "youtube:three"}
        assert [video.video.id for video in looks.damaged] == ["youtube:two"]
        with pytest.raises(StorageDamaged):
            await looks.peaks(View.of(channel), recipe, wanted, "youtube:two")
    await library.close()


async def test_bytes_that_cannot_be_embeddings_are_damage_too(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe
) -> None:
    with closing(sqlite3.connect(database)) as file:
        file.execute("UPDATE chunks SET vectors = zeroblob(length(vectors)) WHERE indexing_id = 2 AND number = 1")
        file.execute("UPDATE chunks SET times_s = x'00' WHERE indexing_id = 3 AND number = 0")
        file.commit()
    assert complaints(database) == ()
    library = await SqliteLibrary.open(database)
    with pytest.raises(StorageDamaged):
        await library.indexes(View.of(channel), recipe.key)
    await library.close()
    repaired = await repair(database)
    assert [video.video_id for video in repaired.lost] == ["youtube:three", "youtube:two"]
    await all_is_there(database, videos, {"youtube:one"}, channel, recipe)


@pytest.mark.slow
async def test_whatever_page_is_damaged_a_backup_brings_all_back(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe, tmp_path: Path
) -> None:
    outcomes = []
    for page in pages(database):
        path = tmp_path / f"page{page}" / "keaton.sqlite3"
        path.parent.mkdir()
        shutil.copy(database, path)
        Backups.of(path).make(database, "sound")
        damage(path, page)
        repaired = await repair(path)
        outcomes.append(repaired.outcome)
        lost = {video.video_id for video in repaired.lost}
        assert complaints(path) == ()
        await all_is_there(path, videos, set(NAMES) - lost, channel, recipe)
        shutil.rmtree(path.parent)
    assert set(outcomes) == {"restored"}


async def test_given_no_sound_backup_when_repaired_then_the_database_is_left(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope
) -> None:
    damage(database, page_with(database, vectors_of(videos["youtube:two"])[5000:5400]))
    before = database.read_bytes()  # noqa: ASYNC240
    repaired = await repair(database)
    assert (repaired.outcome, repaired.is_another, repaired.lost) == ("left", False, ())
    assert database.read_bytes() == repaired.copy.read_bytes() == before  # noqa: ASYNC240
    library = await SqliteLibrary.open(database)
    assert len(await library.videos(View.of(channel))) == len(NAMES)
    await library.close()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("sqlite3"), reason="needs SQLite's command line")
async def test_what_sqlite_recovers_is_mended_and_the_damaged_video_is_named(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe, tmp_path: Path
) -> None:
    damage(database, page_with(database, vectors_of(videos["youtube:two"])[5000:5400]))
    copy = (await repair(database)).copy
    recovered = tmp_path / "recovered.sqlite3"
    command = f'sqlite3 "{copy}" .recover | sqlite3 "{recovered}"'
    ran = await asyncio.to_thread(subprocess.run, ["sh", "-c", command], capture_output=True, check=True)
    if b"SQL logic error" in ran.stderr:
        pytest.skip("this sqlite3 is built without .recover, as Debian's is")
    recovered.replace(database)
    repaired = await repair(database)
    assert [video.video_id for video in repaired.lost] == ["youtube:two"]
    await all_is_there(database, videos, set(NAMES) - {"youtube:two"}, channel, recipe)


async def test_a_video_that_was_lost_can_be_posted_again(
    database: Path, videos: dict[str, IndexedVideo], make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    with closing(sqlite3.connect(database)) as file:
        file.execute("UPDATE chunks SET times_s = x'00' WHERE indexing_id = 2 AND number = 0")
        file.commit()
    (lost,) = (await repair(database)).lost
    assert (lost.title, lost.link) == ("Video youtube:two", "https://films.test/youtube:two")
    library = await SqliteLibrary.open(database)
    await library.save(videos["youtube:two"], make_posting("youtube:two", message="again"), [lost.link])
    await library.close()
    await all_is_there(database, videos, set(NAMES), channel, recipe)


async def test_a_damaged_list_of_videos_is_noticed_at_the_start_and_when_read(database: Path, channel: Scope) -> None:
    damage(database, page_with(database, b"Video youtube:two"))
    library = await SqliteLibrary.open(database)
    assert not library.connections.sound
    with pytest.raises(StorageDamaged):
        await library.videos(View.of(channel))
    await library.close()


async def test_the_newest_sound_backup_takes_the_place_of_a_damaged_database(
    database: Path, videos: dict[str, IndexedVideo], make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    backups = Backups.of(database)
    good = backups.make(database, "sound")
    for _ in range(2):
        damage(backups.take_in(database, "damaged"), 1)
    library = await SqliteLibrary.open(database)
    late = {"youtube:late": next(iter(videos.values()))}
    await library.save(late["youtube:late"], make_posting("youtube:one", message="late"), ["https://films.test/late"])
    await library.close()
    for page in pages_of_the_list(database):
        damage(database, page)
    with pytest.raises(StorageDamaged):
        await SqliteLibrary.open(database)
    repaired = await repair(database)
    assert (repaired.outcome, repaired.backup, repaired.is_another) == ("restored", good, True)
    assert good.exists()
    await all_is_there(database, videos, set(NAMES), channel, recipe)


async def test_where_nothing_can_be_read_a_new_library_begins_beside_the_copy(database: Path) -> None:
    damage(database, 1)
    before = database.read_bytes()  # noqa: ASYNC240
    repaired = await repair(database)
    assert repaired.complaints
    assert (repaired.outcome, repaired.is_another) == ("begun", True)
    assert repaired.copy.read_bytes() == before
    assert complaints(database) == ()


async def test_what_a_newer_keaton_wrote_is_not_repaired_by_an_older_one(
    database: Path, videos: dict[str, IndexedVideo]
) -> None:
    with closing(sqlite3.connect(database)) as file:
        file.execute("PRAGMA user_version = 99")
    damage(database, page_with(database, vectors_of(videos["youtube:two"])[5000:5400]))
    before = database.read_bytes()  # noqa: ASYNC240
    with pytest.raises(SchemaTooNew):
        await repair(database)
    assert database.read_bytes() == before  # noqa: ASYNC240


async def test_rows_that_lead_nowhere_go(
    database: Path, videos: dict[str, IndexedVideo], channel: Scope, recipe: Recipe
) -> None:
    with closing(sqlite3.connect(database)) as file:
        file.execute("INSERT INTO links VALUES ('https://films.test/gone', 'x', 'y', '', 'youtube:gone', '', '', '')")
        file.execute("INSERT INTO thumbnails VALUES ('youtube:gone', 0.0, x'00')")
        file.commit()
    assert complaints(database)
    (lost,) = (await repair(database)).lost
    assert (lost.video_id, lost.link) == ("youtube:gone", "https://films.test/gone")
    assert complaints(database) == ()
    await all_is_there(database, videos, set(NAMES), channel, recipe)


async def test_without_room_for_a_repair_the_database_stays_as_it_was(
    small_disk: SmallDisk, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    videos = {"youtube:one": make_video("youtube:one", frames=FRAMES)}
    database = await written(small_disk.path / "keaton.sqlite3", videos, make_posting)
    damage(database, page_with(database, vectors_of(videos["youtube:one"])[5000:5400]))
    before = database.read_bytes()
    with small_disk.full(), pytest.raises(DiskFull):
        await repair(database)
    assert database.read_bytes() == before
    assert (await repair(database)).outcome == "left"


async def test_nobody_else_may_be_in_the_media_folder_during_a_repair(tmp_path: Path) -> None:
    with MediaFolder.alone(tmp_path / "media"):
        pass
    media = await MediaFolder.open(tmp_path / "media", 1000)
    with pytest.raises(DataFolderInUse), MediaFolder.alone(tmp_path / "media"):
        pass
    await media.close()


async def all_is_there(
    path: Path, videos: dict[str, IndexedVideo], names: set[str], channel: Scope, recipe: Recipe
) -> None:
    library = await SqliteLibrary.open(path)
    assert {one.video.id for one in await library.videos(View.of(channel))} == names
    found = {video.id: index for video, index in await library.indexes(View.of(channel), recipe.key)}
    assert set(found) == names
    for name in names:
        np.testing.assert_array_equal(found[name].vectors, videos[name].index.vectors.astype("<f2").astype(np.float32))
        np.testing.assert_array_equal(found[name].times_s, videos[name].index.times_s)
    assert await SqliteEmbeddings(library.connections).generation() >= 0
    await library.close()
