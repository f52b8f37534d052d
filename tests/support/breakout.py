"""A decoding child that was taken over: it tries all that the sandbox is there against, and says what it could do.

Run as a program, it is the parent too: `python -m tests.support.breakout WORDS`, with the words "free" for children
without a sandbox, "container" for a system that gives no namespaces, as Docker's default profile does, or "files",
"calls" or "spaces" for that part of the sandbox alone. It prints what the child could do and what came of it, as JSON.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import importlib
import json
import mmap
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.engines.diagnostics import check_sandbox
from core.engines.sandbox import kernel_filters, limits, namespaces, protocol
from core.engines.sandbox.pool import ChildPool
from core.engines.video import worker
from core.limits import VideoLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_CALLS = {"pidfd_open": 434, "pidfd_getfd": 438, "io_uring_setup": 425}
_CALLS |= {"ptrace": 101, "bpf": 321} if os.uname().machine == "x86_64" else {"ptrace": 117, "bpf": 280}
_PTRACE_SEIZE, _FORKS = 0x4206, 300
_TOKEN = "xoxb-a-token-of-the-parent"
_GROWS_DOWN = 0x100
_LATE = ("sqlite3", "xml.dom.minidom", "PIL.TiffImagePlugin")
"""Modules that are loaded after the sandbox was shut, with a shared library among them."""
_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t))


def prepare() -> None:
    """Give up what the decoder does before it forks."""
    if os.environ["PART"] in {"", "spaces"}:
        worker.prepare()


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up what a decoding child does."""
    namespaces.forgo_privileges()
    match os.environ["PART"]:
        case "":
            return worker.shut_in(request)
        case "files":
            kernel_filters.restrict_access(kernel_filters.Grant(read=limits.libraries()))
        case "calls":
            kernel_filters.keep_to_decoding()
        case "spaces":
            limits.be_nobody()
    return request


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Try everything, and send what worked."""
    parent, base = int(str(request["parent"])), Path(str(request["database"]))
    tried = {**_in_files(base), **_on_parent(parent, int(str(request["address"])), int(str(request["port"])))}
    tried |= _on_system(base.parent)
    done = [name for name, act in tried.items() if _works(act)]
    loaded = [importlib.import_module(name).__name__ for name in _LATE if name not in sys.modules]
    protocol.send(
        out, {"kind": "tried", "done": done, "loaded": loaded, "video": Path(str(request["path"])).read_text()}
    )


def _works(act: Callable[[], object]) -> bool:
    try:
        act()
    except (OSError, ValueError):
        return False
    return True


def _in_files(base: Path) -> dict[str, Callable[[], object]]:
    def write_by_mmap() -> None:
        with base.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            mapped[0] = ord("!")

    return {
        "read the database": base.read_bytes,
        "write the database by mmap": write_by_mmap,
        "empty the database": lambda: os.truncate(base, 0),
        "change its mode": lambda: base.chmod(0o777),
        "change its times": lambda: os.utime(base, (1, 1)),
        "rename a file": lambda: (base.parent / "renamed").rename(base.parent / "by me"),
        "delete a file": (base.parent / "deleted").unlink,
        "make a file": (base.parent / "made").touch,
        "make a link": lambda: (base.parent / "link").symlink_to(base),
        "list a folder": lambda: list(base.parent.iterdir()),
        "read passwords": Path("/etc/passwd").read_bytes,
        "read root's passwords": Path("/etc/shadow").read_bytes,
    }


def _on_parent(parent: int, address: int, port: int) -> dict[str, Callable[[], object]]:
    place = Path(f"/proc/{parent}")

    def write_memory() -> None:
        with (place / "mem").open("r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(b"!")

    def read_token() -> None:
        if _TOKEN.encode() not in (place / "environ").read_bytes():
            raise OSError("not there")

    def write_across() -> None:
        ours, theirs = ctypes.create_string_buffer(b"!"), _Vector(address, 1)
        mine = _Vector(ctypes.addressof(ours), 1)
        _checked(_libc.process_vm_writev(parent, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0))

    def rejoin_network() -> None:
        with (place / "ns" / "net").open() as network:
            _checked(_libc.setns(network.fileno(), _NEWNET))

    def rejoin_by_handle() -> None:
        _checked(_libc.setns(_call("pidfd_open", parent, 0), _NEWNET))

    return {
        "write the parent's memory": write_memory,
        "write the parent's memory by a call": write_across,
        "read the parent's token": read_token,
        "see the parent's files": lambda: [file.readlink() for file in (place / "fd").iterdir()],
        "take the parent's file": lambda: _call("pidfd_getfd", _call("pidfd_open", parent, 0), 0, 0),
        "trace the parent": lambda: _call("ptrace", _PTRACE_SEIZE, parent, 0, 0),
        "rejoin the network": rejoin_network,
        "rejoin the network by a handle": rejoin_by_handle,
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 2),
        "signal the parent": lambda: os.kill(parent, signal.SIGUSR1),
        "slow the parent": lambda: os.setpriority(os.PRIO_PROCESS, parent, 5),
    }


def _on_system(folder: Path) -> dict[str, Callable[[], object]]:
    def leave_a_grandchild() -> None:
        if os.fork() == 0:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            (folder / "grandchild").touch()
            time.sleep(30)
            os._exit(0)

    return {
        "share memory": lambda: mmap.mmap(-1, 1 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
        "have a stack that grows": lambda: mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _GROWS_DOWN),
        "map addresses without end": lambda: mmap.mmap(
            -1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ
        ),
        "start 600 threads": _start_threads,
        "fork 300 times": lambda: [os.fork() or os._exit(0) for _ in range(_FORKS)],
        "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "become a program": lambda: _reached(_libc.execv(b"/nowhere", (ctypes.c_char_p * 1)(None))),
        "leave its session": os.setsid,
        "have namespaces": lambda: _checked(_libc.unshare(_NEWUSER)),
        "mount": lambda: _reached(_libc.mount(b"none", b"/nowhere", b"tmpfs", 0, None)),
        "load a program into the kernel": lambda: _reached(_libc.syscall(_CALLS["bpf"], 0, 0, 0)),
        "use rings": lambda: _reached(_libc.syscall(_CALLS["io_uring_setup"], 0, 0)),
        "make a socket": lambda: socket.socket(socket.AF_UNIX),
        "be root": lambda: os.setuid(0),
        "leave a grandchild": leave_a_grandchild,
    }


def _start_threads() -> None:
    done = threading.Event()
    threading.stack_size(1 << 16)
    try:
        for _ in range(600):
            threading.Thread(target=done.wait, daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, "no more") from error
    finally:
        done.set()


def _reached(_value: int) -> None:
    """Raise OSError unless a call got as far as to be judged by its arguments, which are such that nothing happens."""
    if ctypes.get_errno() in {errno.EPERM, errno.EACCES, errno.ENOSYS}:
        raise OSError(ctypes.get_errno(), "refused")


def _call(name: str, *arguments: int) -> int:
    return _checked(_libc.syscall(_CALLS[name], *arguments))


def _checked(value: int) -> int:
    if value < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return value


async def attacked(folder: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """Be the parent of one such child; give what it could do and what became of us."""
    others = _running()
    base, memory, signals = folder / "database", ctypes.create_string_buffer(b"memory"), []
    base.write_bytes(b"database")
    (folder / "renamed").touch()
    (folder / "deleted").touch()
    video = folder / "film.mp4"
    video.write_bytes(b"video")
    signal.signal(signal.SIGUSR1, lambda number, _frame: signals.append(number))
    children = ChildPool("tests.support.breakout", environment, forks=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        targets = {"parent": os.getpid(), "address": ctypes.addressof(memory), "database": str(base)}
        request = {"kind": "still", "path": str(video), "limits": asdict(VideoLimits()), **targets}
        async with children.child() as child:
            await child.ask({**request, "port": server.getsockname()[1]})
            told = await child.receive(60)
            pid = child.process.pid
    await children.close()
    await asyncio.sleep(0.3)
    return {
        "done": told.header.get("done", told.header) if told else None,
        "loaded": told.header.get("loaded") if told else None,
        "video": told.header.get("video") if told else None,
        "memory": memory.value.decode(),
        "database": base.read_bytes().decode(errors="replace"),
        "files": _names(folder),
        "signals": len(signals),
        "left": [name for name in _running() if name not in {pid, *others}],
        "missing": (await check_sandbox()).missing,
    }


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _running() -> list[int]:
    """Give the processes of this module beside this one."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words, state = (place / "cmdline").read_bytes(), (place / "stat").read_text().rpartition(") ")[2][0]
        except OSError:
            continue
        if b"core.engines.sandbox.forkserver\0tests.support.breakout" in words and state != "Z":
            found.append(int(place.name))
    return found


def main(words: list[str]) -> None:
    """Attack, and print what came of it."""
    if "container" in words:
        namespaces.forgo_privileges()
        kernel_filters.forgo_power()
    environment = {"PART": "".join(word for word in words if word != "container")}
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(attacked(Path(folder), environment))))  # noqa: T201 - for the test


if __name__ == "__main__":
    main(sys.argv[1:])
