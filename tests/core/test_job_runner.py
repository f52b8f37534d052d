"""Jobs: tried again, given up, cancelled, and gone on with after a death."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import DecoderDied, FetchFailed, NotAVideo, StorageUnusable
from core.jobs import JobRunner, RetryPolicy
from core.model.events import FilePosted, Find, LinkPosted, ListVideos
from tests.core.conftest import CHOICES, turn
from tests.support.jobs_done import (
    LINK,
    DyingReader,
    FailingFetcher,
    StoppingReader,
    accepted,
    asked,
    half_way,
    reborn,
    state,
    until_written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

PAIRWISE = replace(CHOICES, indexing=replace(CHOICES.indexing, batch=2))


@pytest.mark.parametrize("house", [PAIRWISE], indirect=True, ids=["two frames at once"])
async def test_given_a_crash_when_taken_up_then_after_the_last_saved_frame(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    first = await half_way(house, LinkPosted(turn(), LINK, job.ref))
    job = await reborn(house)
    house.relays.reader.target = second = StoppingReader(house.reader, 999)
    reply = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert "Ready to search" in reply.text
    assert house.fetcher.fetched == [LINK], "it is not fetched again"
    assert first.given + second.given == sorted(set(first.given + second.given))
    recipe = (await house.searcher.recipe()).key
    ((_, index),) = await house.library.indexes(turn().view, recipe)
    assert index.times_s.tolist() == first.given + second.given
    assert len(await house.library.thumbnails((await house.library.videos(turn().view))[0].video.id)) == 16


@pytest.mark.parametrize("house", [PAIRWISE], indirect=True, ids=["two frames at once"])
async def test_given_a_video_under_way_when_asked_then_its_share_is_told(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    house.relays.reader.target = stopping = StoppingReader(house.reader, 8)
    task = asyncio.create_task(house.last(LinkPosted(turn(), LINK, job.ref)))
    await stopping.stopped.wait()
    await until_written(house, 8)
    reply = await house.last(Find(turn(), "green"))
    assert "50% indexed so far" in reply.text
    assert [picture.kind for picture in reply.pictures] == ["frame", "plot"]
    assert "There is no video here yet" in (await house.last(ListVideos(turn()))).text
    elsewhere = await house.last(Find(turn("elsewhere"), "green"))
    assert "nothing to search" in elsewhere.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_given_a_passing_failure_when_it_comes_then_a_retry_is_told(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    house.relays.fetcher.target = FailingFetcher(house.fetcher, 2)
    job = await accepted(house)
    said = await house.say(LinkPosted(turn(), LINK, job.ref))
    assert sum("I shall try again" in reply.text for reply in said) == 2
    assert "too long to answer" in next(reply.text for reply in said if "try again" in reply.text)
    assert "Ready to search" in said[-1].text
    await house.runner.settle(job.ref)
    assert await state(house, job) == ("done", "")


async def test_given_failures_when_too_many_then_the_job_is_given_up(house: ColourHouse) -> None:
    house.relays.fetcher.target = failing = FailingFetcher(house.fetcher, 99)
    job = await accepted(house)
    reply = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert (reply.tone, 99 - failing.left) == ("error", 3)
    await house.runner.settle(job.ref)
    assert await state(house, job) == ("failed", "FetchFailed")


async def test_given_failures_when_restarted_then_they_still_count(house: ColourHouse) -> None:
    house.relays.fetcher.target = failing = FailingFetcher(house.fetcher, 99)
    job = await accepted(house)
    await house.jobs.put_off(job.id, "FetchFailed", 0.0)
    await house.jobs.put_off(job.id, "FetchFailed", 0.0)
    job = await reborn(house)
    await house.last(LinkPosted(turn(), LINK, job.ref))
    assert 99 - failing.left == 1


async def test_given_a_killed_decoder_when_it_dies_twice_then_nothing_is_left(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    house.relays.reader.target = DyingReader()
    job = await accepted(house)
    said = await house.say(LinkPosted(turn(), LINK, job.ref))
    assert sum("I shall try again" in reply.text for reply in said) == 1
    await house.runner.settle(job.ref)
    assert await state(house, job) == ("failed", "DecoderDied")
    assert house.stored() == []


async def test_given_a_video_begun_in_vain_when_ten_times_then_given_up(house: ColourHouse, colour_video: Path) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    async with house.library.connections.writing() as db:
        await db.execute("UPDATE jobs SET starts = 10 WHERE id = ?", (job.id,))
    reply = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert "leave it alone" in reply.text


@pytest.mark.parametrize(
    ("error", "waits_s"),
    [
        (FetchFailed("", "dns"), [15, 60, 240, 960, None]),
        (StorageUnusable("", "full"), [15, 60, 240, 960, None]),
        (DecoderDied(""), [15, None]),
        (NotAVideo(""), [None]),
    ],
)
def test_given_passing_failures_when_repeated_then_waits_grow(
    error: FetchFailed | StorageUnusable | DecoderDied | NotAVideo, waits_s: list[float | None]
) -> None:
    patience = RetryPolicy()
    assert [patience.wait_s(error, failures) for failures in range(1, len(waits_s) + 1)] == waits_s


async def test_given_two_links_to_one_video_when_posted_then_it_is_indexed_once(
    house: ColourHouse, colour_video: Path
) -> None:
    other = LINK + "?mirror=2"
    house.fetcher.web |= {LINK: colour_video, other: colour_video}
    jobs = [await accepted(house, asked(link)) for link in (LINK, other)]
    events = [LinkPosted(turn(), link, job.ref) for link, job in zip((LINK, other), jobs, strict=True)]
    said = await asyncio.gather(*map(house.last, events))
    assert sorted("Ready to search" in reply.text for reply in said) == [False, True]
    assert sum(house.encoder.batches) == 3, "three colours, each of them once"


async def test_given_work_done_but_untold_when_restarted_then_it_is_told(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    first = await house.last(LinkPosted(turn(), LINK, job.ref))
    job = await reborn(house)
    assert (await house.last(LinkPosted(turn(), LINK, job.ref))).text == first.text


@pytest.mark.parametrize("way", ["save", "post"])
async def test_given_a_video_just_kept_when_crashed_then_it_is_told_of_as_new(
    house: ColourHouse, colour_video: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    house.fetcher.web[LINK] = colour_video
    if way == "post":
        await house.last(FilePosted(turn("elsewhere"), colour_video, "a secret plan.mp4"))
    job, keep, kept = await accepted(house), getattr(house.library, way), asyncio.Event()

    async def keep_and_die(*what: object) -> None:
        await keep(*what)
        kept.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(house.library, way, keep_and_die)
    dying = asyncio.create_task(house.last(LinkPosted(turn(), LINK, job.ref)))
    await kept.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    monkeypatch.undo()
    reply = await house.last(LinkPosted(turn(), LINK, (await reborn(house)).ref))
    assert reply.text.startswith("Ready to search")
    assert (reply.title, [one.kind for one in reply.pictures]) == ("A linked video", ["sheet"])


async def test_given_leftovers_when_starting_then_they_are_swept(house: ColourHouse, colour_video: Path) -> None:
    kept = await house.last(FilePosted(turn(), colour_video, "colours.mp4"))
    assert "Ready" in kept.text
    wanted = house.media.inbox / "wanted.mp4"
    for stray in (house.media_folder / "stray.mp4", house.media.inbox / "stray.mp4", wanted):
        stray.write_bytes(b"video")
    await accepted(house, replace(asked(), kind="file", source=str(wanted)))
    await house.runner.tidy()
    assert [path.name for path in house.media.inbox.iterdir()] == ["wanted.mp4"]
    assert len(house.stored()) == 1


async def test_given_open_jobs_when_stopping_in_order_then_they_are_free(house: ColourHouse) -> None:
    job = await accepted(house)
    await house.runner.close()
    assert await state(house, job) == ("queued", "")
    assert isinstance(house.runner, JobRunner)
    assert len(await house.runner.jobs.left("local")) == 1
