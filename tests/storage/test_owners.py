"""What a process had taken up that died is free at once; what a living one works on is not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from core.model.requests import MessageKey, Request
from core.model.video import Scope
from storage.data_folder import Owners
from storage.jobs import SqliteJobs
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from pathlib import Path

    from storage.library import SqliteLibrary

WORKER = """
import asyncio, sys, time
from pathlib import Path
from core.model.requests import Request
from core.model.requests import MessageKey
from core.model.video import Scope
from storage.jobs import SqliteJobs
from storage.messages import SqliteLedger
from storage.library import SqliteLibrary
from storage.data_folder import Owners

async def main():
    library = await SqliteLibrary.open(Path(sys.argv[1]))
    ledger = SqliteLedger(library.connections)
    with Owners.of(library.connections.path).alive(ledger.run):
        jobs = SqliteJobs(library.connections, ledger.run, time.time, is_bot=False)
        key = MessageKey(Scope("local", "home", "main"), "", "command:1")
        await jobs.accept(Request(key, "link", "https://films.test/one", "", "operator", "you", ""))
        print("taken", flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_commands_request_is_free_once_it_is_killed_and_not_before(
    library: SqliteLibrary,
) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    path = str(library.connections.path)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, path, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"taken\n"
        jobs = SqliteJobs(library.connections, "the next run", time.time, is_bot=True)
        assert await jobs.left("local") == ()
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        (left,) = await jobs.left("local")
        taken = await jobs.accept(left.request)
        assert taken is not None
        assert (taken.id, await jobs.left("local")) == (left.id, ())
    finally:
        with suppress(ProcessLookupError):
            worker.kill()


async def test_a_request_with_no_known_owner_is_free_when_its_lease_runs_out(library: SqliteLibrary) -> None:
    """As an earlier version left it, which held no file."""
    now_s = [time.time()]
    run = SqliteLedger(library.connections).run
    command = SqliteJobs(library.connections, run, lambda: now_s[0], is_bot=False)
    key = MessageKey(Scope("local", "home", "main"), "", "command:1")
    await command.accept(Request(key, "link", "https://films.test/one", "", "operator", "you", ""))
    bot = SqliteJobs(library.connections, "the next run", lambda: now_s[0], is_bot=True)
    assert await bot.left("local") == ()
    now_s[0] += 61
    assert len(await bot.left("local")) == 1


def test_an_orderly_end_leaves_no_file_and_a_living_process_is_not_dead(tmp_path: Path) -> None:
    owners = Owners(tmp_path / "owners")
    assert owners.dead() == frozenset()
    with owners.alive("one"), owners.alive("two"):
        (tmp_path / "owners" / "three").touch()
        assert owners.dead() == {"three"}
        owners.bury({"three"})
    assert list((tmp_path / "owners").iterdir()) == []
