"""A database of any earlier version is brought up to date, with a copy of it as it was beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiosqlite
import numpy as np
import pytest

from core.errors import DiskFull
from core.model.requests import MessageKey
from core.model.video import Posting, Scope, View
from core.site_ids import Led
from storage.backups import Backups
from storage.jobs import SqliteJobs
from storage.library import SqliteLibrary
from storage.messages import SqliteLedger
from storage.migrations import MIGRATIONS, migrate
from storage.migrations.jobs import ONE_TABLE
from storage.migrations.library import LOSSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo
    from tests.support.disks import SmallDisk

pytestmark = pytest.mark.slow

OLDER = range(1, len(MIGRATIONS))
SCOPE = Scope("discord", "guild", "general")
TIMES_S = np.arange(3, dtype="<f8")
VECTORS = np.eye(3, 8, dtype="<f2")

# What the first version knew; later ones only add.
ROWS = (
    ("INSERT INTO videos VALUES ('youtube:old', 'https://films.test/old', 'One Week', 3.0, 640, 360, 0)", ()),
    ("INSERT INTO links VALUES ('https://films.test/old', 'youtube:old')", ()),
    (
        """
        INSERT INTO postings (video_id, platform, space, channel, user_id, user_name, message, posted_at)
        VALUES ('youtube:old', 'discord', 'guild', 'general', 'u1', 'Ada', 'm1', '2026-01-02T03:04:05.000006+00:00')
        """,
        (),
    ),
    ("INSERT INTO recipes VALUES ('r1', '{}')", ()),
    ("INSERT INTO indexings (id, video_id, recipe_key) VALUES (1, 'youtube:old', 'r1')", ()),
    ("INSERT INTO chunks (indexing_id, number, times_s, vectors) VALUES (1, 0, ?, ?)", (TIMES_S.data, VECTORS.data)),
    ("INSERT INTO thumbnails VALUES ('youtube:old', 0.5, ?)", (b"\xff\xd8 small",)),
    (
        """
        INSERT INTO answers (id, text, view_platform, view_space, view_channels, platform, space, channel, moments)
        VALUES ('a1', 'a house', 'discord', 'guild', '["general"]', 'discord', 'guild', 'general',
            '[{"video_id": "youtube:old", "start_s": 0, "end_s": 1, "peak_s": 0.5, "score": 0.3}]')
        """,
        (),
    ),
)


ASKED = """
    INSERT INTO jobs (platform, space, channel, about, item, kind, source, name, user_id, user_name, message,
        message_url, place, state, owner, leased_until_s, made_s, ended_s)
    VALUES ('discord', 'guild', 'general', '', :item, 'find', 'a house', 'One Week', 'u1', 'Ada', '', '', '', 'queued',
        '', 0, :made_s, :ended_s)
"""


NOTED = """
    INSERT INTO errands (platform, space, channel, message, item, state, run)
    VALUES ('discord', 'guild', 'general', :message, :item, :state, 'an earlier run')
"""


@pytest.fixture(params=OLDER, ids=lambda number: f"version {number}")
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    """A database that the migrations of that time made, with a video in it, and its version."""
    path = tmp_path / "keaton.sqlite3"
    await write_version(path, request.param)
    return request.param, path


async def write_version(path: Path, number: int) -> None:
    """Write a database as Keaton of that version left it."""
    async with aiosqlite.connect(path, isolation_level=None) as file:
        await migrate(file, path, MIGRATIONS[:1])
        for sql, values in ROWS:
            await file.execute(sql, values)
        await migrate(file, path, MIGRATIONS[:number])
        await file.execute_fetchall("PRAGMA journal_mode = WAL")


async def test_an_older_database_keeps_all_that_it_knew(old: tuple[int, Path]) -> None:
    _, path = old
    library = await SqliteLibrary.open(path)
    view = View.of(SCOPE)
    (posted,) = await library.videos(view)
    ((video, index),) = await library.indexes(view, "r1")
    answer = await library.answer("a1")
    thumbnails = await library.thumbnails("youtube:old")
    linked = await library.video_at("https://films.test/old", SCOPE)
    await library.close()
    assert posted.posting.posted_at.astimezone(UTC) == datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    assert (video.title, linked, len(thumbnails)) == ("One Week", Led(video, ""), 1)
    np.testing.assert_array_equal(index.vectors, VECTORS.astype(np.float32))
    assert answer is not None
    assert answer.moments[0].peak_s == 0.5


async def test_an_older_database_takes_new_videos(
    old: tuple[int, Path], make_video: Callable[..., IndexedVideo]
) -> None:
    library = await SqliteLibrary.open(old[1])
    posting = Posting("youtube:new", SCOPE, "u2", "Bea", "m2", datetime(2026, 11, 22, tzinfo=UTC), "https://m.test/2")
    await library.save(make_video("youtube:new"), posting, ["https://films.test/new"])
    assert [one.video.id for one in await library.videos(View.of(SCOPE))] == ["youtube:new", "youtube:old"]
    await library.close()


async def test_before_it_is_changed_an_older_database_is_copied_as_it_was(old: tuple[int, Path]) -> None:
    number, path = old
    await (await SqliteLibrary.open(path)).close()
    (copy,) = Backups.of(path).all()
    assert copy.name == f"0001-schema-{number}.sqlite3"
    with closing(sqlite3.connect(copy)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (number,)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT title FROM videos").fetchall() == [("One Week",)]


async def test_questions_that_an_older_version_answered_are_kept_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "keaton.sqlite3"
    await write_version(path, MIGRATIONS.index(LOSSES))
    values = {"made_s": 1.0, "ended_s": None, "item": "open"}
    with closing(sqlite3.connect(path)) as file:
        for row in (values, {**values, "ended_s": 2.0, "item": "answered"}):
            file.execute(ASKED, row)
        file.commit()
    library = await SqliteLibrary.open(path)
    rows = await library.connections.rows("SELECT source, name FROM jobs ORDER BY id", {})
    await library.close()
    assert [tuple(row) for row in rows] == [("a house", "One Week"), ("", "")]


async def test_what_an_older_version_noted_as_done_once_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "keaton.sqlite3"
    await write_version(path, MIGRATIONS.index(ONE_TABLE))
    with closing(sqlite3.connect(path)) as file:
        for state, item in (("settled", "done"), ("begun", "left"), ("begun", "open"), ("deleted", "")):
            message = "gone" if state == "deleted" else "m1"
            file.execute(NOTED, {"message": message, "item": item, "state": state})
        file.execute(ASKED.replace("''", "'m1'", 1), {"item": "open", "made_s": 1.0, "ended_s": None})
        file.commit()
    library = await SqliteLibrary.open(path)
    ledger = SqliteLedger(library.connections)
    jobs = SqliteJobs(library.connections, ledger.run, lambda: 2.0, is_bot=True)
    assert {key.item for key in await ledger.unsettled("discord")} == {"left", "open"}
    assert [job.request.key.item for job in await jobs.left("discord")] == ["open"]
    keys = [MessageKey(SCOPE, "m1", item) for item in ("done", "left", "new")]
    assert [await ledger.begin(key) for key in keys] == [False, True, True]
    assert not await ledger.begin(MessageKey(SCOPE, "gone", "anything"))
    await library.close()


async def test_a_new_or_current_database_is_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        await (await SqliteLibrary.open(tmp_path / "keaton.sqlite3")).close()
    assert not (tmp_path / "backups").exists()


async def test_where_the_copy_does_not_fit_the_old_database_stays_as_it_was(small_disk: SmallDisk) -> None:
    path = small_disk.path / "keaton.sqlite3"
    await write_version(path, 1)
    before = path.read_bytes()
    with small_disk.full(), pytest.raises(DiskFull):
        await SqliteLibrary.open(path)
    assert path.read_bytes() == before
    assert Backups.of(path).all() == ()
    await (await SqliteLibrary.open(path)).close()
    assert len(Backups.of(path).all()) == 1


async def test_only_the_newest_copies_are_kept_and_forgetting_can_purge_them(tmp_path: Path) -> None:
    path = tmp_path / "keaton.sqlite3"
    await write_version(path, 1)
    backups = Backups.of(path)
    made = [backups.make(path, "test") for _ in range(5)]
    assert backups.all() == tuple(made[-3:])
    assert backups.purge() == 3
    assert list((tmp_path / "backups").iterdir()) == []
    assert backups.make(path, "test").exists()
