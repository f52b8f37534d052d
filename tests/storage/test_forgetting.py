from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from core.model.answer import Answer, revised
from core.model.query import Query
from core.model.requests import MessageKey, Request, card_note
from core.model.results import Moment
from core.model.video import IndexedVideo, Posting, Recipe, Scope, View
from storage.backups import Backups
from storage.database import Connections
from storage.jobs import SqliteJobs
from storage.library import SqliteLibrary
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from pathlib import Path


VideoMaker = Callable[..., IndexedVideo]
PostingMaker = Callable[..., Posting]

TABLES = ("videos", "links", "postings", "indexings", "chunks", "thumbnails", "answers")


async def test_forgetting_a_video_in_one_channel_leaves_it_in_the_other(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    second = Scope("discord", "guild", "videos")
    await library.save(make_video(), make_posting(), ["link"])
    await library.post(make_posting(scope=second))
    assert not await library.forget("youtube:buster", View.of(channel))
    assert await library.videos(View.of(channel)) == ()
    assert await library.indexes(View.of(channel), recipe.key) == ()
    assert len(await library.indexes(View.of(second), recipe.key)) == 1
    assert await library.forget("youtube:buster", View.of(second))
    assert await library.video("youtube:buster") is None


async def test_forgetting_the_last_posting_takes_all_rows_of_that_video_alone(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    recipe: Recipe,
    other_recipe: Recipe,
) -> None:
    await library.save(make_video("other"), make_posting("other"), ["other link"])
    await library.save_answer(_answer("a-other", channel, "other"))
    before = await _counts(library)
    await library.save(make_video(), make_posting(), ["link"])
    await library.save(make_video(recipe=other_recipe), make_posting(message="m2"), ["link 2"])
    await library.save_answer(_answer("a-both", channel, "other", "youtube:buster"))
    assert await library.forget("youtube:buster", View.of(channel))
    assert await _counts(library) == before
    await library.save_answer(_answer("a-late", channel, "other", "youtube:buster"))
    assert await _counts(library) == before, "an answer that was found before is written down only now"
    assert await library.answer("a-both") is None
    assert await library.answer("a-other") is not None
    assert await library.video_at("link", channel) is None
    assert len(await library.indexes(View.of(channel), recipe.key)) == 1


async def test_an_answer_goes_with_any_video_that_ever_stood_in_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for name in ("one", "other"):
        await library.save(make_video(name), make_posting(name), [])
    both, other = _answer("a", channel, "one", "other"), _answer("b", channel, "other")
    for answer in (both, other):
        await library.save_answer(answer)
    now = await library.amend_answer("a", lambda known: revised(known, known.moments[1:]))
    assert now == await library.answer("a") == revised(both, both.moments[1:])
    assert await library.forget("one", View.of(channel))
    assert await library.amend_answer("a", lambda known: known) is None
    assert (await library.answer("a"), await library.answer("b")) == (None, other)


async def test_nothing_that_was_forgotten_can_be_read_from_the_disk(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    secret = b"nobody may see this picture again"
    await library.save(make_video(title="A private video", jpeg=secret * 300, thumbnails=40), make_posting(), [])
    assert secret in _disk(tmp_path)
    assert b"A private video" in _disk(tmp_path)
    await library.forget("youtube:buster", View.of(channel))
    assert secret not in _disk(tmp_path)
    assert b"A private video" not in _disk(tmp_path)


async def test_what_was_forgotten_before_a_crash_is_not_on_the_disk_after_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    """Not from the log, which the next run empties, nor from a backup, which goes before the forgetting counts."""
    await library.save(make_video(title="A private video"), make_posting(), [])
    Backups.of(library.connections.path).make(library.connections.path, "schema-1")
    library.connections.empty_log = partial(_copied, tmp_path, tmp_path / "as it died")  # type: ignore[method-assign]
    await library.forget("youtube:buster", View.of(channel))
    died = tmp_path / "as it died"
    assert b"A private video" in _disk(died)
    assert Backups.of(died / "keaton.db").all() == ()
    again = await SqliteLibrary.open(died / "keaton.db")
    left = _disk(died)
    await again.close()
    assert b"A private video" not in left


async def test_forgetting_neither_waits_for_readers_nor_holds_others_up(
    make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    """The other stops reading only after all that: whatever waited for it would wait for an hour."""
    library = SqliteLibrary(await Connections.open(tmp_path / "keaton.db", busy_s=3600.0))
    await library.save(make_video(title="A private video"), make_posting(title="A private video"), ["link"])
    with closing(sqlite3.connect(tmp_path / "keaton.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM videos").fetchone()
        async with asyncio.timeout(60):
            forgetting = asyncio.create_task(library.forget("youtube:buster", View.of(channel)))
            await library.save(make_video("next"), make_posting("next"), [])
            await library.save_answer(_answer("a", channel, "next"))
            assert await forgetting
            assert [one.video.id for one in await library.videos(View.of(channel))] == ["next"]
        assert b"A private video" in _disk(tmp_path), "the other may still want to read it"
        other.execute("COMMIT")
    await library.connections.emptied()
    left = _disk(tmp_path)
    await library.close()
    assert b"A private video" not in left


@pytest.mark.slow
async def test_what_one_process_could_not_wipe_before_it_ended_another_wipes(
    make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    """As `keaton forget` beside a running bot, while a third program reads."""
    bot, command = [await SqliteLibrary.open(tmp_path / "keaton.db") for _ in range(2)]
    await bot.save(make_video(title="A private video"), make_posting(title="A private video"), ["link"])
    with closing(sqlite3.connect(tmp_path / "keaton.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM videos").fetchone()
        assert await command.forget("youtube:buster", View.of(channel))
        await command.close()
        other.execute("COMMIT")
    assert b"A private video" in _disk(tmp_path)
    await SqliteLedger(bot.connections).remember("a note", "the next thing that is written")
    await bot.connections.emptied()
    left = _disk(tmp_path)
    await bot.close()
    assert b"A private video" not in left
    assert not (tmp_path / "keaton.db.unswept").exists()


async def _copied(folder: Path, place: Path) -> None:
    await asyncio.to_thread(shutil.copytree, folder, place)


@pytest.mark.parametrize(
    "view",
    [
        View("discord", "guild", frozenset({"elsewhere"})),
        View("discord", "other", frozenset({"general"})),
        View("slack", "guild", frozenset({"general"})),
    ],
)
async def test_a_video_cannot_be_forgotten_from_where_it_is_not_visible(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, view: View
) -> None:
    await library.save(make_video(), make_posting(), [])
    assert not await library.forget("youtube:buster", view)
    assert len(await library.videos(View.of(channel))) == 1


async def test_forgetting_a_video_that_was_never_kept_changes_nothing(library: SqliteLibrary, channel: Scope) -> None:
    assert not await library.forget("youtube:never", View.of(channel))


async def test_a_forgotten_video_can_be_saved_anew(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for _ in range(2):
        await library.save(make_video(), make_posting(), ["link"])
        assert await library.forget("youtube:buster", View.of(channel))
    assert sum((await _counts(library)).values()) == 0


async def test_no_request_names_a_forgotten_link_nor_is_its_message_read_again(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    """Neither keys nor jobs nor notes; other links of that message, and other people's posts, stay as they were."""
    ledger = SqliteLedger(library.connections)
    jobs = SqliteJobs(library.connections, ledger.run, time.time, is_bot=True)
    first, other = (MessageKey(channel, "m1", f"https://films.test/{name}") for name in ("gone", "stays"))
    command = MessageKey(channel, "", f"trigger:7:{first.item}")
    for key in (first, other, command):
        link = key.item.removeprefix("trigger:7:")
        job = await jobs.accept(Request(key, "link", link, "", "ada", "Ada", key.message))
        assert job is not None
        await jobs.settle(job.id)
    await ledger.remember(card_note(channel, "m1", first.item), "m2")
    await library.save(make_video(), make_posting(message="m1"), [first.item])
    await library.save(make_video("other"), make_posting("other", message="m1"), [other.item])
    await library.forget("youtube:buster", View.of(channel))
    kept = await _all_text(library)
    assert first.item not in kept
    assert other.item in kept
    assert [text for _, text in await ledger.notes(card_note(channel, "m1"))] == ["m2"]
    again = SqliteLedger(library.connections)
    assert not await again.begin(first)
    assert not await again.begin(other)
    assert await again.begin(MessageKey(channel, "m3", first.item)), "who posts it anew wants it anew"


async def _all_text(library: SqliteLibrary) -> str:
    tables = await library.connections.rows("SELECT name FROM sqlite_master WHERE type = 'table'", {})
    rows = [await library.connections.rows(f"SELECT * FROM {one['name']}", {}) for one in tables]  # noqa: S608
    return "\n".join(repr(tuple(row)) for table in rows for row in table)


def _answer(answer_id: str, scope: Scope, *video_ids: str) -> Answer:
    moments = tuple(Moment(video_id, 0.0, 1.0, 0.5, 0.3) for video_id in video_ids)
    return Answer(answer_id, Query("a train", View.of(scope)), scope, moments)


def _disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def _counts(library: SqliteLibrary) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        ((count,),) = await library.connections.rows(f"SELECT count(*) FROM {table}", {})  # noqa: S608 - a test's own words
        counts[table] = int(count)
    return counts
