"""Runs the shipped entry point as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_STOP_S = 60.0


class Platform(Protocol):
    """A small chat platform that the program talks to."""

    trouble: str
    """Why nobody need wait any longer, or ""."""

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings that point Keaton there."""
        ...

    @property
    def connections(self) -> int:
        """Count the connections that were made."""
        ...

    def moved(self) -> None:
        """Have those who wait look again."""
        ...

    async def until(self, found: Callable[[], T | None], what: str) -> T:
        """Wait until something is there, and give it."""
        ...


class Process(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int:
        """Give its number."""
        ...

    @property
    def returncode(self) -> int | None:
        """Give the exit code once it has ended."""
        ...

    def send_signal(self, number: signal.Signals, /) -> None:
        """Send it a signal."""
        ...

    async def wait(self) -> int:
        """Wait for its end; give the exit code."""
        ...


class Program:
    """`python -m bot run` with one data folder; it can be stopped, killed and started again."""

    def __init__(self, fake: Platform, folder: Path) -> None:
        self._fake = fake
        self._folder = folder
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self.settings = {
            "KEATON_MODEL": "demo",
            "KEATON_DATA_DIR": str(folder / "data"),
            "KEATON_DEVICE": "cpu",
            "KEATON_TURNS_A_MINUTE": "100",
        }

    @property
    def data(self) -> Path:
        """Give its data folder."""
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """Give the number of its process, which must run."""
        assert self._process is not None
        return self._process.pid

    @property
    def worked_s(self) -> float:
        """Give the processor seconds that its process, which must run, has had."""
        counted = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(counted[11]) + int(counted[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """All that the program has logged."""
        return (self._folder / "log").read_text()

    async def start(self, **more: str) -> None:
        """Start it, without waiting for anything."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = await self._spawn({**environment, **self._fake.environment, **self.settings, **more})
        self._fake.trouble = ""
        self._watching = asyncio.create_task(self._watch(self._process))

    async def _spawn(self, environment: dict[str, str]) -> Process:
        with (self._folder / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", stdout=log, stderr=log, env=environment
            )

    async def ensure_running(self) -> None:
        """Start it where it does not run, and wait until it is connected."""
        if self._process is None:
            before = self._fake.connections
            await self.start()
            await self._fake.until(lambda: self._fake.connections > before, "a connection")

    async def stop(self) -> int:
        """Ask it to stop, as Ctrl+C does; give the exit code."""
        return await self._end(signal.SIGINT)

    async def kill(self) -> None:
        """Let it die in the middle of things."""
        await self._end(signal.SIGKILL)

    def die(self) -> None:
        """Let it die this very instant; `kill` is still to be called, to wait for its end."""
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it do nothing at all for now."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait until it ends by itself."""
        assert self._process is not None
        process, self._process = self._process, None
        return await asyncio.wait_for(process.wait(), 90)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.returncode is None:
            process.send_signal(number)
        return await asyncio.wait_for(process.wait(), _STOP_S)

    async def _watch(self, process: Process) -> None:
        """Let nobody wait for a program that has ended by itself."""
        code = await process.wait()
        if process is self._process and code != -signal.SIGKILL:
            self._process = None
            self._fake.trouble = f"the program ended by itself with {code}: {self.log[-600:]}"
            self._fake.moved()
