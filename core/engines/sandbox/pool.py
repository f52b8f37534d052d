"""Starts, keeps warm and kills child processes. A child does one job and is thrown away."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.concurrency import BATCH_S
from core.engines.sandbox import protocol
from core.engines.sandbox.forkserver_client import ForkServerClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.concurrency import ForegroundPriority
    from core.engines.sandbox.forkserver_client import Process

logger = logging.getLogger(__name__)

_NICENESS = 10
_READ_AHEAD_BYTES = 1 << 20
"""Beyond twice this the parent stops reading, the pipe fills, and the child waits."""


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """One process, in a session of its own."""

    process: Process

    @property
    def alive(self) -> bool:
        """Return whether it has not ended yet."""
        return self.process.returncode is None

    async def ask(self, request: Mapping[str, object]) -> None:
        """Send its one request. A child that is gone already is noticed by `receive`."""
        stdin = self.process.stdin
        if stdin is None:
            raise RuntimeError("the child was started without a pipe")
        with suppress(ConnectionError):
            stdin.write(json.dumps(request).encode() + b"\n")
            await stdin.drain()

    async def receive(self, timeout_s: float, most_bytes: int = 0) -> protocol.ChildMessage | None:
        """Return its next message, with so many bytes after the header at most, or None when it ended.

        Raises TimeoutError and GarbledError.
        """
        if self.process.stdout is None:
            raise RuntimeError("the child was started without a pipe")
        async with asyncio.timeout(timeout_s):
            return await protocol.receive(self.process.stdout, most_bytes)

    async def ending(self) -> str:
        """Return how a child that went silent came to its end: "exit code 1" or "signal SIGSEGV"."""
        code = await self.process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """Kill it and all that it started."""
        self._tell(signal.SIGKILL)

    async def make_way(self, priority: ForegroundPriority) -> None:
        """Stop it while people wait for an answer; where they always do, half of the time."""
        while True:
            await priority.asked()
            self._tell(signal.SIGSTOP)
            await priority.after_you(BATCH_S)
            self._tell(signal.SIGCONT)
            await priority.after_you(BATCH_S)

    def _tell(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    async def reap(self) -> None:
        """Wait until it is gone, reading what it left in the pipe so that the pipe closes."""
        with suppress(ConnectionError, RuntimeError):  # the latter where its user still reads, and so empties the pipe
            await self.process.communicate()
        await self.process.wait()


@dataclass(slots=True, eq=False)
class ChildPool:
    """Children that run one module, with one spare, if so wished, that has done its imports."""

    module: str
    """Run with `python -m`.

    It reads one JSON line from stdin and answers with `core.engines.sandbox.protocol` messages.
    """
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beyond what Python needs; of the parent's own environment a child sees nothing else."""
    keep_spare: bool = True
    gives_way: bool = False
    """Others have the processor first, also while a child starts."""
    forks: bool = False
    """Fork children from a process that has done its imports, which takes the place of the spare. Linux only; the
    module must have `prepare` and `serve` (`core.engines.sandbox.forkserver`)."""
    priority: ForegroundPriority | None = None
    """Jobs of `giving_way` stand still for it; None where no questions are asked. Only forked children can: a
    stopped process does not notice that its parent died, but is killed by its fork server."""
    _fork_server: ForkServerClient | None = None
    _spare: Child | None = None
    _living: set[Child] = field(default_factory=set)
    _reaping: set[asyncio.Task[None]] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closed: bool = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of all children that live, the spare among them."""
        return tuple(child.process.pid for child in self._living)

    @property
    def fork_server_pid(self) -> int | None:
        """The process id of what children are forked from; None where there is none."""
        return self._fork_server.process.pid if self._fork_server else None

    async def warm(self) -> None:
        """Start the spare, so that the first job need not wait for imports."""
        async with self._lock:
            if self.forks and not self._closed:
                await self._server()
            elif self.keep_spare and self._spare is None and not self._closed:
                self._spare = await self._spawn()

    @asynccontextmanager
    async def child(self) -> AsyncIterator[Child]:
        """Lend a child for one job; it is dead afterwards, whatever happens. Raises RuntimeError once closed."""
        child = await self._take()
        logger.debug("child %d takes up work as %s", child.process.pid, self.module)
        try:
            await self.warm()
            yield child
        finally:
            await self._end(child)
            logger.debug("child %d is gone", child.process.pid)

    @asynccontextmanager
    async def giving_way(self) -> AsyncIterator[Child]:
        """Lend a child likewise, for a job in the background."""
        async with self.child() as child:
            if self.priority is None or not self.forks:
                yield child
                return
            making_way = asyncio.create_task(child.make_way(self.priority))
            try:
                yield child
            finally:
                making_way.cancel()

    async def close(self) -> None:
        """Kill all children and wait until they are gone."""
        self._closed = True
        self._spare = None
        for child in tuple(self._living):
            await self._end(child)
        await asyncio.gather(*self._reaping, return_exceptions=True)
        async with self._lock:
            if self._fork_server is not None:
                await self._fork_server.close()

    async def _take(self) -> Child:
        async with self._lock:
            if self._closed:
                raise RuntimeError(f"no more children for {self.module}: closed")
            spare, self._spare = self._spare, None
            if spare is not None and spare.alive:
                return spare
            return await self._spawn()

    async def _end(self, child: Child) -> None:
        if child in self._living:
            self._living.remove(child)
            child.kill()
        # The caller may be cancelled meanwhile, or again; the child is waited for all the same.
        reaping = asyncio.create_task(child.reap())
        self._reaping.add(reaping)
        reaping.add_done_callback(self._reaping.discard)
        await asyncio.shield(reaping)

    async def _server(self) -> ForkServerClient:
        """Return the fork server, a new one where there is none or it died."""
        if self._fork_server is not None and not self._fork_server.alive:
            await self._fork_server.close()
            self._fork_server = None
        if self._fork_server is None:
            self._fork_server = await ForkServerClient.open(self.module, {**_bare_environment(), **self.environment})
        return self._fork_server

    async def _spawn(self) -> Child:
        child = Child(await self._forked() if self.forks else await self._started())
        self._living.add(child)
        if self.gives_way:
            with suppress(OSError):  # it is gone already
                os.setpriority(os.PRIO_PROCESS, child.process.pid, _NICENESS)
        return child

    async def _forked(self) -> Process:
        try:
            return await (await self._server()).fork(_READ_AHEAD_BYTES)
        except ConnectionError:  # it died meanwhile: once more, with a new one
            return await (await self._server()).fork(_READ_AHEAD_BYTES)

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            self.module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**_bare_environment(), **self.environment},
            start_new_session=True,
            limit=_READ_AHEAD_BYTES,
        )


def _bare_environment() -> dict[str, str]:
    """Return what Python needs to find itself and our packages, and nothing that is secret."""
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    # One thread at the start: with more, the system lets only root leave the network.
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {"PATH": os.defpath, "PYTHONPATH": paths, "PYTHONUTF8": "1", "LANG": "C.UTF-8", **threads}
