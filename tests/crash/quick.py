"""Starts the program many times without importing its libraries each time: forked from a server that has done so.

What runs is the shipped entry point, in a process of its own that can be killed like any other.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

from tests.support.discord.program import Program

if TYPE_CHECKING:
    import signal
    from multiprocessing.context import ForkServerProcess

_IMPORTED = [
    "core.engines.clip.model",
    "discord",
    "bot.cli.program",
    "bot.cli.index",
    "bot.cli.find",
    "bot.cli.lists",
    "bot.cli.run",
    "bot.discord.client",
]


def _run(log: str, environment: dict[str, str]) -> None:
    """Be `python -m bot run` from here on."""
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["keaton", "run"]
    from bot.__main__ import main  # noqa: PLC0415 - imported by the server long ago

    main()


class Forked:
    """A process as `asyncio.subprocess.Process` is one, as far as Program needs it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Return its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Return the exit code once it has ended."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for its end; return the exit code."""
        while self._process.exitcode is None:  # noqa: ASYNC110 - the fork server tells nobody
            await asyncio.sleep(0.01)
        return self._process.exitcode


class QuickProgram(Program):
    """The program, forked from a server."""

    async def _spawn(self, environment: dict[str, str]) -> Forked:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        process = context.Process(target=_run, args=(str(self._folder / "log"), environment))
        await asyncio.to_thread(process.start)
        return Forked(process)
