"""What tests of the job runner share: requests, restarts, and readers and fetchers that stop, fail or die."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import DecoderDied, FetchFailed
from core.model.requests import MessageKey, Request
from core.ports.video import SampledFrame, VideoEnded
from tests.core.conftest import turn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from core.model.events import LinkPosted
    from core.model.requests import Job
    from core.model.video import Preprocess, Sampling, Scope, Still
    from core.ports.video import Fetched, Fetching, Reading, ResumePoint
    from tests.core.conftest import ColourHouse

LINK = "https://films.example/colours.mp4"


def asked(source: str = LINK, scope: Scope | None = None, message: str = "7") -> Request:
    scope = scope or turn().scope
    return Request(MessageKey(scope, message, source), "link", source, "", "u1", "Ada", message)


async def accepted(house: ColourHouse, request: Request | None = None) -> Job:
    job = await house.runner.accept(request or asked())
    assert job is not None
    return job


async def reborn(house: ColourHouse, kind: str = "") -> Job:
    """Give the one job (of a kind) that is left to a new process, which takes it up."""
    house.begin_run()
    (left,) = [one for one in await house.jobs.left("local") if kind in {"", one.request.kind}]
    return await accepted(house, left.request)


async def state(house: ColourHouse, job: Job) -> tuple[str, str]:
    found = await house.jobs.job(job.id)
    assert found is not None
    return found.state, found.reason


class StoppingReader:
    """Reads a video, but never beyond so many looks; notes what it gave."""

    def __init__(self, real: ChildFrameReader, most: int) -> None:
        self._real = real
        self._most = most
        self.given: list[float] = []
        self.stopped = asyncio.Event()

    async def frames(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncGenerator[Reading, None]:
        async for event in self._real.frames(path, sampling, preprocess, seen):
            if isinstance(event, SampledFrame):
                if len(self.given) == self._most:
                    self.stopped.set()
                    await asyncio.Event().wait()
                self.given.append(event.time_s)
            yield event

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        return await self._real.still(path, time_s, max_px)


class FailingFetcher:
    """Fails so often before it works."""

    def __init__(self, real: object, failures: int) -> None:
        self._real = real
        self.left = failures

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        if self.left:
            self.left -= 1
            raise FetchFailed(url, "timeout")
        async for event in self._real.fetch(url, folder, bearer):  # type: ignore[attr-defined]
            yield event


class DyingReader:
    """Dies with every video."""

    async def frames(
        self,
        path: Path,
        sampling: Sampling,  # noqa: ARG002 - the port names them
        preprocess: Preprocess,  # noqa: ARG002
        seen: ResumePoint | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Reading, None]:
        for error in (DecoderDied(path.name, "signal SIGSEGV"),):
            raise error
        yield VideoEnded(truncated=True, reached_s=0.0)


async def half_way(house: ColourHouse, event: LinkPosted, looks: int = 10) -> StoppingReader:
    """Let the process die after so many looks, as seen by what is kept."""
    house.relays.reader.target = stopping = StoppingReader(house.reader, looks)
    task = asyncio.create_task(house.last(event))
    await stopping.stopped.wait()
    await until_written(house, looks)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return stopping


async def until_written(house: ColourHouse, looks: int) -> None:
    async with asyncio.timeout(60):
        recipe = (await house.searcher.recipe()).key
        while True:
            partials = await house.library.partials(turn().view, recipe)
            if partials and len(partials[0].index) >= looks:
                return
            await asyncio.sleep(0.01)
