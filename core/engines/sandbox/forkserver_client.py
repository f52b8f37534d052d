"""The parent's side of the fork server: forked children with the interface of asyncio's processes. Linux only."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from core.engines.sandbox.forkserver import FORK, FORKED, NEWS, ORDER, REAP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOING_S = 3.0
"""How long a fork server may take to reap its children and end."""


class Process(Protocol):
    """What is needed of a child process; asyncio's own has it."""

    @property
    def pid(self) -> int:
        """Return its number; until it is waited for, no other process gets that."""
        ...

    @property
    def returncode(self) -> int | None:
        """Return its exit code, the negative signal that ended it, or None while it lives."""
        ...

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """Return the stream of its input."""
        ...

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """Return the stream of its output."""
        ...

    async def communicate(self) -> object:
        """Read what it still says, until it is silent for good, and wait for its end."""
        ...

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""
        ...


@dataclass(slots=True, eq=False)
class ForkedChild:
    """A forked child; implements Process."""

    pid: int
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    ended: asyncio.Future[int]
    reap: Callable[[int], None]
    """Frees its number: until then it can be killed without hitting another process that got the same."""
    returncode: int | None = None
    reaped: bool = False

    async def communicate(self) -> object:
        """Wait for its end. What it left unread is dropped: a process of its own that lives on could talk for ever."""
        return await self.wait()

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""
        code = await asyncio.shield(self.ended)
        self.stdin.close()
        if not self.reaped:
            self.reaped = True
            self.reap(self.pid)
        return code


@dataclass(slots=True, eq=False)
class ForkServerClient:
    """A running fork server."""

    process: asyncio.subprocess.Process
    orders: socket.socket
    forked_pids: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    children: dict[int, ForkedChild] = field(default_factory=dict)
    early: dict[int, int] = field(default_factory=dict)
    """Exit codes of children that ended before they were known here."""
    listening: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    forked_any: bool = False
    """Whether it forked a child."""

    @classmethod
    async def open(cls, module: str, environment: Mapping[str, str]) -> ForkServerClient:
        """Start the fork server of a module; it imports in the background."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "core.engines.sandbox.forkserver",
                module,
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        client = cls(process, ours)
        client.listening = asyncio.create_task(client._listen())
        return client

    @property
    def alive(self) -> bool:
        """Return whether it can still fork children."""
        return self.listening is not None and not self.listening.done()

    async def fork(self, read_ahead_bytes: int) -> ForkedChild:
        """Fork a child. Raises ConnectionError when the fork server is gone."""
        forked = asyncio.ensure_future(self._fork(read_ahead_bytes))
        try:
            return await asyncio.shield(forked)
        except asyncio.CancelledError:
            forked.add_done_callback(_abandon)  # forks come in the order of orders: this one must be waited for
            raise

    async def close(self) -> None:
        """End the fork server; its children are ended by the pool.

        One that forked children is asked to end, and reaps them before it does: not every system has a first process
        that reaps what is left over.
        """
        if self.forked_any:
            await self._ask_to_end()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        if self.listening is not None:
            await asyncio.gather(self.listening, return_exceptions=True)
        self.orders.close()

    async def _ask_to_end(self) -> None:
        with suppress(OSError):  # it ended by itself
            self.orders.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), GOING_S)

    async def _fork(self, read_ahead_bytes: int) -> ForkedChild:
        ours, theirs = socket.socketpair()
        try:
            async with self.turn:
                with theirs:
                    socket.send_fds(self.orders, [ORDER.pack(FORK, 0)], [theirs.fileno()])
                pid = await self._forked_pid()
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=read_ahead_bytes)
        except BaseException:
            ours.close()
            raise
        self.forked_any = True
        child = ForkedChild(pid, writer, reader, asyncio.get_running_loop().create_future(), self._reap)
        self.children[pid] = child
        if pid in self.early:
            self._note_end(pid, self.early.pop(pid))
        return child

    async def _forked_pid(self) -> int:
        """Wait for the next fork, or for the end of the fork server."""
        if self.listening is None:
            raise ConnectionError("no fork server")
        forked = asyncio.ensure_future(self.forked_pids.get())
        await asyncio.wait({forked, self.listening}, return_when=asyncio.FIRST_COMPLETED)
        if not forked.done():
            forked.cancel()
            raise ConnectionError("the fork server is gone")
        return forked.result()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while news := await loop.sock_recv(self.orders, NEWS.size):
                kind, pid, code = NEWS.unpack(news)
                if kind == FORKED:
                    self.forked_pids.put_nowait(pid)
                elif pid in self.children:
                    self._note_end(pid, code)
                else:
                    self.early[pid] = code
        for pid in tuple(self.children):  # nothing else can tell how they end
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self._note_end(pid, -signal.SIGKILL)

    def _note_end(self, pid: int, code: int) -> None:
        child = self.children.pop(pid)
        child.returncode = code
        child.ended.set_result(code)

    def _reap(self, pid: int) -> None:
        with suppress(OSError):  # then the fork server is gone, and so are its children
            self.orders.send(ORDER.pack(REAP, pid))


def _abandon(forked: asyncio.Future[ForkedChild]) -> None:
    """Close the input of a child that is not wanted any more, upon which it ends by itself."""
    if not forked.cancelled() and forked.exception() is None:
        child = forked.result()
        child.stdin.close()
        child.ended.add_done_callback(lambda _ended: child.reap(child.pid))
