"""Children live for one job, leave nothing behind, and their failures become Keaton's errors."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.concurrency import ForegroundPriority
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.errors import DecoderDied
from core.model.video import Sampling
from core.ports.metrics import Unwatched
from core.ports.video import SampledFrame, VideoEnded, VideoOpened
from tests.core.engines.conftest import PREPROCESS
from tests.support.fakes import NotingWatch

if TYPE_CHECKING:
    from tests.conftest import MakeClip

pytestmark = pytest.mark.slow


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ends(pid: int, within_s: float) -> bool:
    """Tell whether a process that is not our child ends in time; whoever adopted it may leave a zombie."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)


async def left_by(program: str) -> int:
    """Run a program that names a child of its own and dies; give the child's number."""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    said, _ = await parent.communicate()
    return int(said)


def seen_environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_given_a_video_when_read_in_a_child_then_opened_frames_ended(
    reader: ChildFrameReader, colour_video: Path
) -> None:
    events = [event async for event in reader.frames(colour_video, Sampling(), PREPROCESS)]
    assert isinstance(events[0], VideoOpened)
    assert isinstance(events[-1], VideoEnded)
    samples = [event for event in events if isinstance(event, SampledFrame)]
    assert len(samples) == 16
    assert samples[8].pixels.shape == (64, 64, 3)
    still = await reader.still(colour_video, samples[8].time_s, 1280)
    assert still.time_s == samples[8].time_s


async def test_given_a_metrics_port_when_a_video_is_read_then_it_is_timed(
    reader: ChildFrameReader, colour_video: Path
) -> None:
    watch = NotingWatch()
    watched = replace(reader, watch=watch)
    async for _ in watched.frames(colour_video, Sampling(), PREPROCESS):
        pass
    await watched.still(colour_video, 0.0, 64)
    assert watch.stages == ["read", "still"]


async def test_given_a_dropped_reading_when_closed_then_only_a_spare_lives(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    video = make_clip("long.mp4", [("red", 20)])
    reading = reader.frames(video, Sampling(0.04, 1, sameness=0), PREPROCESS)
    await anext(reading)
    working = reader.children.pids
    await reading.aclose()
    assert len(reader.children.pids) == len(working) - 1 == (0 if reader.children.forks else 1)
    assert sum(ends(pid, 0) for pid in working) == 1


async def test_given_a_reading_when_cancelled_then_its_child_is_killed(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    video = make_clip("long.mp4", [("red", 20)])
    began = asyncio.Event()

    async def read() -> None:
        async for _ in reader.frames(video, Sampling(0.04, 1, sameness=0), PREPROCESS):
            began.set()

    task = asyncio.create_task(read())
    await began.wait()
    working = reader.children.pids
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sum(ends(pid, 0) for pid in working) == 1


@pytest.mark.parametrize("forks", [True, False])
async def test_given_children_when_the_pool_closes_then_no_zombie_is_left(colour_video: Path, forks: bool) -> None:
    children = ChildPool("core.engines.video.worker", forks=forks)
    await children.warm()
    await ChildFrameReader(children, watch=Unwatched()).still(colour_video, 0.0, 100)
    living = [*children.pids, *([children.fork_server_pid] if children.fork_server_pid else [])]
    await children.close()
    assert living
    assert all(gone(pid) for pid in living)
    with pytest.raises(RuntimeError):
        await ChildFrameReader(children, watch=Unwatched()).still(colour_video, 0.0, 100)


async def test_given_a_reading_when_the_pool_closes_then_it_ends_in_an_error(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    video = make_clip("long.mp4", [("red", 20)])
    began = asyncio.Event()

    async def read() -> None:
        async for _ in reader.frames(video, Sampling(0.04, 1, sameness=0), PREPROCESS):
            began.set()

    task = asyncio.create_task(read())
    await began.wait()
    await reader.children.close()
    with pytest.raises(DecoderDied):
        await task
    assert not reader.children.pids


async def test_given_a_dead_fork_server_when_asked_then_a_new_one_forks(
    colour_video: Path, make_clip: MakeClip
) -> None:
    children = ChildPool("core.engines.video.worker", forks=True)
    reader = ChildFrameReader(children, watch=Unwatched())
    reading = reader.frames(make_clip("long.mp4", [("red", 20)]), Sampling(0.04, 1, sameness=0), PREPROCESS)
    await anext(reading)
    (child,) = children.pids
    assert children.fork_server_pid
    os.kill(children.fork_server_pid, signal.SIGKILL)
    with pytest.raises(DecoderDied):
        async for _ in reading:
            pass
    assert await asyncio.to_thread(ends, child, 20)
    assert (await reader.still(colour_video, 0.0, 100)).jpeg
    await children.close()


async def test_given_many_children_at_once_when_asked_then_each_does_its_job(colour_video: Path) -> None:
    children = ChildPool("core.engines.video.worker", forks=True)
    reader = ChildFrameReader(children, watch=Unwatched())
    stills = await asyncio.gather(*(reader.still(colour_video, time_s, 100) for time_s in range(8)))
    assert [round(still.time_s) for still in stills] == list(range(8))
    assert not children.pids
    await children.close()


@pytest.mark.parametrize("forks", ["True", "False"])
async def test_given_a_killed_parent_when_it_is_gone_then_the_child_dies(tmp_path: Path, forks: str) -> None:
    os.mkfifo(tmp_path / "silent.mp4")  # opening it waits for a writer that never comes
    program = (
        "import asyncio, os\n"
        "from core.engines.sandbox.pool import ChildPool\n"
        "async def main():\n"
        f"    children = ChildPool('core.engines.video.worker', forks={forks})\n"
        "    async with children.child() as child:\n"
        f"        await child.ask({{'kind': 'still', 'time_s': 0, 'max_px': 9, 'path': '{tmp_path}/silent.mp4'}})\n"
        "        print(child.process.pid, flush=True)\n"
        "        os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    assert await asyncio.to_thread(ends, await left_by(program), 20)


def stands_still(pid: int, within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T":
            return True
    return False


async def test_given_a_background_child_when_people_ask_then_it_is_stopped(colour_video: Path) -> None:
    priority = ForegroundPriority(0.0, time.monotonic)
    children = ChildPool("core.engines.video.worker", forks=True, priority=priority)
    reader = ChildFrameReader(children, watch=Unwatched())
    async with children.giving_way() as child:
        with priority.asking():
            assert await asyncio.to_thread(stands_still, child.process.pid, 20)
            assert (await reader.still(colour_video, 1.0, 100)).time_s == 1.0
        await child.ask({"kind": "sandbox", "path": "", "asker": os.getpid(), "limits": asdict(reader.limits)})
        told = await child.receive(20)
        assert told is not None
        assert told.kind == "sandbox"
    await children.close()


NOT_YET = """
import os, signal, sys, time
from core.engines.sandbox.namespaces import Numbering
numbering = Numbering.begin()
child = os.fork()
if child == 0:
    time.sleep(300)
os.kill(child, signal.SIGSTOP)
print(child, flush=True)
numbering.end()
os._exit(0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may always number its children anew")
async def test_given_a_child_stopped_at_its_first_step_then_it_still_dies() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", NOT_YET, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    child = int(await parent.stdout.readline())
    try:
        assert await asyncio.to_thread(ends, child, 20)
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        await parent.wait()


@pytest.mark.parametrize("who", ["child.process.pid", "children.fork_server_pid"])
async def test_given_a_stopped_child_when_the_parent_dies_then_all_die(
    who: str,
) -> None:
    program = (
        "import asyncio, os\n"
        "from pathlib import Path\n"
        "from core.concurrency import ForegroundPriority\n"
        "from core.engines.sandbox.pool import ChildPool\n"
        "async def main():\n"
        "    priority = ForegroundPriority(0.0, float)\n"
        "    children = ChildPool('core.engines.video.worker', forks=True, priority=priority)\n"
        "    async with children.giving_way() as child:\n"
        "        with priority.asking():\n"
        "            stat = Path('/proc', str(child.process.pid), 'stat')\n"
        "            while stat.read_text().rpartition(') ')[2][0] != 'T':\n"
        "                await asyncio.sleep(0)\n"
        f"            print({who}, flush=True)\n"
        "            os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    assert await asyncio.to_thread(ends, await left_by(program), 20)


@pytest.mark.parametrize("forks", [True, False])
async def test_given_secrets_in_the_environment_when_forked_then_unseen(
    monkeypatch: pytest.MonkeyPatch, forks: bool
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    children = ChildPool("core.engines.video.worker", forks=forks)
    async with children.child() as child:
        assert b"secret" not in seen_environment(child.process.pid)
    await children.close()


async def test_given_a_killed_child_when_read_then_its_signal_is_named(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    video = make_clip("long.mp4", [("red", 20)])
    reading = reader.frames(video, Sampling(0.04, 1, sameness=0), PREPROCESS)
    await anext(reading)
    for pid in reader.children.pids:
        os.killpg(pid, signal.SIGKILL)
    with pytest.raises(DecoderDied) as raised:
        async for _ in reading:
            pass
    assert raised.value.name == "long.mp4"
    assert "SIGKILL" in raised.value.detail
