"""Fixtures for the engines: reading a video in this process, or in a child as the product does."""

from __future__ import annotations

import asyncio
import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import pytest
import pytest_asyncio

from core.engines.sandbox import protocol
from core.engines.sandbox.pool import ChildPool
from core.engines.video import reader as frames
from core.engines.video import worker
from core.engines.video.allowance import Allowance
from core.engines.video.reader import ChildFrameReader
from core.limits import VideoLimits
from core.model.video import Pixels, Preprocess, Sampling, Still
from core.ports.metrics import Unwatched
from core.ports.video import SampledFrame, VideoEnded, VideoOpened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.ports.video import ResumePoint as LastSeen

PREPROCESS = Preprocess(64, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
LIMITS = asdict(VideoLimits())


@dataclass(frozen=True)
class Seen:
    """All that a reading gave."""

    opened: VideoOpened
    frames: tuple[SampledFrame, ...]
    ended: VideoEnded

    @property
    def times_s(self) -> list[float]:
        return [frame.time_s for frame in self.frames]


class ReadSamples(Protocol):
    def __call__(
        self, path: Path, sampling: Sampling = ..., preprocess: Preprocess = ..., *, after: LastSeen | None = ...
    ) -> Seen: ...


class CutStill(Protocol):
    def __call__(self, path: Path, time_s: float, max_px: int = ...) -> tuple[Still, Pixels]: ...


def messages_in(data: bytes) -> list[protocol.ChildMessage]:
    async def read() -> list[protocol.ChildMessage]:
        stream = asyncio.StreamReader()
        stream.feed_data(data)
        stream.feed_eof()
        messages = []
        while (message := await protocol.receive(stream, 1 << 28)) is not None:
            messages.append(message)
        return messages

    with asyncio.Runner() as runner:
        return runner.run(read())


class ReadMessages(Protocol):
    def __call__(self, data: bytes) -> list[protocol.ChildMessage]: ...


@pytest.fixture
def messages() -> ReadMessages:
    """Read what a child wrote as its parent does."""
    return messages_in


@pytest.fixture
def read_samples() -> ReadSamples:
    """Read a video as the child does, without the child."""

    def read(
        path: Path,
        sampling: Sampling | None = None,
        preprocess: Preprocess = PREPROCESS,
        *,
        after: LastSeen | None = None,
    ) -> Seen:
        out = io.BytesIO()
        how = {"sampling": asdict(sampling or Sampling()), "preprocess": asdict(preprocess), "limits": LIMITS}
        known = {"until_s": after.until_s, "sent": after.frames} if after else {}
        request: dict[str, object] = {**how, **known}
        worker.send_frames(path, request, out)
        allowance = Allowance(VideoLimits(), preprocess.size_px, sampling or Sampling())
        if after is not None:
            allowance.last, allowance.before = after.until_s, after.frames
        events = [frames.reading_of(message, path, allowance) for message in messages_in(out.getvalue())]
        opened, *samples, ended = events
        assert isinstance(opened, VideoOpened)
        assert isinstance(ended, VideoEnded)
        return Seen(opened, tuple(one for one in samples if isinstance(one, SampledFrame)), ended)

    return read


@pytest.fixture
def cut_still() -> CutStill:
    """Cut a still as the child does, without the child; return it with its pixels, (H, W, 3) uint8 RGB."""

    def cut(path: Path, time_s: float, max_px: int = 4000) -> tuple[Still, Pixels]:
        out = io.BytesIO()
        worker.send_still(path, {"time_s": time_s, "max_px": max_px, "limits": LIMITS}, out)
        still = frames.still_of(messages_in(out.getvalue())[0], path, VideoLimits(), max_px)
        bgr = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None
        return still, np.asarray(bgr[..., ::-1], dtype=np.uint8)

    return cut


@pytest_asyncio.fixture(params=[True, False], ids=["forked", "started"])
async def reader(request: pytest.FixtureRequest) -> AsyncIterator[ChildFrameReader]:
    """A reader with real children, forked by a fork server as on Linux, or started anew as elsewhere."""
    children = ChildPool("core.engines.video.worker", forks=request.param)
    yield ChildFrameReader(children, watch=Unwatched())
    await children.close()
