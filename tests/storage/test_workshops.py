"""A workshop is a folder for one task, and is gone after it, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from storage.media import MediaFolder

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_workshop_is_empty_and_gone_afterwards_even_after_an_error(media: MediaFolder) -> None:
    async with media.workshop() as first, media.workshop() as second:
        assert first != second
        assert list(first.iterdir()) == []
        (first / "part").write_bytes(b"x")
        (first / "deep").mkdir()
    assert not first.exists()
    with pytest.raises(RuntimeError):
        await _fail_in(media)
    assert list(first.parent.glob("tmp*")) == []


async def test_a_workshop_is_gone_after_its_task_was_cancelled(media: MediaFolder) -> None:
    entered: asyncio.Future[Path] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with media.workshop() as folder:
            entered.set_result(folder)
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    folder = await entered
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not folder.exists()


async def test_an_error_inside_a_workshop_stays_what_it_is(media: MediaFolder) -> None:
    with pytest.raises(ConnectionResetError):
        await _fail_in(media, ConnectionResetError())


KILLED = """
import asyncio, sys
from pathlib import Path
from storage.media import MediaFolder

async def main():
    media = await MediaFolder.open(Path(sys.argv[1]), 1000)
    async with media.workshop() as folder:
        (folder / "part").write_bytes(b"half a video")
        print(folder, flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""


async def test_a_dead_processs_workshop_is_swept_and_a_living_ones_is_kept(
    tmp_path: Path,
) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = (sys.executable, "-c", KILLED, str(tmp_path))
    worker = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    assert worker.stdout is not None
    folder = tmp_path / ".work" / (await worker.stdout.readline()).decode().strip().rsplit("/", 1)[-1]

    await (await MediaFolder.open(tmp_path, 1000)).close()
    assert (folder / "part").exists()

    worker.send_signal(signal.SIGKILL)
    await worker.communicate()
    assert (folder / "part").exists()
    await (await MediaFolder.open(tmp_path, 1000)).close()
    assert not folder.exists()


async def _fail_in(media: MediaFolder, error: Exception | None = None) -> None:
    async with media.workshop() as folder:
        (folder / "part").write_bytes(b"x")
        raise error or RuntimeError
