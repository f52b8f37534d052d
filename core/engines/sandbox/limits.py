"""Puts the sandbox together: what a child gives up, and in which order, before it reads untrusted bytes.

Network, processes, files, system calls, privileges, memory and time. None can be taken back. Where the system refuses
one, the child works without it and `keaton doctor` reports it (`describe`).
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import sysconfig
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import core
from core.engines.sandbox import kernel_filters, namespaces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_GRACE_S = 5
"""Between the signal that a handler could catch and the one that none can."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/etc/ld.so.cache")
_MACHINE = ("/dev/null", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
"""What libraries ask of the machine when they are loaded; it says nothing of anybody."""
_FOR_THE_NETWORK = (
    *("/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/etc/localtime", "/etc/passwd"),
    *("/usr/share/ca-certificates", "/usr/share/zoneinfo", "/usr/local/share/ca-certificates", "/usr/share/mime"),
    *("/proc", "/sys/fs/cgroup", "/dev/random"),
)
"""What resolving names, TLS and the JavaScript runtime read. Landlock keeps them from other processes' memory and
environment in /proc."""
_PORTS = frozenset({53, 80, 443})
_THREADS = 250
_SMALL_STACK_BYTES = 1 << 16
_PROCESSES = 400
"""Threads and processes of one fetch: Python, and the JavaScript runtime with its threads."""
_ADDRESSES_BYTES = 64 << 30
"""What is mapped and never written counts as no data, and takes memory for its tables all the same."""


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
    # Among users of its own, root may read no files but its own.
    namespaces.leave_root()
    namespaces.leave(users=not _rights_needed(libraries()))
    namespaces.forgo_privileges()


def shut_in(path: Path) -> Path:
    """Leave this process nothing but computing on one file, if it is there; return the path to open that file by.

    Python's modules can still be loaded. Call this with one thread only: the bars hold for those that come after.
    """
    place, needed = _place(path), libraries()
    be_nobody(_rights_needed(needed))
    file = () if place is None else (Path(f"/proc/self/fd/{place}"),)
    kernel_filters.restrict_access(kernel_filters.Grant(read=(*needed, *file)))
    is_open = place is None or _open_to_us(path, os.R_OK)
    if sys.platform == "linux":
        _set("RLIMIT_AS", _ADDRESSES_BYTES, _ADDRESSES_BYTES)
    kernel_filters.keep_to_decoding()
    return path if is_open else Path(f"/proc/self/fd/{place}")


def be_nobody(rights: Collection[int] = ()) -> None:
    """Give up users, privileges and all capabilities but these, and bound how many threads and processes there are."""
    # Without, all processes of this user would count, machine-wide.
    if (not rights and namespaces.leave_users()) or namespaces.leave_root():
        _set("RLIMIT_NPROC", _THREADS, _THREADS)
    namespaces.drop_capabilities(rights)
    namespaces.forgo_privileges()


def shut_in_fetching(folder: Path, runtime: str, *, any_port: bool) -> None:
    """Leave this process, and the one program that it may start, the network and a folder to write to.

    Call this with one thread only.
    """
    needed = libraries()
    read = (*needed, *(Path(name) for name in _FOR_THE_NETWORK))
    rights = _rights_needed(needed, folder)
    if namespaces.go_on_apart(users=not rights) and os.geteuid() != 0:  # root's are not bounded in any way
        _set("RLIMIT_NPROC", _PROCESSES, _PROCESSES)
    namespaces.drop_capabilities(rights)
    namespaces.forgo_privileges()
    execute = (Path(runtime).resolve(), *_loaders()) if runtime else ()
    kernel_filters.restrict_access(
        kernel_filters.Grant(read, execute, (folder, Path("/dev/null")), None if any_port else _PORTS)
    )
    kernel_filters.keep_to_fetching()


def libraries() -> tuple[Path, ...]:
    """Return where Python, its packages and ours are loaded from, and what they ask of the machine."""
    places = sysconfig.get_paths()
    python = {Path(places[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    python.add(Path(os.__file__).parent)
    packages = {Path(place) for place in sys.path if Path(place).name in {"site-packages", "dist-packages"}}
    ours = {Path(place) for place in core.__path__}
    return (*sorted(python | packages | ours), *(Path(name) for name in (*_LIBRARIES, *_MACHINE)))


def bound(bounds: Bounds) -> None:
    """Set the bounds; what the system does not know, or has bound closer, stays."""
    cpu_s = max(1, round(bounds.cpu_s))
    memory = "RLIMIT_DATA" if sys.platform == "linux" else "RLIMIT_AS"
    _set("RLIMIT_CPU", cpu_s, cpu_s + _GRACE_S)
    _set(memory, bounds.memory_bytes, bounds.memory_bytes)
    _set("RLIMIT_FSIZE", bounds.file_bytes, bounds.file_bytes)
    _set("RLIMIT_NOFILE", bounds.open_files, bounds.open_files)


def describe() -> Mapping[str, object]:
    """Return what holds, as the system itself tells it: limits in seconds, bytes and files, -1 for none."""
    return {
        "namespaces": namespaces.ids(),
        "no_new_privileges": namespaces.has_no_new_privileges(),
        "capabilities": namespaces.has_capabilities(),
        "files_shut": _shut(Path("/")),
        "signals_shut": _shut(Path("/")) and kernel_filters.landlock_version() >= kernel_filters.SIGNALS_SINCE,
        "calls_shut": _calls_shut(),
        "cpu_s": resource.getrlimit(resource.RLIMIT_CPU)[0],
        "memory_bytes": resource.getrlimit(resource.RLIMIT_DATA)[0],
        "file_bytes": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "threads_bounded": _threads_bounded(),
    }


def _place(path: Path) -> int | None:
    """Hold on to a file without opening it: without root's rights its folder may be out of reach afterwards.

    A folder is no video, and would let everything in it be read.
    """
    if sys.platform != "linux" or path.is_dir():
        return None
    with suppress(OSError):
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    return None


def _rights_needed(read: Iterable[Path], folder: Path | None = None) -> Collection[int]:
    """Return which of root's rights reading these, and writing to the folder, takes: none, unless others own them."""
    readable = [path for path in read if _open_to_us(path, os.R_OK)]
    with namespaces.without_capabilities():
        if not all(_open_to_us(path, os.R_OK) for path in readable):
            return (namespaces.CAP_DAC_OVERRIDE, namespaces.CAP_DAC_READ_SEARCH)[1 if folder is None else 0 :]
        if folder is not None and not _open_to_us(folder, os.R_OK | os.W_OK | os.X_OK):
            return (namespaces.CAP_DAC_OVERRIDE, namespaces.CAP_DAC_READ_SEARCH)
    return ()


def _open_to_us(path: Path, how: int) -> bool:
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


def _loaders() -> list[Path]:
    """Return the programs that start a program which uses shared libraries."""
    return [path for folder in ("/lib64", "/lib") for path in Path(folder).glob("ld-*.so*")]


def _shut(path: Path) -> bool:
    """Return whether a file or folder may not be read."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return True
    return False


def _calls_shut() -> bool:
    """Return whether the filter of system calls holds: no container's own filter refuses so plain a call."""
    try:
        socket.socketpair()[0].close()
    except OSError:
        return True
    return False


def _threads_bounded() -> bool:
    """Return whether the system refuses one thread more than there may be: its limit alone says nothing of root."""
    done, threads = threading.Event(), list[threading.Thread]()
    before_bytes = threading.stack_size(_SMALL_STACK_BYTES)  # or the bound on memory would be met first
    try:
        for _ in range(_THREADS + 1):
            threads.append(threading.Thread(target=done.wait, daemon=True))
            threads[-1].start()
    except RuntimeError:
        return True
    finally:
        done.set()
        threading.stack_size(before_bytes)
    return False


def _set(name: str, soft: int, hard: int) -> None:
    number: int | None = getattr(resource, name, None)
    if number is None:
        return
    _, ceiling = resource.getrlimit(number)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    with suppress(ValueError, OSError):
        resource.setrlimit(number, (soft, hard))
