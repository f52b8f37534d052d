from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.errors import JobCancelled
from core.model.requests import MessageKey
from core.model.video import FrameIndex, Scope, Thumbnail, Video, View
from core.ports.video import VideoOpened
from storage.checkpoints import SqliteCheckpoints
from storage.jobs import LEASE_S
from storage.messages import SqliteLedger
from tests.support.ledgers import REQUEST, SCOPE, VIEW, WORK, Clock, born, clock, taken

if TYPE_CHECKING:
    from storage.library import SqliteLibrary
    from tests.storage.conftest import PostingMaker, VideoMaker

__all__ = ["clock"]


def frames(*times_s: float) -> FrameIndex:
    return FrameIndex(np.array(times_s), np.tile(np.array([[0.6, 0.8]], np.float32), (len(times_s), 1)))


async def test_a_request_is_taken_up_once(library: SqliteLibrary, clock: Clock) -> None:
    jobs = born(library, clock)
    job = await taken(jobs)
    assert (job.request, job.state) == (REQUEST, "queued")
    assert await jobs.accept(REQUEST) is None
    await jobs.settle(job.id)
    assert await jobs.accept(REQUEST) is None
    assert await born(library, clock).accept(REQUEST) is None


async def test_what_an_earlier_run_only_noted_by_its_key_becomes_a_job(library: SqliteLibrary, clock: Clock) -> None:
    await SqliteLedger(library.connections).begin(REQUEST.key)
    assert (await taken(born(library, clock))).request == REQUEST


async def test_the_next_bot_takes_up_what_a_dead_one_left(library: SqliteLibrary, clock: Clock) -> None:
    dead = born(library, clock)
    left, done = await taken(dead), await taken(dead, replace(REQUEST, key=MessageKey(SCOPE, "78", "a link")))
    await SqliteCheckpoints(library.connections).start(left.id)
    await dead.settle(done.id)
    assert await dead.left("discord") == ()
    living = born(library, clock)
    assert [job.id for job in await living.left("discord")] == [left.id]
    assert await living.left("slack") == ()
    assert (await taken(living)).id == left.id
    assert await living.left("discord") == ()


async def test_what_a_command_works_on_is_its_own_until_its_lease_runs_out(
    library: SqliteLibrary, clock: Clock
) -> None:
    command, bot = born(library, clock, is_bot=False), born(library, clock)
    await taken(command)
    clock.now_s += LEASE_S - 1
    await command.renew()
    clock.now_s += LEASE_S - 1
    assert await bot.left("discord") == ()
    clock.now_s += 2
    assert len(await bot.left("discord")) == 1


async def test_a_clock_that_jumps_back_makes_no_lease_last(library: SqliteLibrary, clock: Clock) -> None:
    await taken(born(library, clock, is_bot=False))
    clock.now_s -= 86400
    assert len(await born(library, clock).left("discord")) == 1


async def test_what_is_parked_is_free_at_once(library: SqliteLibrary, clock: Clock) -> None:
    command = born(library, clock, is_bot=False)
    job = await taken(command)
    await SqliteCheckpoints(library.connections).start(job.id)
    await command.park()
    (left,) = await born(library, clock).left("discord")
    assert left.state == "queued"


async def test_a_failure_that_may_pass_is_counted_and_says_when_to_try_again(
    library: SqliteLibrary, clock: Clock
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs)
    await jobs.put_off(job.id, "FetchFailed", 123.0)
    put_off = await jobs.job(job.id)
    assert put_off is not None
    assert (put_off.state, put_off.failures, put_off.reason, put_off.not_before_s) == ("queued", 1, "FetchFailed", 123)


@pytest.mark.parametrize(("ending", "state"), [("bring", "done"), ("fail", "failed"), ("cancel", "cancelled")])
async def test_a_job_ends_in_one_way(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker, ending: str, state: str
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs, replace(REQUEST, place='{"token": "secret"}'))
    if ending == "bring":
        await library.save(make_video("sha256:x"), make_posting("sha256:x"), (), job.ref)
    elif ending == "fail":
        await jobs.fail(job.id, "NotAVideo")
    else:
        await jobs.cancel(job.id)
    await jobs.settle(job.id)
    ended = await jobs.job(job.id)
    assert ended is not None
    assert (ended.state, ended.request.place) == (state, "")


async def test_starts_are_counted_until_a_frame_was_written_down(library: SqliteLibrary, clock: Clock) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    job = await taken(jobs)
    assert [await works.begin(job.id, WORK, "r") for _ in range(3)] == [1, 2, 3]
    await works.add(WORK.video_id, frames(0, 1), ())
    assert await works.begin(job.id, WORK, "r") == 1


async def test_pieces_come_back_in_order_and_none_twice(library: SqliteLibrary, clock: Clock) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    await works.begin((await taken(jobs)).id, WORK, "r")
    assert await works.at(WORK.link, SCOPE) == WORK
    assert await works.so_far(WORK.video_id, "r") is None
    await works.add(WORK.video_id, frames(0, 1), (Thumbnail(0.0, b"a"),))
    await works.add(WORK.video_id, frames(1, 2), (Thumbnail(2.0, b"late"),))
    await works.add(WORK.video_id, frames(2, 3, 4), (Thumbnail(3.0, b"b"),))
    known = await works.so_far(WORK.video_id, "r")
    assert known is not None
    assert known.index.times_s.tolist() == [0, 1, 2, 3, 4]
    assert known.thumbnails == (Thumbnail(0.0, b"a"), Thumbnail(3.0, b"b"))


async def test_another_recipe_begins_anew(library: SqliteLibrary, clock: Clock) -> None:
    works = SqliteCheckpoints(library.connections)
    job = await taken(born(library, clock))
    await works.begin(job.id, WORK, "old")
    await works.add(WORK.video_id, frames(0, 1), ())
    await works.begin(job.id, WORK, "new")
    assert await works.so_far(WORK.video_id, "old") is None
    assert await works.so_far(WORK.video_id, "new") is None


async def test_a_video_under_way_is_searched_where_asked_for_and_listed_nowhere(
    library: SqliteLibrary, clock: Clock
) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    job = await taken(jobs)
    await works.begin(job.id, WORK, "r")
    await works.opened(WORK.video_id, VideoOpened(10.0, 320, 240, 8))
    await works.add(WORK.video_id, frames(0, 1), ())
    (partial,) = await library.partials(VIEW, "r")
    assert partial.video == Video(WORK.video_id, WORK.url, "A video", 10.0, 320, 240, uploader="Buster")
    assert (partial.share, partial.index.times_s.tolist()) == (0.25, [0, 1])
    assert await library.partials(View.of(replace(SCOPE, channel="3")), "r") == ()
    assert await library.partials(VIEW, "another") == ()
    assert await library.videos(VIEW) == ()
    assert await library.indexes(VIEW, "r") == ()
    assert await jobs.cancel(job.id) == WORK.video_id
    assert await library.partials(VIEW, "r") == ()


async def test_what_was_seen_goes_with_the_last_job_that_wants_it(library: SqliteLibrary, clock: Clock) -> None:
    jobs, works = born(library, clock), SqliteCheckpoints(library.connections)
    first, second = await taken(jobs), await taken(jobs, replace(REQUEST, key=MessageKey(SCOPE, "78", "a link")))
    for job in (first, second):
        await works.begin(job.id, WORK, "r")
    await jobs.fail(first.id, "NotAVideo")
    assert await jobs.settle(first.id) == ""
    assert await works.of(WORK.video_id) is not None
    assert await jobs.cancel(second.id) == WORK.video_id
    assert await works.of(WORK.video_id) is None


async def test_a_video_that_is_kept_needs_no_pieces(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    jobs, works, whole = born(library, clock), SqliteCheckpoints(library.connections), make_video()
    job = await taken(jobs)
    await works.begin(job.id, replace(WORK, video_id=whole.video.id), "r")
    await library.save(whole, make_posting(), (), job.ref)
    assert await works.of(whole.video.id) is None
    assert await jobs.settle(job.id) == ""


async def test_what_a_job_brings_is_not_kept_once_it_has_ended(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    jobs, video = born(library, clock), make_video()
    job = await taken(jobs)
    await jobs.cancel(job.id)
    with pytest.raises(JobCancelled):
        await library.save(video, make_posting(), (), job.ref)
    assert await library.video(video.video.id) is None
    others = make_posting(message="by another")
    await library.save(video, others, ())
    with pytest.raises(JobCancelled):
        await library.post(make_posting(), job.ref)
    assert [one.posting.message for one in await library.videos(View.of(others.scope))] == ["by another"]


async def test_at_a_start_what_no_open_job_is_about_goes(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    jobs, works, whole = born(library, clock), SqliteCheckpoints(library.connections), make_video()
    job = await taken(jobs, replace(REQUEST, kind="file", source="inbox/one.mp4"))
    await works.begin(job.id, WORK, "r")
    async with library.connections.writing() as db:
        await db.execute("INSERT INTO works (video_id, recipe_key) VALUES ('sha256:stray', 'r')")
    await library.save(whole, make_posting(), ())
    assert await jobs.needed() == (frozenset({WORK.video_id, whole.video.id}), frozenset({"inbox/one.mp4"}))
    assert await works.of("sha256:stray") is None


async def test_an_open_request_is_outdone_by_later_presses_on_its_message(library: SqliteLibrary, clock: Clock) -> None:
    jobs = born(library, clock)
    asked = replace(REQUEST, key=MessageKey(SCOPE, "", "asked"), kind="find")
    press = replace(asked, kind="press", under="M")
    found, first, second, elsewhere = [
        await taken(jobs, replace(one, key=MessageKey(scope, "", f"item {number}")))
        for number, (one, scope) in enumerate(
            [(asked, SCOPE), (press, SCOPE), (press, SCOPE), (press, Scope("discord", "1", "3"))]
        )
    ]
    for job in (first, second, elsewhere):
        await jobs.settle(job.id)
    clock.now_s += 40 * 86400
    await jobs.needed()
    later = born(library, clock)
    outdone = [await later.is_outdone(job.id, "M") for job in (found, first, second)]
    assert (outdone, await later.is_outdone(found.id, "N")) == ([True, True, False], False)
    await later.settle(found.id)
    await later.needed()
    assert [await later.job(job.id) for job in (first, second)] == [None, None]
