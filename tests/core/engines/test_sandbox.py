"""The decoder works in a sandbox: no network, no new rights, little memory, and a video that takes more is refused."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import av
import pytest

from core.engines.sandbox.pool import Child, ChildPool
from core.engines.video.reader import ChildFrameReader
from core.errors import NoFrames, OverLimit
from core.limits import VideoLimits
from core.model.video import Sampling
from core.ports.metrics import Unwatched
from tests.core.engines.conftest import PREPROCESS
from tests.support import clips

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.limits import Quantity
    from tests.conftest import MakeClip

pytestmark = pytest.mark.slow


@pytest.fixture(params=[True, False], ids=["forked", "started"])
async def children(request: pytest.FixtureRequest) -> AsyncIterator[ChildPool]:
    children = ChildPool("core.engines.video.worker", forks=request.param)
    yield children
    await children.close()


async def test_given_a_child_when_it_describes_its_sandbox_then_all_holds(children: ChildPool) -> None:
    told = await ChildFrameReader(
        children, VideoLimits(decode_s=50, memory_bytes=600_000_000), watch=Unwatched()
    ).sandbox()
    assert (told["cpu_s"], told["memory_bytes"], told["file_bytes"]) == (50, 600_000_000, 0)
    assert told["no_new_privileges"] is (sys.platform == "linux")


@pytest.mark.parametrize(
    ("limits", "quantity"),
    [
        (VideoLimits(duration_s=5), "duration_s"),
        (VideoLimits(frames=100), "frames"),
        (VideoLimits(frame_px=10_000), "frame_px"),
    ],
)
@pytest.mark.parametrize("name", ["film.mp4", "video.mkv"])
async def test_given_a_video_over_a_limit_when_read_then_the_limit_is_named(
    children: ChildPool, make_clip: MakeClip, limits: VideoLimits, quantity: Quantity, name: str
) -> None:
    video = make_clip(name, [("red", 8)], clips.Shape((320, 180), patterned=True))
    with pytest.raises(OverLimit) as raised:
        async for _ in ChildFrameReader(children, limits, watch=Unwatched()).frames(video, Sampling(), PREPROCESS):
            pass
    assert (raised.value.quantity, raised.value.limit) == (quantity, getattr(limits, quantity))


async def test_given_sound_beyond_the_limit_when_read_then_it_is_refused(
    children: ChildPool, make_clip: MakeClip, tmp_path: Path
) -> None:
    whole, video = make_clip("whole.mkv", [("red", 2)], clips.Shape(sound_s=100)), tmp_path / "live.mkv"
    with av.open(video, "w", options={"live": "1"}) as container, av.open(whole) as source:
        streams = {one.index: container.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                container.mux(packet)
    with pytest.raises(OverLimit) as raised:
        async for _ in ChildFrameReader(children, VideoLimits(duration_s=10), watch=Unwatched()).frames(
            video, Sampling(), PREPROCESS
        ):
            pass
    assert raised.value.quantity == "duration_s"


async def test_given_too_much_memory_when_read_then_the_limit_is_named(
    children: ChildPool, make_clip: MakeClip
) -> None:
    video = make_clip("large.mp4", [("red", 0.2)], clips.Shape((3840, 2160)))
    with pytest.raises((OverLimit, NoFrames)):  # with several threads FFmpeg does not always say why it gave up
        async for _ in ChildFrameReader(children, VideoLimits(memory_bytes=110_000_000), watch=Unwatched()).frames(
            video, Sampling(), PREPROCESS
        ):
            pass


async def test_given_too_much_processor_time_when_read_then_it_is_stopped(
    children: ChildPool, make_clip: MakeClip
) -> None:
    video = make_clip("long.mp4", [("red", 240)])
    with pytest.raises(OverLimit) as raised:
        async for _ in ChildFrameReader(children, VideoLimits(decode_s=1), watch=Unwatched()).frames(
            video, Sampling(0.04, 1, sameness=0), PREPROCESS
        ):
            pass
    assert raised.value.quantity == "decode_s"


async def test_given_a_video_within_limits_when_read_then_it_is_whole(children: ChildPool, make_clip: MakeClip) -> None:
    video = make_clip("film.mp4", [("red", 4)])
    limits = VideoLimits(duration_s=4.1, frames=100, frame_px=160 * 120, memory_bytes=400_000_000)
    events = [
        event
        async for event in ChildFrameReader(children, limits, watch=Unwatched()).frames(video, Sampling(), PREPROCESS)
    ]
    assert len(events) == 18


async def test_given_a_job_cancelled_twice_when_ending_then_its_child_ends(children: ChildPool) -> None:
    lent: asyncio.Queue[Child] = asyncio.Queue()

    async def job() -> None:
        async with children.child() as child:
            lent.put_nowait(child)
            await asyncio.Event().wait()

    task = asyncio.create_task(job())
    child = await lent.get()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await children.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)
    assert child.process.stdin is not None
    assert child.process.stdin.is_closing()
