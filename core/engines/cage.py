"""What a child process gives up before it touches a stranger's bytes: network, privileges, memory, time and files.

Owns these renunciations; must not know what the child is for. None can be taken back. Where the system refuses one,
the child works without it, and `describe` says so: `keaton doctor` asks.
"""

from __future__ import annotations

import ctypes
import resource
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_GRACE_S = 5
"""Between the signal that a handler could catch and the one that none can."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the process may take from now on."""

    cpu_s: float
    memory_bytes: int
    """Of data of its own; mapped files and shared libraries do not count."""
    file_bytes: int
    """The largest file that it may write."""
    open_files: int


def isolate() -> None:
    """Leave the network and forgo new privileges. Call this with one thread only, or only root succeeds."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    forgo_privileges()


def forgo_privileges() -> None:
    """Let no program that this process may start have more rights than it has itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def bound(bounds: Bounds) -> None:
    """Set the bounds; what the system does not know, or has bound closer, stays."""
    cpu_s = max(1, round(bounds.cpu_s))
    memory = "RLIMIT_DATA" if sys.platform == "linux" else "RLIMIT_AS"
    _set("RLIMIT_CPU", cpu_s, cpu_s + _GRACE_S)
    _set(memory, bounds.memory_bytes, bounds.memory_bytes)
    _set("RLIMIT_FSIZE", bounds.file_bytes, bounds.file_bytes)
    _set("RLIMIT_NOFILE", bounds.open_files, bounds.open_files)


def describe(outside: int) -> Mapping[str, bool | int]:
    """Say what holds, as the system itself tells it: limits in seconds, bytes and files, -1 for none.

    `outside` is the number of a process that is not in the cage.
    """
    return {
        "own_network": _own_network(outside),
        "no_new_privileges": "NoNewPrivs:\t1" in _status(),
        "cpu_s": resource.getrlimit(resource.RLIMIT_CPU)[0],
        "memory_bytes": resource.getrlimit(resource.RLIMIT_DATA)[0],
        "file_bytes": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }


def _set(name: str, soft: int, hard: int) -> None:
    number: int | None = getattr(resource, name, None)
    if number is None:
        return
    _, ceiling = resource.getrlimit(number)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    with suppress(ValueError, OSError):
        resource.setrlimit(number, (soft, hard))


def _own_network(outside: int) -> bool:
    """Tell whether there is no network interface but the unconnected loopback, and not the namespace outside."""
    with suppress(OSError):
        theirs = Path(f"/proc/{outside}/ns/net").readlink()
        return Path("/proc/self/ns/net").readlink() != theirs
    return sys.platform == "linux" and [name for _, name in socket.if_nameindex()] == ["lo"]


def _status() -> str:
    with suppress(OSError):
        return Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return ""
