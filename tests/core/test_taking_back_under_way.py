"""A video is forgotten at any moment of its coming in, and nothing of it stays or comes back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import FilmForgotten, JobCancelled, MessageGone
from core.indexing.embedding import content_id
from core.model.events import LinkPosted, MessageDeleted
from core.model.video import View
from core.wording.errors import sentence
from tests.core.conftest import turn
from tests.support.jobs_done import LINK, accepted, asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.reply import Reply
    from core.model.requests import Job
    from core.ports.video import Fetched, Fetching
    from tests.conftest import MakeClip
    from tests.core.conftest import ColourHouse
    from tests.support.relays import Relay

SAYS = {sentence(error) for error in (FilmForgotten(), JobCancelled(), MessageGone())}
HOLD_VIDEOS = ("videos", "links", "postings", "indexings", "chunks", "thumbnails", "works", "work_chunks")


class Halting:
    """A port, one of whose methods stops before or after its work until it is let go."""

    def __init__(self, real: Any, method: str, *, after: bool) -> None:
        self.real, self._method, self._after = real, method, after
        self.stopped, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return self._halted if name == self._method else getattr(self.real, name)

    async def _halted(self, *args: Any) -> Any:
        if not self._after:
            await self._halt()
        result = await getattr(self.real, self._method)(*args)
        if self._after:
            await self._halt()
        return result

    async def _halt(self) -> None:
        self.stopped.set()
        await self.go_on.wait()

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        """Stop when all is fetched."""
        async for event in self.real.fetch(url, folder, bearer):
            yield event
        await self._halt()


@dataclass(frozen=True)
class Moment:
    """A moment between two steps of a video's coming in."""

    name: str
    port: str
    method: str
    after: bool = True


MOMENTS = (
    Moment("fetched", "fetcher", "fetch"),
    Moment("known by its content", "checkpoints", "begin", after=False),
    Moment("noted", "checkpoints", "begin"),
    Moment("its file kept", "media", "keep"),
    Moment("opened", "checkpoints", "opened"),
    Moment("first looks about to be kept", "checkpoints", "add", after=False),
    Moment("first looks kept", "checkpoints", "add"),
    Moment("looked at", "library", "save", after=False),
    Moment("posted", "library", "save"),
    Moment("about to be shown", "plotter", "sheet"),
)


def halt(house: ColourHouse, moment: Moment) -> Halting:
    relay = relay_of(house, moment)
    relay.target = halting = Halting(relay.target, moment.method, after=moment.after)
    return halting


def unhalt(house: ColourHouse, moment: Moment) -> None:
    relay = relay_of(house, moment)
    relay.target = relay.target.real


def relay_of(house: ColourHouse, moment: Moment) -> Relay:
    relay: Relay = getattr(house.relays, moment.port)
    return relay


@dataclass
class Coming:
    """A video that is stopped at a moment of its coming in."""

    job: Job
    video_id: str
    replies: list[Reply]
    task: asyncio.Task[None]
    halting: Halting

    async def ended(self) -> str:
        async with asyncio.timeout(60):
            await self.task
        return self.replies[-1].text


async def coming(house: ColourHouse, moment: Moment, video: Path, message: str) -> Coming:
    house.fetcher.web[LINK] = video
    job, halting = await accepted(house, asked(message=message)), halt(house, moment)
    replies: list[Reply] = []

    async def take_in() -> None:
        async for reply in house.conversation.handle(LinkPosted(replace(turn(), message=message), LINK, job.ref)):
            replies.append(reply)  # noqa: PERF401 - what came before the end counts

    task = asyncio.create_task(take_in())
    async with asyncio.timeout(60):
        await halting.stopped.wait()
    return Coming(job, content_id(video), replies, task, halting)


async def taken_back(house: ColourHouse, video: Coming, way: str, *, here: bool) -> None:
    """Let a moderator forget the video, or its message be deleted; in this process, or by another one."""
    scope, message = turn().scope, video.job.request.key.message
    match way, here:
        case "forgotten", True:
            await house.forgetting.forget(video.video_id, View.of(scope))
        case "forgotten", False:
            await house.library.forget(video.video_id, View.of(scope))
        case _, True:
            await house.say(MessageDeleted(replace(turn(), message=message)))
        case _:
            await house.ledger.retract(scope, message)


async def restarted(house: ColourHouse) -> None:
    """Begin another run on the same folder, which tells what is left to tell."""
    house.begin_run(lambda: 0.0)
    for left in await house.jobs.left("local"):
        job = await accepted(house, left.request)
        event = LinkPosted(replace(turn(), message=job.request.message), LINK, job.ref)
        assert (await house.last(event)).text in SAYS
        await house.runner.settle(job.ref)
    await house.runner.tidy()


async def left_of_it(house: ColourHouse) -> list[str]:
    tables = [one for one in HOLD_VIDEOS if await house.library.connections.rows(f"SELECT 1 FROM {one}", {})]  # noqa: S608
    jobs = await house.library.connections.rows(
        "SELECT kind FROM jobs WHERE kind NOT IN ('key', 'deleted') OR item LIKE '%example%'", {}
    )
    return [*tables, *(row["kind"] for row in jobs), *(path.name for path in house.media_folder.rglob("*.mp4"))]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["forgotten", "deleted"])
async def test_given_a_video_coming_in_when_taken_back_then_nothing_is_left(
    house: ColourHouse, make_clip: MakeClip, way: str
) -> None:
    clip = make_clip("brief.mp4", [("red", 0.4)])
    for number, moment in enumerate(MOMENTS):
        video = await coming(house, moment, clip, f"m{number}")
        async with asyncio.timeout(60):
            await taken_back(house, video, way, here=True)
        if (way, moment) in {("forgotten", one) for one in MOMENTS[:2]} or moment is MOMENTS[-1]:
            video.halting.go_on.set()  # nobody knows yet which video that is; or it is carried out, and to be told
        assert await video.ended() in SAYS, moment.name
        await house.runner.settle(video.job.ref)
        assert await left_of_it(house) == [], moment.name
        unhalt(house, moment)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["forgotten", "deleted"])
async def test_given_a_video_coming_in_when_another_process_forgets_then_refused(
    house: ColourHouse, make_clip: MakeClip, way: str
) -> None:
    clip = make_clip("brief.mp4", [("red", 0.4)])
    for number, moment in enumerate(MOMENTS):
        video = await coming(house, moment, clip, f"m{number}")
        await taken_back(house, video, way, here=False)
        video.halting.go_on.set()
        assert await video.ended() in SAYS, moment.name
        await house.runner.settle(video.job.ref)
        if moment.name in {"posted", "about to be shown"}:
            await house.runner.forget(video.video_id)  # as whoever took it back does next
        assert await left_of_it(house) == [], moment.name
        unhalt(house, moment)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["forgotten", "deleted"])
async def test_given_a_video_taken_back_when_crashed_then_it_is_gone(
    house: ColourHouse, make_clip: MakeClip, way: str
) -> None:
    """Whoever asked is told then, where the video was forgotten; where the message went there is nobody to tell."""
    clip = make_clip("brief.mp4", [("red", 0.4)])
    for number, moment in enumerate(MOMENTS):
        video = await coming(house, moment, clip, f"m{number}")
        await taken_back(house, video, way, here=False)
        video.task.cancel()
        with suppress(asyncio.CancelledError):
            await video.task
        unhalt(house, moment)
        await restarted(house)
        assert await left_of_it(house) == [], moment.name


@pytest.mark.parametrize("where", ["elsewhere", "by another here"])
async def test_given_two_requests_when_one_is_taken_back_then_the_other_goes_on(
    house: ColourHouse, make_clip: MakeClip, where: str
) -> None:
    clip, moment = make_clip("brief.mp4", [("red", 0.4)]), MOMENTS[6]
    video = await coming(house, moment, clip, "m1")
    theirs = replace(turn("other" if where == "elsewhere" else "main"), user_id="u2", message="m2")
    request = replace(asked(scope=theirs.scope, message="m2"), user_id="u2")
    other = asyncio.create_task(house.last(LinkPosted(theirs, LINK, (await accepted(house, request)).ref)))
    await asyncio.sleep(0)
    await house.forgetting.forget(video.video_id, turn().view, None if where == "elsewhere" else "u1")
    assert await video.ended() in SAYS
    video.halting.go_on.set()
    async with asyncio.timeout(60):
        assert "Ready to search" in (await other).text
    (posted,) = await house.library.videos(theirs.view)
    assert posted.posting.message == "m2"
    assert await house.media.path(video.video_id) is not None
    assert await house.library.posting(video.video_id, turn().view, "u1") is None


async def test_given_a_video_being_saved_when_cancelled_then_not_forgotten(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    video = await coming(house, MOMENTS[5], make_clip("brief.mp4", [("red", 0.4)]), "m1")
    await house.jobs.call_off(video.job.id)
    video.halting.go_on.set()
    assert await video.ended() == sentence(JobCancelled())
