"""What was acknowledged and is not there any more is noticed, and nothing is acknowledged that nobody finds again."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.errors import DatabaseGone, ForgottenInCopy
from core.model.video import IndexedVideo, Posting, Scope, View
from core.wording.errors import sentence
from storage.backups import Backups
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

VideoMaker = Callable[..., IndexedVideo]
PostingMaker = Callable[..., Posting]
NAME = "keaton.db"


async def killed(library: SqliteLibrary, folder: Path, place: Path) -> Path:
    """Return the data folder as a kill at this moment leaves it."""

    def copy() -> None:
        place.mkdir()
        for path in folder.glob(f"{NAME}*"):
            if not path.name.endswith("-shm"):
                shutil.copyfile(path, place / path.name)

    await asyncio.to_thread(copy)
    assert library.connections.sizes_bytes()[1], "nothing of this is in the log"
    return place / NAME


async def save(library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, *names: str) -> None:
    for name in names:
        await library.save(make_video(name), make_posting(name), [])


async def losses(library: SqliteLibrary) -> list[tuple[str, int]]:
    found = await library.connections.rows("SELECT what, changes FROM losses WHERE what <> 'new' ORDER BY number", {})
    return [(row["what"], row["changes"]) for row in found]


async def test_losses_by_a_damaged_log_are_noticed_once_at_the_next_start(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await save(library, make_video, make_posting, "a", "b")
    _, whole_bytes = library.connections.sizes_bytes()
    await save(library, make_video, make_posting, "c", "d", "e", "f")
    path = await killed(library, tmp_path, tmp_path / "died")
    with path.with_name(path.name + "-wal").open("r+b") as log:
        log.seek(whole_bytes + 100)
        log.write(b"\xa5" * 64)
    again = await SqliteLibrary.open(path)
    assert {one.video.id for one in await again.videos(View.of(channel))} == {"a", "b"}
    assert await losses(again) == [("changes", 4)]
    assert "the newest 4 changes" in caplog.text
    await again.close()
    third = await SqliteLibrary.open(path)
    assert await losses(third) == [("changes", 4)]
    await third.close()


async def test_neither_a_kill_without_loss_nor_an_older_mark_is_a_loss(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, tmp_path: Path
) -> None:
    await save(library, make_video, make_posting, "a")
    old = (tmp_path / f"{NAME}.mark").read_bytes()
    await save(library, make_video, make_posting, "b")
    for number, mark in enumerate((None, old)):
        path = await killed(library, tmp_path, tmp_path / f"died{number}")
        if mark:
            path.with_name(f"{NAME}.mark").write_bytes(mark)
        again = await SqliteLibrary.open(path)
        assert await losses(again) == []
        assert await again.video("b") is not None
        await again.close()


async def test_another_database_in_the_place_of_the_one_before_is_noticed(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, tmp_path: Path
) -> None:
    await save(library, make_video, make_posting, "a")
    await library.close()
    await (await SqliteLibrary.open(tmp_path / "other.db")).close()
    (tmp_path / "other.db").replace(tmp_path / NAME)
    again = await SqliteLibrary.open(tmp_path / NAME)
    assert await losses(again) == [("another", 0)]
    await again.close()


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.rename(path.with_name("moved away"))
    path.write_bytes(b"")


@pytest.mark.parametrize("ending", ["", "-wal"])
@pytest.mark.parametrize("happens", [delete, replace])
async def test_a_deleted_database_takes_nothing_more_and_is_copied(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    happens: Callable[[Path], None],
    ending: str,
) -> None:
    await save(library, make_video, make_posting, "a", "b")
    await asyncio.to_thread(happens, tmp_path / (NAME + ending))
    for name in ("c", "d"):
        with pytest.raises(DatabaseGone) as caught:
            await save(library, make_video, make_posting, name)
        assert "deleted or replaced" in sentence(caught.value)
    (copy,) = Backups.of(tmp_path / NAME).all()
    assert str(copy) in caplog.text
    with closing(sqlite3.connect(copy)) as file:
        assert {name for (name,) in file.execute("SELECT id FROM videos")} == {"a", "b"}
    (tmp_path / "new").mkdir()
    shutil.copyfile(copy, tmp_path / "new" / NAME)
    again = await SqliteLibrary.open(tmp_path / "new" / NAME)
    assert {one.video.id for one in await again.videos(View.of(channel))} == {"a", "b"}
    await again.close()


async def test_what_goes_into_a_deleted_file_is_not_acknowledged(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, tmp_path: Path
) -> None:
    async def meanwhile() -> None:
        async with library.connections.writing() as db:
            await db.execute("INSERT INTO notes VALUES ('a', 'b')")
            await asyncio.to_thread(delete, tmp_path / NAME)

    with pytest.raises(DatabaseGone):
        await meanwhile()
    with pytest.raises(DatabaseGone):
        await save(library, make_video, make_posting, "a")


async def test_given_a_deleted_database_when_forgetting_then_its_copy_forgets(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    await library.save(make_video("a", title="zzsecret"), make_posting("a", title="zzsecret"), [])
    await save(library, make_video, make_posting, "b", "c")
    await asyncio.to_thread(Backups.of(tmp_path / NAME).make, tmp_path / NAME, "before")
    await asyncio.to_thread(delete, tmp_path / NAME)
    with pytest.raises(DatabaseGone):
        await save(library, make_video, make_posting, "d")
    for video_id in ("a", "c"):
        with pytest.raises(ForgottenInCopy) as caught:
            await library.forget(video_id, View.of(channel))
        assert caught.value.videos == (video_id,)
        assert "deleted from the copy" in sentence(caught.value)
    (copy,) = Backups.of(tmp_path / NAME).all()
    assert not [path for path in (tmp_path / "backups").iterdir() if b"zzsecret" in path.read_bytes()]
    for ending in ("-wal", "-shm"):
        (tmp_path / (NAME + ending)).unlink()
    shutil.copyfile(copy, tmp_path / NAME)
    again = await SqliteLibrary.open(tmp_path / NAME)
    assert {one.video.id for one in await again.videos(View.of(channel))} == {"b"}
    assert await losses(again) == []
    await again.close()


async def test_given_a_deleted_database_and_no_copy_then_forgetting_is_refused(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    await save(library, make_video, make_posting, "a")
    await asyncio.to_thread(delete, tmp_path / NAME)
    with pytest.raises(DatabaseGone):
        await save(library, make_video, make_posting, "b")
    (copy,) = Backups.of(tmp_path / NAME).all()
    copy.unlink()
    with pytest.raises(DatabaseGone) as caught:
        await library.forget("a", View.of(channel))
    assert not isinstance(caught.value, ForgottenInCopy)
    assert "cannot keep or forget anything" in sentence(caught.value)
