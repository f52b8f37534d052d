"""What was written down and is outdone since, by forgetting, a switch or an opposite press, is not done again."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import FilmForgotten
from core.model.requests import MessageKey, why_ended
from core.model.video import FrameIndex
from storage.checkpoints import SqliteCheckpoints
from storage.messages import SqliteLedger
from tests.support.ledgers import REQUEST, SCOPE, VIEW, WORK, Clock, born, clock, taken

__all__ = ["clock"]

if TYPE_CHECKING:
    from core.model.requests import Job
    from core.model.video import Scope
    from storage.jobs import SqliteJobs
    from storage.library import SqliteLibrary
    from tests.storage.conftest import PostingMaker, VideoMaker


@pytest.mark.parametrize("forgetter", ["u1", None])
async def test_a_shown_but_unnoted_video_is_not_fetched_again_once_forgotten(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker, forgetter: str | None
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs)
    await SqliteCheckpoints(library.connections).begin(job.id, WORK, "recipe")
    await library.save(make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="77"), [])
    assert await library.forget("sha256:x", VIEW, forgetter)
    (left,) = await born(library, clock).left("discord")
    assert (left.state, left.reason) == ("cancelled", "FilmForgotten"), "it is only left to tell so"
    reborn = born(library, clock)
    assert (await taken(reborn)).state == "cancelled"
    await reborn.settle(job.id)
    assert await born(library, clock).left("discord") == ()
    assert await born(library, clock).accept(REQUEST) is None
    assert await library.connections.rows("SELECT 1 FROM jobs WHERE kind <> 'key'", {}) == []
    assert await library.connections.rows("SELECT 1 FROM jobs WHERE item NOT LIKE 'sealed:%'", {}) == []


async def test_anothers_request_goes_on_where_one_person_takes_a_video_back(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs, replace(REQUEST, user_id="u2"))
    await SqliteCheckpoints(library.connections).begin(job.id, WORK, "recipe")
    await library.save(make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="1"), [])
    assert await library.forget("sha256:x", VIEW, "u1")
    assert [one.id for one in await born(library, clock).left("discord")] == [job.id]


@pytest.mark.parametrize("source", ["https://youtu.be/aaaaaaaaaaa?si=xyz", "https://m.youtube.com/watch?v=aaaaaaaaaaa"])
async def test_a_link_is_known_for_its_video_however_it_is_written(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker, source: str
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs, replace(REQUEST, source=source))
    await library.save(make_video("x"), make_posting("x", scope=SCOPE, message="1"), ["youtube:aaaaaaaaaaa"])
    await library.forget("x", VIEW)
    assert isinstance(why_ended(await jobs.job(job.id)), FilmForgotten)


async def test_an_unresolved_request_ends_in_any_video_but_a_forgotten_one(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    job = await taken(jobs)
    await library.save(make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="1"), [])
    await library.forget("sha256:x", VIEW)
    assert why_ended(await jobs.job(job.id)) is None
    with pytest.raises(FilmForgotten):
        await works.begin(job.id, WORK, "recipe")
    with pytest.raises(FilmForgotten):
        await library.save(make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE), [], job.ref)
    assert await works.begin(job.id, replace(WORK, video_id="another"), "recipe") == 1
    later = await taken(jobs, replace(REQUEST, key=MessageKey(SCOPE, "78", "a link")))
    await library.save(make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE), [], later.ref)


async def test_a_forgotten_videos_checkpoint_goes_and_takes_no_more_frames(
    library: SqliteLibrary, clock: Clock
) -> None:
    works, index = (
        SqliteCheckpoints(library.connections),
        FrameIndex(np.array([0.5]), np.array([[0.6, 0.8]], np.float32)),
    )
    job = await taken(born(library, clock))
    await works.begin(job.id, WORK, "recipe")
    await works.add(WORK.video_id, index, [])
    await library.forget(WORK.video_id, VIEW)
    assert await library.connections.rows("SELECT 1 FROM works", {}) == []
    with pytest.raises(FilmForgotten):
        await works.add(WORK.video_id, index, [])


async def test_a_forget_request_that_is_begun_again_spares_what_came_after_it(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    asked = replace(REQUEST, key=MessageKey(SCOPE, "", "asked"), kind="forget", source="x")
    job = await taken(born(library, clock), asked)
    for is_kept in (False, True):
        await library.save(make_video("x"), make_posting("x", scope=SCOPE), [])
        await library.forget("x", VIEW, None, job.ref)
        assert (await library.video("x") is not None) is is_kept


async def test_no_number_of_a_request_is_given_twice(library: SqliteLibrary, clock: Clock) -> None:
    jobs = born(library, clock)
    first = await taken(jobs)
    await SqliteLedger(library.connections).retract(SCOPE, "77")
    assert (await taken(jobs, replace(REQUEST, key=MessageKey(SCOPE, "78", "a link")))).id > first.id


async def test_a_deleted_answer_takes_back_what_its_command_asked_for(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    """Done or not; nothing is left that names the link."""
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    asked = replace(REQUEST, key=MessageKey(SCOPE, "", f"trigger:1:{REQUEST.source}"), message="")
    for is_done in (True, False):
        job = await taken(jobs, asked)
        await jobs.stand(job.id, "", "answer")
        await works.begin(job.id, WORK, "recipe")
        if is_done:
            video, posting = make_video("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="answer")
            await library.save(video, posting, [WORK.link], job.ref)
            await jobs.settle(job.id)
        assert await SqliteLedger(library.connections).retract(SCOPE, "answer") == ("sha256:x",)
        for table in ("jobs", "works", "videos", "links"):
            assert await library.connections.rows(f"SELECT * FROM {table}", {}) == [], table  # noqa: S608 - our own


async def switches(jobs: SqliteJobs, *ways: str, about: str = "", scope: Scope = SCOPE) -> list[Job]:
    """Write down that a channel is to be switched; `scope` is where that was said."""
    asked = replace(REQUEST, kind="switch", name=SCOPE.channel)
    numbered = [replace(asked, key=MessageKey(scope, about, f"{way} {n}"), source=way) for n, way in enumerate(ways)]
    return [await taken(jobs, request) for request in numbered]


async def carried_out(library: SqliteLibrary, job: Job) -> bool:
    """Switch as a new process does that takes a job up; return what it says of the channel."""
    return await SqliteLedger(library.connections).switch(SCOPE, on=job.request.source == "on", job=job.ref)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_the_switch_written_down_last_stands_in_any_order_of_execution(
    library: SqliteLibrary, clock: Clock, order: tuple[int, ...]
) -> None:
    written = await switches(born(library, clock), "on", "off", "on")
    for reached, number in enumerate(order):
        last = max(order[: reached + 1])
        assert await carried_out(library, written[number]) == (written[last].request.source == "on")
    assert [await carried_out(library, one) for one in written] == [True] * 3
    ledger = SqliteLedger(library.connections)
    assert await ledger.switch(SCOPE, on=False) is False, "who switches by no written word is late for nothing"


async def test_a_switch_that_was_never_carried_out_stands_in_no_older_ones_way(
    library: SqliteLibrary, clock: Clock
) -> None:
    jobs = born(library, clock)
    older, dropped = await switches(jobs, "off", "on")
    await jobs.cancel(dropped.id)
    assert await carried_out(library, older) is False


async def test_a_switch_in_a_thread_counts_for_its_channel_and_no_other(library: SqliteLibrary, clock: Clock) -> None:
    jobs, thread = born(library, clock), replace(SCOPE, channel="a thread")
    (older,), (newer,) = await switches(jobs, "off"), await switches(jobs, "on", scope=thread)
    other = await taken(jobs, replace(newer.request, key=MessageKey(SCOPE, "", "other"), name="3"))
    ledger = SqliteLedger(library.connections)
    await ledger.switch(replace(SCOPE, channel="3"), on=True, job=other.ref)
    assert await carried_out(library, older) is False
    assert await carried_out(library, newer)
    assert await carried_out(library, older)


async def test_a_switch_is_remembered_while_an_older_request_is_open(library: SqliteLibrary, clock: Clock) -> None:
    jobs, ledger = born(library, clock), SqliteLedger(library.connections)
    (older,), (newer,) = await switches(jobs, "off"), await switches(jobs, "on", about="78")
    await carried_out(library, newer)
    await jobs.settle(newer.id)
    await ledger.retract(SCOPE, "78")
    clock.now_s += 40 * 86400
    await jobs.needed()
    assert await carried_out(library, older)
    await jobs.settle(older.id)
    await jobs.needed()
    assert await jobs.job(newer.id) is None
