"""What was asked is remembered whole, and forgotten with the video that it is about."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from core.model.answer import Answer, Ballot, Vote
from core.model.query import Example, Posted, Query, Stretch
from core.model.requests import MessageKey, Request
from core.model.results import Moment
from core.model.video import IndexedVideo, Posting, Scope, View
from storage.jobs import SqliteJobs
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from storage.library import SqliteLibrary

VideoMaker = Callable[..., IndexedVideo]
PostingMaker = Callable[..., Posting]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def answer(channel: Scope, answer_id: str = "a", user_id: str = "u1", source: Stretch | None = None) -> Answer:
    vector = np.array([0.6, 0.8], np.float32)
    then = Moment("v", 8.0, 9.0, 8.5, 0.3, 1)
    query = Query(
        "a dog > a cat",
        View.of(channel),
        "v",
        Example.of(vector, "recipe", source),
        Posted(frozenset({"u1", "u2"}), NOON, NOON + timedelta(hours=1)),
    )
    return Answer(answer_id, query, channel, (Moment("v", 1.0, 2.0, 1.5, 0.3, 0, then),), user_id)


async def test_an_answer_comes_back_with_its_picture_filters_and_pairs(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for video in "vw":
        await library.save(make_video(video), make_posting(video), [])
    for kept in (answer(channel), answer(channel, "b", source=Stretch("w", 3.0, 4.0))):
        await library.save_answer(kept)
        assert await library.answer(kept.id) == kept
    found = await library.answer("a")
    assert found is not None
    assert found.query.picture is not None
    assert found.query.picture.vector.tolist() == np.array([0.6, 0.8], np.float32).tolist()


async def test_scores_that_numpy_computed_can_be_remembered(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video(), make_posting(), [])
    score = np.float32(0.3125)
    moment = Moment("youtube:buster", 0.0, 1.0, np.float64(0.5), score)  # type: ignore[arg-type]
    await library.save_answer(Answer("a1", Query("q", View.of(channel)), channel, (moment,)))
    found = await library.answer("a1")
    assert found is not None
    assert found.moments[0].score == 0.3125


async def test_the_last_question_is_the_askers_own_in_that_channel(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    other = replace(channel, channel="other")
    for where in (channel, other):
        await library.save(make_video("v"), make_posting("v", scope=where), [])
    for number, (where, who) in enumerate([(channel, "u1"), (channel, "u1"), (channel, "u2"), (other, "u1")]):
        await library.save_answer(answer(where, str(number), who))
    last = await library.last_answer(channel, "u1")
    assert last is not None
    assert last.id == "1"
    assert await library.last_answer(channel, "u3") is None


async def test_a_question_goes_with_the_video_whose_picture_it_holds(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    for video in ("v", "w"):
        await library.save(make_video(video), make_posting(video), [])
    await library.save_answer(answer(channel, source=Stretch("w", 1.0, 2.0)))
    assert await library.answer("a") is not None
    await library.forget("w", View.of(channel))
    assert await library.answer("a") is None
    await library.save_answer(answer(channel, source=Stretch("w", 1.0, 2.0)))
    assert await library.answer("a") is None, "it was found before, and comes to be written down only now"


async def test_videos_are_told_by_who_posted_them_and_when(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video("a"), make_posting("a"), [])
    await library.save(make_video("b"), make_posting("b", user_id="u2", minute=5), [])
    await library.post(make_posting("a", user_id="u2", message="m2", minute=9))
    view = View.of(channel)
    later = NOON + timedelta(minutes=3)
    assert await library.posted(view, Posted(frozenset({"u1"}))) == {"a"}
    assert await library.posted(view, Posted(frozenset({"u2"}))) == {"a", "b"}
    assert await library.posted(view, Posted(after=later)) == {"a", "b"}
    assert await library.posted(view, Posted(before=later)) == {"a"}
    assert await library.posted(view, Posted(frozenset({"u1"}), after=later)) == frozenset()
    assert await library.posted(View.of(replace(channel, channel="other")), Posted(before=later)) == frozenset()
    assert set(await library.posters(view)) == {("u1", "Ada"), ("u2", "Ada")}


async def test_a_vote_goes_with_the_last_posting_in_its_space(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    away = replace(channel, space="another guild")
    await library.save(make_video(), make_posting(), [])
    await library.post(make_posting(scope=away))
    ballot = Ballot("wish", Stretch("youtube:buster", 1.0, 2.0), 1.5, "u1", 1)
    for view in (View.of(channel), View.of(away)):
        await library.vote(view, [ballot])
    await library.forget("youtube:buster", View.of(channel))
    assert await library.votes(View.of(channel), ["wish"]) == ()
    assert await library.votes(View.of(away), ["wish"]) == (Vote("wish", "youtube:buster", 1.5, 1),)


async def test_a_vote_that_is_begun_again_after_a_crash_counts_once(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    """Pressing twice takes a vote back; being killed after it was counted does not."""
    await library.save(make_video(), make_posting(), [])
    jobs = SqliteJobs(library.connections, SqliteLedger(library.connections).run, time.time, is_bot=True)
    job = await jobs.accept(Request(MessageKey(channel, "", "press"), "press", "vote:a:1:m:u", "", "u1", "Ada"))
    assert job is not None
    ballot = Ballot("wish", Stretch("youtube:buster", 1.0, 2.0), 1.5, "u1", 1)
    for _ in range(2):
        await library.vote(View.of(channel), [ballot], job.ref)
        assert len(await library.votes(View.of(channel), ["wish"])) == 1
    await library.vote(View.of(channel), [ballot])
    assert await library.votes(View.of(channel), ["wish"]) == ()
