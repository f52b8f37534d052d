from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import UnknownVideo
from core.model.answer import Answer
from core.model.query import Query
from core.model.results import Moment
from core.model.video import IndexedVideo, Posting, Recipe, Scope, View
from core.site_ids import Led
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

VideoMaker = Callable[..., IndexedVideo]
PostingMaker = Callable[..., Posting]


async def test_a_video_comes_back_as_it_was_saved(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    video, posting = make_video(), make_posting()
    await library.save(video, posting, ["https://a.test/1", "https://b.test/1"])
    ((shown),) = await library.videos(View.of(channel))
    assert (shown.video, shown.posting) == (video.video, posting)
    assert await library.video_at("https://a.test/1", channel) == Led(video.video, "")
    assert await library.video_at("https://b.test/1", channel) == Led(video.video, "")
    assert await library.video_at("https://c.test/1", channel) is None
    assert await library.video(video.video.id) == replace(video.video, title="", url="", uploader="")
    assert await library.video("youtube:other") is None
    assert await library.thumbnails(video.video.id) == video.thumbnails


async def test_a_library_that_was_closed_and_opened_again_still_knows_its_videos(
    tmp_path: Path, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for action in ("save", "read"):
        library = await SqliteLibrary.open(tmp_path / "new folder" / "keaton.db")
        if action == "save":
            await library.save(make_video(), make_posting(), [])
        else:
            assert len(await library.videos(View.of(channel))) == 1
        await library.close()


@pytest.mark.parametrize("frames", [1, 511, 512, 513, 1500])
async def test_vectors_come_back_in_order_with_cosines_within_a_thousandth(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    recipe: Recipe,
    frames: int,
) -> None:
    kept = make_video(frames=frames, dim=512)
    await library.save(kept, make_posting(), [])
    ((video, index),) = await library.indexes(View.of(channel), recipe.key)
    assert video == kept.video
    assert [str(part.dtype) for part in (index.times_s, index.vectors)] == ["float64", "float32"]
    np.testing.assert_array_equal(index.times_s, kept.index.times_s)
    query = kept.index.vectors[0]
    np.testing.assert_allclose(index.vectors @ query, kept.index.vectors @ query, atol=1e-3)


async def test_a_video_of_two_channels_is_kept_once_and_visible_in_both_alone(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    second = Scope("discord", "guild", "videos")
    await library.save(make_video(), make_posting(), ["link"])
    await library.post(make_posting(scope=second, message="m2", minute=1))
    for scope in (channel, second):
        assert len(await library.videos(View.of(scope))) == 1
        assert len(await library.indexes(View.of(scope), recipe.key)) == 1
    elsewhere = [Scope("slack", "guild", "general"), Scope("discord", "x", "general"), Scope("discord", "guild", "x")]
    for scope in elsewhere:
        assert await library.videos(View.of(scope)) == ()
        assert await library.indexes(View.of(scope), recipe.key) == ()
    both = View("discord", "guild", frozenset({"general", "videos"}))
    ((shown),) = await library.videos(both)
    assert shown.posting.scope == second
    assert len(await library.indexes(both, recipe.key)) == 1


async def test_a_view_without_channels_shows_nothing(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    await library.save(make_video(), make_posting(), [])
    assert await library.videos(View("discord", "guild", frozenset())) == ()


async def test_videos_are_listed_newest_posting_first_and_indexes_oldest_first(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    for minute, name in ((1, "a"), (-9, "b"), (3, "c")):  # the clock jumped back in between
        await library.save(make_video(name), make_posting(name, minute=minute), [])
    view = View.of(channel)
    assert [shown.video.id for shown in await library.videos(view)] == ["c", "b", "a"]
    assert [video.id for video, _ in await library.indexes(view, recipe.key)] == ["a", "b", "c"]
    ((only, _),) = await library.indexes(view, recipe.key, "b")
    assert only.id == "b"


async def test_a_video_posted_again_moves_to_the_top_of_the_list(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video("a"), make_posting("a", minute=1), [])
    await library.save(make_video("b"), make_posting("b", minute=2), [])
    await library.post(make_posting("a", message="again", minute=3))
    assert [shown.posting.message for shown in await library.videos(View.of(channel))] == ["again", "m1"]


async def test_postings_are_ordered_in_time_whatever_their_time_zone(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    tokyo = timezone(timedelta(hours=9))
    early, late = make_posting(message="early", minute=1), make_posting(message="late", minute=2)
    await library.save(make_video(), replace(early, posted_at=early.posted_at.astimezone(tokyo)), [])
    await library.post(late)
    ((shown),) = await library.videos(View.of(channel))
    assert shown.posting == late


@pytest.mark.parametrize(
    ("message", "user_id", "postings"),
    [("m1", "u1", 1), ("m2", "u1", 2), ("m1", "u2", 1)],
)
async def test_a_message_posts_a_video_once(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    message: str,
    user_id: str,
    postings: int,
) -> None:
    await library.save(make_video(), make_posting(), [])
    await library.post(make_posting(message=message, user_id=user_id))
    assert await _count(library, "postings") == postings


@pytest.mark.parametrize(("user_id", "postings"), [("u1", 1), ("u2", 2)])
async def test_without_a_message_a_user_posts_a_video_once_in_a_channel(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, user_id: str, postings: int
) -> None:
    await library.save(make_video(), make_posting(message=""), [])
    await library.post(make_posting(message="", user_id=user_id, minute=1))
    assert await _count(library, "postings") == postings


async def test_posting_a_video_that_went_meanwhile_is_said_to_be_unknown(
    library: SqliteLibrary, make_posting: PostingMaker
) -> None:
    with pytest.raises(UnknownVideo) as caught:
        await library.post(make_posting("youtube:gone"))
    assert caught.value.name == "youtube:gone"


async def test_vectors_of_two_recipes_never_mix(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    recipe: Recipe,
    other_recipe: Recipe,
) -> None:
    view = View.of(channel)
    await library.save(make_video(dim=64), make_posting(), ["link"])
    assert await library.has_index("youtube:buster", recipe.key)
    assert not await library.has_index("youtube:buster", other_recipe.key)
    assert await library.indexes(view, other_recipe.key) == ()

    await library.save(make_video(dim=32, recipe=other_recipe), make_posting(message="m2", title="Renamed"), ["link"])
    ((video, old),) = await library.indexes(view, recipe.key)
    ((_, new),) = await library.indexes(view, other_recipe.key)
    assert (old.vectors.shape, new.vectors.shape) == ((20, 64), (20, 32))
    assert video.title == "Renamed"
    assert await _count(library, "videos") == 1
    assert await _count(library, "postings") == 2


async def test_a_video_saved_again_with_its_recipe_replaces_its_embeddings(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    await library.save(make_video(frames=600, thumbnails=5), make_posting(), [])
    await library.save(make_video(frames=30, thumbnails=2), make_posting(), [])
    ((_, index),) = await library.indexes(View.of(channel), recipe.key)
    assert len(index) == 30
    assert len(await library.thumbnails("youtube:buster")) == 2
    assert await _count(library, "chunks") == 1


async def test_stale_videos_are_those_that_only_other_recipes_looked_at(
    library: SqliteLibrary,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
    recipe: Recipe,
    other_recipe: Recipe,
) -> None:
    await library.save(make_video("old", recipe=other_recipe), make_posting("old"), [])
    await library.save(make_video("both", recipe=other_recipe), make_posting("both"), [])
    await library.save(make_video("both"), make_posting("both"), [])
    await library.save(make_video("new"), make_posting("new"), [])
    stale = await library.stale(View.of(channel), recipe.key)
    assert [shown.video.id for shown in stale] == ["old"]
    assert await library.stale(View("discord", "guild", frozenset({"elsewhere"})), recipe.key) == ()


async def test_a_link_that_led_to_one_video_can_lead_to_another_later(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video("a"), make_posting("a"), ["https://films.test/latest"])
    await library.save(make_video("b"), make_posting("b"), ["https://films.test/latest"])
    found = await library.video_at("https://films.test/latest", channel)
    assert found is not None
    assert found.video.id == "b"


async def test_a_video_of_two_hours_is_kept_with_all_frames_and_thumbnails(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    await library.save(make_video(frames=7200, dim=512, thumbnails=600, jpeg=b"x" * 9000), make_posting(), [])
    ((_, index),) = await library.indexes(View.of(channel), recipe.key)
    assert index.vectors.shape == (7200, 512)
    assert len(await library.thumbnails("youtube:buster")) == 600


async def test_an_answer_comes_back_as_it_was_saved(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for video in ("youtube:buster", "sha256:ab"):
        await library.save(make_video(video), make_posting(video), [])
    view = View("discord", "guild", frozenset({"general", "videos"}))
    moments = (
        Moment("youtube:buster", 1.5, 4.25, 3.0, float(np.float32(0.31))),
        Moment("sha256:ab", 0.0, 1.0, 0.1, -0.2),
    )
    first = Answer("a1", Query("a woman in 水", view), channel, moments)
    second = Answer("a2", Query("a train", view, "youtube:buster"), channel, moments[:1])
    await library.save_answer(first)
    await library.save_answer(second)
    assert await library.answer("a1") == first
    assert await library.answer("a2") == second
    assert await library.answer("a3") is None


async def _count(library: SqliteLibrary, table: str) -> int:
    ((count,),) = await library.connections.rows(f"SELECT count(*) FROM {table}", {})  # noqa: S608 - a test's own words
    return int(count)
