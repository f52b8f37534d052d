"""Places that Keaton was removed from: kept for a while, then purged as if they had never been."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model.answer import Answer
from core.model.query import Query
from core.model.requests import MessageKey
from core.model.results import Moment
from core.model.video import Scope, View
from core.ports.retention import WHOLE
from core.retention import DepartureGrace
from storage.backups import Backups
from storage.messages import SqliteLedger
from storage.retention import SqliteDepartures

if TYPE_CHECKING:
    from pathlib import Path

    from storage.library import SqliteLibrary
    from storage.media import MediaFolder
    from tests.storage.conftest import PostingMaker, VideoMaker

DAY_S = 86400.0
GUILD = Scope("discord", "guild", WHOLE)


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def grace(library: SqliteLibrary, media: MediaFolder, clock: Clock) -> DepartureGrace:
    return DepartureGrace(SqliteDepartures(library.connections), media, clock, 7 * DAY_S, 1.0)


async def _fill(library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, scope: Scope) -> None:
    name = f"{scope.space}-{scope.channel}"
    await library.save(make_video(name), make_posting(name, scope=scope), [f"https://a.test/{name}"])
    moments = (Moment(name, 0.0, 1.0, 0.5, 0.3),)
    await library.save_answer(Answer(name, Query("a train", View.of(scope)), scope, moments))
    ledger = SqliteLedger(library.connections)
    await ledger.begin(MessageKey(scope, "m1", f"https://a.test/{name}"))
    await ledger.switch(scope, on=False)
    await ledger.remember(f"{scope.platform}:shown:{scope.space}:{scope.channel}:m1:link", "42")


async def test_what_was_left_goes_after_the_grace_period_and_not_before(
    library: SqliteLibrary,
    grace: DepartureGrace,
    clock: Clock,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    other = replace(channel, space="another")
    for scope in (channel, other):
        await _fill(library, make_video, make_posting, scope)
    await grace.left(GUILD)
    clock.now_s += 7 * DAY_S - 1
    await grace.purge()
    assert len(await library.videos(View.of(channel))) == 1
    clock.now_s += 1
    await grace.purge()
    assert await library.video("guild-general") is None
    assert len(await library.videos(View.of(other))) == 1
    for table in await library.connections.rows("SELECT name FROM sqlite_master WHERE type = 'table'", {}):
        found = await library.connections.rows(f"SELECT * FROM {table['name']}", {})  # noqa: S608
        assert "guild" not in repr([tuple(row) for row in found]).replace("another", ""), table["name"]


async def test_being_added_again_in_time_keeps_all_and_restarts_the_grace(
    library: SqliteLibrary,
    grace: DepartureGrace,
    clock: Clock,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    await _fill(library, make_video, make_posting, channel)
    for _ in range(3):
        await grace.left(GUILD)
        clock.now_s += 5 * DAY_S
        await grace.purge()
        await grace.back(GUILD)
    clock.now_s += 50 * DAY_S
    await grace.purge()
    assert len(await library.videos(View.of(channel))) == 1


async def test_the_grace_survives_restarts_and_counts_running_time_alone(
    library: SqliteLibrary, media: MediaFolder, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await _fill(library, make_video, make_posting, channel)
    departures = SqliteDepartures(library.connections)
    for boot_s in (50.0, 9e9, 3.0):  # each start of the machine begins its clock anew, wherever
        clock = Clock()
        clock.now_s = boot_s
        grace = DepartureGrace(departures, media, clock, 7 * DAY_S, 1.0)
        await grace.left(GUILD)
        clock.now_s += 3 * DAY_S
        await grace.purge()
        is_kept = await library.video("guild-general") is not None
        assert is_kept == (boot_s != 3.0)


async def test_a_channel_goes_alone(
    library: SqliteLibrary,
    grace: DepartureGrace,
    clock: Clock,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    second = replace(channel, channel="videos")
    for scope in (channel, second):
        await _fill(library, make_video, make_posting, scope)
    await grace.left(channel)
    clock.now_s += 8 * DAY_S
    await grace.purge()
    assert await library.videos(View.of(channel)) == ()
    assert len(await library.videos(View.of(second))) == 1
    assert await SqliteLedger(library.connections).notes("discord:shown:guild:general:") == ()
    assert len(await SqliteLedger(library.connections).notes("discord:shown:guild:videos:")) == 1


async def test_backups_go_with_what_is_taken_back(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    await library.save(make_video(), make_posting(), [])
    backups = Backups.of(tmp_path / "keaton.db")
    for take_back in (
        lambda: library.forget("youtube:buster", View.of(channel)),
        lambda: SqliteLedger(library.connections).retract(channel, "m2"),
        lambda: SqliteDepartures(library.connections).purge(GUILD),
    ):
        await library.save(make_video(), make_posting(message="m2"), [])
        backups.make(tmp_path / "keaton.db", "by-hand")
        await take_back()
        assert backups.all() == ()


async def test_a_video_that_stays_elsewhere_loses_the_names_that_it_had_here(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    second = replace(channel, channel="videos")
    await library.save(make_video(title="Merger plan"), make_posting(title="Merger plan"), ["https://a.test/merger"])
    await library.post(make_posting(scope=second, title="Holiday"))
    await library.forget("youtube:buster", View.of(channel))
    await library.connections.empty_log()
    left = (tmp_path / "keaton.db").read_bytes()
    assert b"Merger" not in left
    assert b"merger" not in left
    assert b"Holiday" in left
