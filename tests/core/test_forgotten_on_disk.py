"""What was forgotten is in no file of the data folder any more, whoever reads from the database meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.doors.requests import RequestLog
from core.conversation.commands import find
from core.indexing.embedding import content_id
from core.model.events import FilePosted, Find, Forget, LinkPosted
from core.model.requests import MessageKey
from storage.backups import Backups
from tests.core.conftest import turn
from tests.support import clips

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.events import Incoming
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

TITLE = "A private party"
LINK = "https://films.example/private-party.mp4"


async def ask(house: ColourHouse, event: Incoming, name: str) -> Reply:
    """Have something written down, answered and settled, as a door does."""
    requests = RequestLog(house.runner, house.ledger)
    taken = await requests.take(MessageKey(turn().scope, "", name), event)
    assert taken is not None
    reply = await house.last(taken.event)
    await requests.end(taken)
    return reply


async def taken_in(house: ColourHouse, video: Path) -> None:
    """Take a video in by a link and another as a file, ask about it by its name, and make a backup of all that."""
    house.fetcher.web[LINK] = clips.make_clip(video.with_name("linked.mp4"), [("green", 2)])
    await ask(house, LinkPosted(turn(), LINK), f"trigger:1:{LINK}")
    await ask(house, FilePosted(turn(), video, f"{TITLE}.mp4"), "file:1")
    asked = find(turn(), f'something red video:"{TITLE}"')
    assert asked.video == TITLE
    assert (await ask(house, asked, "find:1")).pictures
    await ask(house, Find(turn(), "something", video=f"{TITLE} of another name"), "find:2")
    path = house.library.connections.path
    await asyncio.to_thread(Backups.of(path).make, path, "schema-1")


def left_of(folder: Path, needles: list[str]) -> list[tuple[str, str]]:
    """Return which of these stand in which file, or in its name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        (path.name, needle)
        for path in files
        for needle in needles
        if needle.encode() in path.name.encode() + path.read_bytes()
    ]


@pytest.mark.slow
async def test_given_a_video_when_forgotten_then_no_file_holds_its_names(
    house: ColourHouse, colour_video: Path, tmp_path: Path
) -> None:
    await taken_in(house, colour_video)
    data = tmp_path / "data"
    needles = [TITLE, (await asyncio.to_thread(content_id, colour_video)), LINK]
    shown = [posted.video for posted in await house.library.videos(turn().view)]
    needles += [video.id for video in shown]
    assert {needle for _, needle in left_of(data, needles)} == set(needles)
    for number, video in enumerate(shown):
        assert "Forgotten" in (await ask(house, Forget(turn(), video.title), f"forget:{number}")).text
    await house.library.connections.emptied()
    assert await house.library.videos(turn().view) == ()
    assert left_of(data, needles) == []
    assert [path.name for path in (data / "media").iterdir() if path.is_file()] == []


@pytest.mark.slow
async def test_given_a_reader_when_forgetting_then_it_is_done_once_they_stop(
    house: ColourHouse, colour_video: Path, tmp_path: Path
) -> None:
    await taken_in(house, colour_video)
    (posted, *_) = await house.library.videos(turn().view)
    with closing(sqlite3.connect(house.library.connections.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM videos").fetchone()
        for number, video in enumerate(await house.library.videos(turn().view)):
            await ask(house, Forget(turn(), video.video.title), f"forget:{number}")
        # None of these would come to an end as long as the other reads, if they waited for it.
        await ask(house, Find(turn(), "something red"), "find:3")
        await house.ledger.remember("a note", "written")
        assert left_of(tmp_path / "data", [posted.video.id])
        other.execute("COMMIT")
    await house.library.connections.emptied()
    assert left_of(tmp_path / "data", [TITLE, LINK, posted.video.id]) == []


@pytest.mark.slow
async def test_given_an_open_question_when_its_video_goes_then_it_is_not_named(
    house: ColourHouse, colour_video: Path, tmp_path: Path
) -> None:
    await taken_in(house, colour_video)
    requests = RequestLog(house.runner, house.ledger)
    asked = await requests.take(MessageKey(turn().scope, "", "find:4"), Find(turn(), "something red", video=TITLE))
    assert asked is not None
    await house.library.connections.empty_log()  # so that it stands in the file by now, not in the log
    for number, video in enumerate(await house.library.videos(turn().view)):
        await ask(house, Forget(turn(), video.video.title), f"forget:{number}")
    assert left_of(tmp_path / "data", [TITLE])
    await requests.end(asked)
    await house.library.connections.emptied()
    assert left_of(tmp_path / "data", [TITLE]) == []


async def test_given_a_deleted_database_when_forgetting_then_no_file_has_it(house: ColourHouse, tmp_path: Path) -> None:
    await taken_in(house, clips.make_clip(tmp_path / "film.mp4", [("red", 2)]))
    data = tmp_path / "data"
    for path in data.glob("keaton.sqlite3*"):
        path.unlink()
    told = await ask(house, Forget(turn(), TITLE), "forget:1")
    assert "deleted from the copy" in told.text
    assert len(house.stored()) == 1
    (copy,) = Backups.of(data / "keaton.sqlite3").all()
    assert not [path for path in data.rglob("*") if path.is_file() and TITLE.encode() in path.read_bytes()]
    with closing(sqlite3.connect(copy)) as file:
        assert file.execute("SELECT count(*) FROM videos").fetchone() == (1,)
