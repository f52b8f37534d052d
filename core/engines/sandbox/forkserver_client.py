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

from core.engines.sandbox.forkserver import BEAR, BORN, BURY, NEWS, ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOING_S = 3.0
"""How long a nursery may take to bury its dead and go."""


class Process(Protocol):
    """What is needed of a child process; asyncio's own has it."""

    @property
    def pid(self) -> int:
        """Give its number; while it was not waited for, nobody else gets that."""
        ...

    @property
    def returncode(self) -> int | None:
        """Give its exit code, the negative signal that ended it, or None while it lives."""
        ...

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """Give where it hears."""
        ...

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """Give where it speaks."""
        ...

    async def communicate(self) -> object:
        """Read what it still says, until it is silent for good, and wait for its end."""
        ...

    async def wait(self) -> int:
        """Wait for its end; give its exit code."""
        ...


@dataclass(slots=True, eq=False)
class Forked:
    """A forked child; implements Process."""

    pid: int
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    ended: asyncio.Future[int]
    bury: Callable[[int], None]
    """Lets its number go: until then it can be killed without hitting a stranger that got the same."""
    returncode: int | None = None
    buried: bool = False

    async def communicate(self) -> object:
        """Wait for its end. What it left unread is dropped: a process of its own that lives on could talk for ever."""
        return await self.wait()

    async def wait(self) -> int:
        """Wait for its end; give its exit code."""
        code = await asyncio.shield(self.ended)
        self.stdin.close()
        if not self.buried:
            self.buried = True
            self.bury(self.pid)
        return code


@dataclass(slots=True, eq=False)
class ForkServerClient:
    """A running nursery."""

    process: asyncio.subprocess.Process
    orders: socket.socket
    births: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    children: dict[int, Forked] = field(default_factory=dict)
    early: dict[int, int] = field(default_factory=dict)
    """Exit codes of children that ended before they were known here."""
    listening: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    bore: bool = False
    """Whether a child was born to it."""

    @classmethod
    async def open(cls, module: str, environment: Mapping[str, str]) -> ForkServerClient:
        """Start the nursery of a module; it imports in the background."""
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
        nursery = cls(process, ours)
        nursery.listening = asyncio.create_task(nursery._listen())
        return nursery

    @property
    def alive(self) -> bool:
        """Tell whether it can still bear children."""
        return self.listening is not None and not self.listening.done()

    async def bear(self, read_ahead_bytes: int) -> Forked:
        """Fork a child. Raises ConnectionError when the nursery is gone."""
        birth = asyncio.ensure_future(self._bear(read_ahead_bytes))
        try:
            return await asyncio.shield(birth)
        except asyncio.CancelledError:
            birth.add_done_callback(_abandon)  # births come in the order of orders, so this one must be waited for
            raise

    async def close(self) -> None:
        """End the nursery; its children are somebody else's care.

        One that bore children is asked to go, and buries before it does: not every system has somebody who buries
        what is left over.
        """
        if self.bore:
            await self._ask_to_go()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        if self.listening is not None:
            await asyncio.gather(self.listening, return_exceptions=True)
        self.orders.close()

    async def _ask_to_go(self) -> None:
        with suppress(OSError):  # it went by itself
            self.orders.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), GOING_S)

    async def _bear(self, read_ahead_bytes: int) -> Forked:
        ours, theirs = socket.socketpair()
        try:
            async with self.turn:
                with theirs:
                    socket.send_fds(self.orders, [ORDER.pack(BEAR, 0)], [theirs.fileno()])
                pid = await self._born()
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=read_ahead_bytes)
        except BaseException:
            ours.close()
            raise
        self.bore = True
        child = Forked(pid, writer, reader, asyncio.get_running_loop().create_future(), self._bury)
        self.children[pid] = child
        if pid in self.early:
            self._note_end(pid, self.early.pop(pid))
        return child

    async def _born(self) -> int:
        """Wait for the next birth, or for the end of the nursery."""
        if self.listening is None:
            raise ConnectionError("no nursery")
        birth = asyncio.ensure_future(self.births.get())
        await asyncio.wait({birth, self.listening}, return_when=asyncio.FIRST_COMPLETED)
        if not birth.done():
            birth.cancel()
            raise ConnectionError("the nursery is gone")
        return birth.result()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while news := await loop.sock_recv(self.orders, NEWS.size):
                kind, pid, code = NEWS.unpack(news)
                if kind == BORN:
                    self.births.put_nowait(pid)
                elif pid in self.children:
                    self._note_end(pid, code)
                else:
                    self.early[pid] = code
        for pid in tuple(self.children):  # with the nursery went whoever could tell how they end
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self._note_end(pid, -signal.SIGKILL)

    def _note_end(self, pid: int, code: int) -> None:
        child = self.children.pop(pid)
        child.returncode = code
        child.ended.set_result(code)

    def _bury(self, pid: int) -> None:
        with suppress(OSError):  # then the nursery is gone, and so are its dead
            self.orders.send(ORDER.pack(BURY, pid))


def _abandon(birth: asyncio.Future[Forked]) -> None:
    """Hang up on a child that nobody wants any more, upon which it ends by itself."""
    if not birth.cancelled() and birth.exception() is None:
        child = birth.result()
        child.stdin.close()
        child.ended.add_done_callback(lambda _ended: child.bury(child.pid))
