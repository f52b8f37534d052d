"""Names that are typed are searched among all videos that the person may see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.model.video import Scope, View

if TYPE_CHECKING:
    from storage.library import SqliteLibrary
    from tests.storage.conftest import PostingMaker, VideoMaker

HERE = Scope("discord", "guild", "general")
VIEW = View.of(HERE)


async def put(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, titles: list[str], scope: Scope = HERE
) -> None:
    for title in titles:
        video_id = f"sha256:{scope.channel}{title}"
        posting = replace(make_posting(video_id, scope=scope, message=title, title=title))
        await library.save(make_video(video_id, frames=1, thumbnails=0, title=title), posting, [])


async def test_an_old_title_that_begins_so_comes_before_newer_ones_that_hold_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    newer = [f"a seaside {number}" for number in range(40)]
    await put(library, make_video, make_posting, ["the sea", "sea", "seaweed", *newer])
    found = await library.matching(VIEW, "SEA", 25)
    assert [one.title for one in found[:3]] == ["sea", "seaweed", "a seaside 39"]
    assert len(found) == 25
    assert await library.count(VIEW) == 43
    (only,) = await library.matching(VIEW, "the sea", 25)
    assert only.title == "the sea"


async def test_letters_of_any_script_and_words_in_any_order_are_found(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    await put(library, make_video, make_posting, ["Straße bei Nacht", "ÜBUNG 100%", "Ночной поезд"])
    for typed, title in (
        ("strasse", "Straße bei Nacht"),
        ("nacht straße", "Straße bei Nacht"),
        ("übung", "ÜBUNG 100%"),
    ):
        assert [one.title for one in await library.matching(VIEW, typed, 25)] == [title]
    assert [one.title for one in await library.matching(VIEW, "ПОЕЗД", 25)] == ["Ночной поезд"]
    assert [one.title for one in await library.matching(VIEW, "100%", 25)] == ["ÜBUNG 100%"]
    assert await library.matching(VIEW, "%", 25) != await library.matching(VIEW, "_", 25)


async def test_what_was_posted_elsewhere_is_not_among_them_and_names_stay_there(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    there = Scope("discord", "guild", "hidden")
    await put(library, make_video, make_posting, ["sea"])
    await put(library, make_video, make_posting, ["sea of secrets"], there)
    await library.post(make_posting("sha256:generalsea", scope=there, message="2", title="the secret sea"))
    assert [one.title for one in await library.matching(VIEW, "sea", 25)] == ["sea"]
    assert await library.matching(VIEW, "secret", 25) == ()
    assert await library.count(VIEW) == 1
