"""What a link leads to, by space; what of older databases does; and that forgetting takes it back there alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from core.model.video import Scope, View
from core.site_ids import Led
from storage.checkpoints import SqliteCheckpoints
from storage.library import SqliteLibrary
from storage.migrations import MIGRATIONS, migrate
from storage.migrations.library import LEADS
from tests.support.ledgers import REQUEST, SCOPE, WORK, Clock, born, clock, taken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo, Posting

    VideoMaker = Callable[..., IndexedVideo]
    PostingMaker = Callable[..., Posting]

__all__ = ["clock"]

LINK, PUBLIC = "https://films.test/1", "youtube:dQw4w9WgXcQ"
AWAY = Scope("discord", "other guild", "general")


async def test_a_link_leads_to_its_video_in_its_own_space_alone(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    video = make_video("sha256:a")
    await library.save(video, make_posting("sha256:a"), [LINK], None, "youtube:anything")
    assert await library.video_at(LINK, replace(channel, channel="another")) == Led(video.video, "youtube:anything")
    assert await library.video_at(LINK, AWAY) is None
    assert await library.video_at(LINK, replace(channel, platform="slack")) is None


@pytest.mark.parametrize(("site_id", "is_led"), [(PUBLIC, True), ("", False), ("youtube:AAAAAAAAAAA", False)])
async def test_a_sites_public_id_leads_everywhere_once_its_extractor_confirms_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, site_id: str, is_led: bool
) -> None:
    await library.save(make_video("sha256:a"), make_posting("sha256:a"), [PUBLIC], None, site_id)
    led = await library.video_at(PUBLIC, AWAY)
    assert (led is not None) == is_led
    assert led is None or led.video.url == "", "the address is that of who posted it first"


@pytest.mark.parametrize(("key", "site_id"), [("vimeo:1/8272103f6e", "vimeo:1"), ("twitchvod:v1", "twitchvod:v1")])
async def test_nothing_with_a_key_and_no_other_site_is_led_to_from_elsewhere(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, key: str, site_id: str
) -> None:
    await library.save(make_video("sha256:a"), make_posting("sha256:a"), [key], None, site_id)
    assert await library.video_at(key, channel) is not None
    assert await library.video_at(key, AWAY) is None


async def test_each_space_has_its_own_names_and_its_own_video_behind_one_link(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    ours, theirs = make_video("sha256:a", title="Ours"), make_video("sha256:b", title="Theirs")
    await library.save(ours, make_posting("sha256:a", title="Ours"), [LINK])
    await library.save(theirs, make_posting("sha256:b", title="Theirs", scope=AWAY), [LINK])
    here, there = await library.video_at(LINK, channel), await library.video_at(LINK, AWAY)
    assert here is not None
    assert there is not None
    assert (here.video.title, there.video.title) == ("Ours", "Theirs")
    await library.forget("sha256:b", View.of(AWAY))
    assert await library.video_at(LINK, AWAY) is None
    assert await library.video_at(LINK, channel) == here


async def test_a_forgotten_link_leads_nowhere_though_another_space_has_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    video = make_video("sha256:a")
    await library.save(video, make_posting("sha256:a"), [LINK])
    await library.post(make_posting("sha256:a", scope=AWAY), links=[LINK])
    await library.forget("sha256:a", View.of(channel))
    assert await library.video_at(LINK, channel) is None
    assert await library.video_at(LINK, AWAY) is not None


async def test_a_video_under_way_is_continued_in_its_space_alone_by_its_names(
    library: SqliteLibrary, clock: Clock
) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    mine = await taken(jobs)
    theirs = await taken(jobs, replace(REQUEST, key=replace(REQUEST.key, scope=AWAY)))
    await works.begin(mine.id, WORK, "r")
    assert await works.at(WORK.link, AWAY) is None
    await works.begin(theirs.id, replace(WORK, link="https://evil.example/1", title="A trap", uploader="Eve"), "r")
    assert await works.at(WORK.link, SCOPE) == WORK
    assert await works.of(WORK.video_id) == replace(WORK, link="", url="", title="", uploader="")


async def test_forgetting_ends_no_request_whose_link_leads_there_elsewhere_only(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, clock: Clock
) -> None:
    jobs = born(library, clock)
    await library.save(make_video("sha256:a"), make_posting("sha256:a", scope=AWAY), [REQUEST.source])
    await library.post(make_posting("sha256:a", scope=SCOPE))
    job = await taken(jobs)
    await library.forget("sha256:a", View.of(SCOPE))
    found = await jobs.job(job.id)
    assert found is not None
    assert (found.state, found.video_id) == ("queued", "")


OLD = """
    INSERT INTO videos (id, url, title, duration_s, width_px, height_px, truncated, uploader)
    VALUES (?, ?, 'A video', 3, 64, 36, 0, '')
"""
OLD_POSTING = """
    INSERT INTO postings
    (video_id, platform, space, channel, user_id, user_name, message, posted_at, title, url, uploader)
    VALUES (?, 'discord', ?, 'general', 'u', 'U', ?, '2026-01-01', 'A video', ?, '')
"""
OLD_LINK = "INSERT INTO links (link, video_id, title, url, uploader) VALUES (?, ?, 'A video', ?, '')"
OLD_ERRAND = """
    INSERT INTO errands (platform, space, channel, message, item, state, run)
    VALUES ('discord', ?, 'general', 'm', '', 'settled', '')
"""
BEFORE = MIGRATIONS.index(LEADS)


async def migrated(path: Path, video_id: str, url: str, *postings: tuple[str, str], level: int = BEFORE) -> set[str]:
    """Open a database of that level with a video and its postings by space and address; return who sees it."""
    async with aiosqlite.connect(path, isolation_level=None) as file:
        await migrate(file, path, MIGRATIONS[:level])
        await file.execute(OLD, (video_id, url))
        await file.execute("INSERT INTO recipes VALUES ('r', '{}')")
        await file.execute("INSERT INTO indexings (video_id, recipe_key) VALUES (?, 'r')", (video_id,))
        for number, (space, where) in enumerate(postings):
            await file.execute(OLD_POSTING, (video_id, space, str(number), where))
        for space in ("guild", "other guild"):  # whoever was here once left a trace
            await file.execute(OLD_ERRAND, (space,))
    library = await SqliteLibrary.open(path)
    spaces = {space for space, _ in postings}
    seen = {space for space in spaces if await library.videos(View.of(replace(AWAY, space=space)))}
    (left,) = await library.connections.rows(
        "SELECT (SELECT count(*) FROM videos), (SELECT count(*) FROM indexings)", {}
    )
    assert tuple(left) == (bool(seen), bool(seen))
    await library.close()
    return seen


KEYED_URL, EVIL = "https://vimeo.com/9/abcdef0123", "https://evil.example/x"


@pytest.mark.slow
@pytest.mark.parametrize("level", [BEFORE, BEFORE + 1])
@pytest.mark.parametrize(
    ("video_id", "url", "postings", "seen"),
    [
        ("mediasite:1", "https://victim.example/x", [("guild", EVIL)], set()),
        ("mediasite:1", EVIL, [("guild", EVIL)], set()),
        ("peertube:1", EVIL, [("guild", EVIL), ("other guild", EVIL)], set()),
        ("somesite:1", "https://victim.example/x", [("guild", EVIL)], set()),
        ("somesite:1", "https://somesite.example/1", [("guild", "https://somesite.example/1")], {"guild"}),
        ("vimeo:9", KEYED_URL, [("guild", KEYED_URL), ("other guild", "https://vimeo.com/9")], {"guild"}),
        ("vimeo:9", KEYED_URL, [("other guild", "https://vimeo.com/9")], set()),
        ("vimeo:9", "https://vimeo.com/9", [("guild", "https://vimeo.com/9")], {"guild"}),
        (
            "youtube:ATTACKERAAA",
            "https://www.youtube.com/watch?v=ATTACKERAAA",
            [("guild", "https://www.youtube.com/watch?v=ATTACKERAAA"), ("other guild", "https://youtu.be/dQw4w9WgXcQ")],
            {"guild"},
        ),
    ],
)
async def test_given_the_first_poster_forgot_when_upgraded_then_none_keeps_it(
    tmp_path: Path, video_id: str, url: str, postings: list[tuple[str, str]], seen: set[str], level: int
) -> None:
    assert await migrated(tmp_path / "keaton.sqlite3", video_id, url, *postings, level=level) == seen


@pytest.mark.slow
async def test_given_one_space_alone_when_upgraded_then_videos_of_any_host_stay(tmp_path: Path) -> None:
    path = tmp_path / "keaton.sqlite3"
    async with aiosqlite.connect(path, isolation_level=None) as file:
        await migrate(file, path, MIGRATIONS[:BEFORE])
        await file.execute(OLD, ("mediasite:1", EVIL))
        await file.execute(OLD_POSTING, ("mediasite:1", "guild", "m", EVIL))
        await file.execute(OLD_ERRAND, ("guild",))
    library = await SqliteLibrary.open(path)
    assert await library.video("mediasite:1") is not None
    await library.close()


async def opened(path: Path, video_id: str, url: str, link: str, other_url: str = "") -> SqliteLibrary:
    """Open a database of before, in which a video that "guild" fetched was shared with "other guild"."""
    async with aiosqlite.connect(path, isolation_level=None) as file:
        await migrate(file, path, MIGRATIONS[:BEFORE])
        await file.execute(OLD, (video_id, url))
        for number, (space, where) in enumerate((("guild", url), ("other guild", other_url or url))):
            await file.execute(OLD_POSTING, (video_id, space, str(number), where))
        await file.execute(OLD_LINK, (link, video_id, url))
    return await SqliteLibrary.open(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("video_id", "url", "link"),
    [
        ("mediasite:1", "https://media.example/1", "https://media.example/1"),
        ("vimeo:1", "https://vimeo.com/1/8272103f6e", "vimeo:1"),
        ("vimeo:1", "https://player.vimeo.com/video/1?h=8272103f6e", "vimeo:1"),
        ("sha256:a", "https://films.example/a.mp4?si=SECRET", "https://films.example/a.mp4"),
        ("sha256:a", "https://films.example/a#SECRET", "https://films.example/a"),
    ],
)
async def test_what_an_older_version_shared_too_widely_stays_at_its_origin_alone(
    tmp_path: Path, channel: Scope, video_id: str, url: str, link: str
) -> None:
    library = await opened(tmp_path / "keaton.sqlite3", video_id, url, link)
    assert [one.video.id for one in await library.videos(View.of(channel))] == [video_id]
    assert await library.videos(View.of(AWAY)) == ()
    assert await library.video_at(link, AWAY) is None
    await library.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("video_id", "url", "link", "other_url"),
    [
        (PUBLIC, "https://www.youtube.com/watch?v=dQw4w9WgXcQ", PUBLIC, ""),
        ("vimeo:1", "https://vimeo.com/1", "vimeo:1", ""),
        ("sha256:a", "", "discord:attachment:1", ""),
        ("sha256:a", "https://films.example/a.mp4?si=SECRET", "https://films.example/b", "https://mirror.example/a"),
    ],
)
async def test_what_two_spaces_had_by_right_stays_but_leads_no_other_there(
    tmp_path: Path, channel: Scope, video_id: str, url: str, link: str, other_url: str
) -> None:
    library = await opened(tmp_path / "keaton.sqlite3", video_id, url, link, other_url)
    for scope in (channel, AWAY):
        assert [one.video.id for one in await library.videos(View.of(scope))] == [video_id]
    assert await library.video_at(link, replace(channel, space="a third")) is None
    await library.close()


@pytest.mark.slow
async def test_a_link_that_an_older_version_read_as_another_video_leads_nowhere(tmp_path: Path, channel: Scope) -> None:
    path = tmp_path / "keaton.sqlite3"
    library = await opened(path, "youtube:ATTACKERAAA", "https://www.youtube.com/watch?v=ATTACKERAAA", PUBLIC)
    assert await library.video_at(PUBLIC, channel) is None
    assert await library.video_at(PUBLIC, AWAY) is None
    await library.close()
