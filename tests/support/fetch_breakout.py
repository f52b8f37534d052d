"""A fetching child that was taken over: it tries what the sandbox is there against, and says what it could do.

Run as a program with a word, it is the parent: `python -m tests.support.fetch_breakout whole`, "free" for a child
without a sandbox, "container" for a system that gives no namespaces. It prints what the child could do, as JSON.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.engines.download import network_guard, worker
from core.engines.sandbox import forkserver, kernel_filters, namespaces, protocol
from core.engines.sandbox.pool import ChildPool
from core.limits import FetchLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORKS = 450
_VSOCK, _MPTCP = 40, 262
_IS_X86 = os.uname().machine == "x86_64"
_SHMGET, _MSGGET, _IOPRIO_SET, _IOPRIO_GET = (29, 68, 251, 252) if _IS_X86 else (194, 186, 30, 31)
_PRCTL_PARENT_DEATH = 1
_IDLE_IO = 3 << 13
_libc = ctypes.CDLL(None, use_errno=True)


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up what a fetching child does, unless it shall be free."""
    return request if os.environ["PART"] == "free" else worker.shut_in(request)


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Try everything, and send what worked; then say whether what fetching needs works still."""
    parent, folder = int(str(request["parent"])), Path(str(request["folder"]))
    tried = _on_parent(parent) | _on_sockets(folder.parent / "server", int(str(request["port"])))
    done = [name for name, act in (tried | _on_system(folder)).items() if _works(act)]
    os.environ.update(HOME=str(folder), DENO_DIR=str(folder))
    runtime = worker.runtime()
    call = [runtime, "eval", "console.log(6*7)"]
    said = subprocess.run(call, capture_output=True, text=True, check=False).stdout.strip() if runtime else "42"
    names = socket.getaddrinfo("localhost", 80)[0][4][0] in {"127.0.0.1", "::1"}
    works = {"deno": said, "names": names, "addresses": len(network_guard.own_addresses()) > 0}
    protocol.send(out, {"kind": "tried", "done": done, **works})


def _works(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


def _on_parent(parent: int) -> dict[str, Callable[[], object]]:
    return {
        "bound the parent's files": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (500, 500)),
        "slow the parent": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        "bind the parent to a processor": lambda: os.sched_setaffinity(parent, {min(os.sched_getaffinity(0))}),
        "let all others go before the parent": lambda: os.sched_setscheduler(parent, os.SCHED_BATCH, os.sched_param(0)),
        "slow the parent's disk": lambda: _call(_IOPRIO_SET, 1, parent, _IDLE_IO),
        "signal the parent": lambda: os.kill(parent, 0),
    }


def _on_sockets(server: Path, port: int) -> dict[str, Callable[[], object]]:
    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as plug:
            plug.connect(str(server))

    def send() -> None:
        for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
            end.sendto(b"!", str(server) + "-datagrams")

    def connect_by_paths() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, _MPTCP) as plug:
            plug.connect(("127.0.0.1", port))

    return {
        "connect to a server's file": connect,
        "send to a server's file": send,
        "connect to another port": lambda: socket.create_connection(("127.0.0.1", port), 2),
        "connect to another port by several paths": connect_by_paths,
        "reach virtual machines": lambda: socket.socket(_VSOCK, socket.SOCK_STREAM),
        "read packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    }


def _on_system(folder: Path) -> dict[str, Callable[[], object]]:
    def leave_a_grandchild() -> None:
        _libc.prctl(_PRCTL_PARENT_DEATH, 0)
        child = os.fork()
        if child == 0:
            if _works(os.setsid) or os.fork() == 0:
                signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
                (folder.parent / "grandchild" if os.environ["PART"] == "free" else folder / "grandchild").touch()
                os.closerange(0, 256)  # so that nobody waits for what it says
                time.sleep(120)
            os._exit(0)

    def fork_often() -> None:
        born: list[int] = []
        try:
            while len(born) < _FORKS:
                born.append(os.fork() or os._exit(0))
        finally:
            for child in born:
                os.waitpid(child, 0)

    return {
        "leave its process group": lambda: os.setpgid(0, 0),
        "keep shared memory": lambda: _call(_SHMGET, 0, 4096, 0o1600),
        "keep messages": lambda: _call(_MSGGET, 0, 0o1600),
        "fork 450 times": fork_often,
        "leave a grandchild": leave_a_grandchild,
    }


def _call(number: int, *arguments: int) -> int:
    value = int(_libc.syscall(number, *arguments))
    if value < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return value


def _state() -> list[object]:
    """Give what others could change of this process."""
    scheduling = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), len(os.sched_getaffinity(0))
    return [*resource.getrlimit(resource.RLIMIT_NOFILE), *scheduling, _call(_IOPRIO_GET, 1, 0)]


async def attacked(place: Path, part: str) -> dict[str, object]:
    """Be the parent of one such child; give what it could do, and what became of us and of what it started."""
    folder, before, others = place / "job", _state(), _running()
    folder.mkdir()
    environment = {"PART": part, "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")}
    children = ChildPool("tests.support.fetch_breakout", environment, keep_spare=False)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as at_a_file,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as of_datagrams,
    ):
        at_a_file.bind(str(place / "server"))
        at_a_file.listen()
        of_datagrams.bind(str(place / "server-datagrams"))
        limits = {**asdict(FetchLimits(10**8, 60)), "sites": []}
        request = {"limits": limits, "allowed_hosts": [], "folder": str(folder), "parent": os.getpid()}
        async with children.child() as child:
            await child.ask({**request, "port": server.getsockname()[1]})
            told = await child.receive(60)
            ending = "" if told else await child.ending()
    await children.close()
    await asyncio.sleep(0.3)
    left = [process for process in _running() if process not in others]
    for process in left:
        os.kill(process, signal.SIGKILL)
    header = dict(told.header) if told else {"done": [ending]}
    return {**header, "changed": _state() != before, "left": len(left)}


def _running() -> list[int]:
    """Give the processes of this module beside this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, state = (process / "cmdline").read_bytes(), (process / "stat").read_text().rpartition(") ")[2][0]
        except OSError:
            continue
        if b"-m\0tests.support.fetch_breakout\0" in words and state != "Z" and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def main(part: str) -> None:
    """Attack, and print what came of it."""
    if part == "container":
        namespaces.forgo_privileges()
        kernel_filters.forgo_power()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(attacked(Path(folder), part))))  # noqa: T201 - for the test


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        forkserver.run(serve, shut_in)
