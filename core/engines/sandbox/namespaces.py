"""Linux namespaces and capabilities: a process's own network, users and process numbers, and no privileges."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_CAPABILITY_CALLS = {"x86_64": (125, 126), "aarch64": (90, 91)}
"""The numbers of the calls `capget` and `capset`."""
_HEADER = struct.pack("=Ii", 0x20080522, 0)
"""The third version of those calls' data, and this thread."""
_SETS = struct.Struct("=6I")
"""Effective, permitted and inheritable, twice: capabilities 0 to 31, and 32 to 63."""
_WORD = 0xFFFFFFFF
_UNUSED_USERS = 0x6B000000
"""Beyond what systems give to users, and to users of containers."""
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 23, 24, 38, 39
_MOST_CAPABILITIES = 64
_MOST_DESCRIPTORS = 1024
NAMES = ("net", "pid", "user")


def leave(*, users: bool) -> None:
    """Leave the network and what else processes share, with `users` also these (see `leave_users`) where possible.

    Call this with one thread only, or only root succeeds.
    """
    own = _NEWNET | _NEWIPC | _NEWUTS
    user, group = os.geteuid(), os.getegid()
    if users and _unshared(_NEWUSER | own):
        _map(user, group)
    elif not _unshared(own):
        _unshared(_NEWNET)


def _map(user: int, group: int) -> None:
    """Be the same user and group among users of one's own: no other process may have further such namespaces below."""
    with suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def leave_users() -> bool:
    """Be nobody to all processes outside, which so cannot be read or traced; return whether the system did that."""
    return _unshared(_NEWUSER)


def leave_root() -> bool:
    """Have a real user whom no other process has; return whether that is so. Only root can.

    The kernel bounds the threads and processes of every real user but root. Files are judged by the effective user.
    """
    user = _UNUSED_USERS + os.getpid()
    with suppress(OSError):
        if sys.platform == "linux" and os.geteuid() == 0:
            os.setresuid(user, -1, -1)
    return os.getuid() == user


def forgo_privileges() -> None:
    """Let no program that this process may start have more rights than it has itself."""
    if sys.platform == "linux":
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities(keep: Collection[int] = ()) -> None:
    """Give up all rights that root has beside owning files, and the possibility to get one back; but for these."""
    if sys.platform == "linux":
        libc = _libc()
        for capability in range(_MOST_CAPABILITIES):
            if _prctl(_PR_CAPBSET_DROP, capability, libc) < 0:
                break  # the last one that there is; or none is ours to drop
        kept = sum(1 << capability for capability in keep) & _capabilities()[1]
        _set_capabilities(kept, kept)


@contextmanager
def without_capabilities() -> Iterator[None]:
    """Act without root's rights for a while."""
    effective, permitted = _capabilities()
    if effective:
        _set_capabilities(0, permitted)
    try:
        yield
    finally:
        if effective:
            _set_capabilities(effective, permitted)


def ids(process: int | str = "self") -> dict[str, str]:
    """Return the names that the system has for a process's namespaces, as far as it tells them."""
    found = {}
    for name in NAMES:
        with suppress(OSError):
            found[name] = str(Path(f"/proc/{process}/ns/{name}").readlink())
    return found


def has_no_new_privileges() -> bool:
    """Return whether `forgo_privileges` holds."""
    return sys.platform == "linux" and _prctl(_PR_GET_NO_NEW_PRIVS, 0) == 1


def has_capabilities() -> bool:
    """Return whether this process has or could get any right of root's, in its own namespace or outside."""
    if sys.platform != "linux" or _capabilities()[1]:
        return True
    to_gain = any(_prctl(_PR_CAPBSET_READ, capability) == 1 for capability in range(_MOST_CAPABILITIES))
    return to_gain and not has_no_new_privileges()


@dataclass(slots=True)
class Numbering:
    """Process numbers that are this process's children's own: they see no process but each other.

    The system wants a first process in there. When it ends, all others are killed, whatever they have made of
    themselves; it ends when this process does. One for all children, not for each: the first process in a namespace
    cannot be ended by the processor limit's signal.
    """

    first: int
    """Its number, as seen from here; 0 where the system gives no numbers of their own."""
    alive: int
    """The end of a pipe that no other process may hold; -1 likewise."""

    @classmethod
    def begin(cls, *others: int) -> Numbering:
        """Have all children that are forked from now on numbered anew; `others` are closed in the first of them."""
        if not _unshared(_NEWPID):
            return cls(0, -1)
        hears, alive = os.pipe()
        first = os.fork()
        if first == 0:
            _wait_for_the_end(hears, alive, *others)
        os.close(hears)
        return cls(first, alive)

    def forget(self) -> None:
        """Close what a child must not hold."""
        if self.alive >= 0:
            os.close(self.alive)

    def end(self) -> None:
        """Kill all that is left in there, and reap the first process and all other children of this one.

        The first process is not gone before all others are reaped, and those that this one forked only it can reap.
        """
        if self.first:
            os.close(self.alive)
            os.kill(self.first, signal.SIGKILL)  # a child that was stopped before it could forget `alive` keeps it open
            with suppress(ChildProcessError):
                while True:
                    os.waitpid(-1, 0)


def go_on_apart(*, users: bool) -> bool:
    """Go on in a forked process, with process numbers and shared memory of its own; return whether that was done.

    This process waits for that one's end, and for the end of stdin; then it kills all that is left in there, and ends
    as that one did. `users`: try also with users of its own, in which the user stays the same. One thread only.
    """
    user, group = os.geteuid(), os.getegid()
    if not _unshared(_NEWIPC | _NEWUTS):
        if not users or not _unshared(_NEWUSER | _NEWIPC | _NEWUTS):
            return False
        _map(user, group)
    numbering = Numbering.begin()
    if not numbering.first:
        return False
    worker = os.fork()
    if worker:
        _see_to_the_end(worker, numbering)
    numbering.forget()
    return True


def _see_to_the_end(worker: int, numbering: Numbering) -> NoReturn:
    code = 1
    try:
        for first, end in ((3, numbering.alive), (numbering.alive + 1, _MOST_DESCRIPTORS)):
            os.closerange(first, end)  # the worker's pipe ends with the worker
        handle = os.pidfd_open(worker)
        ready, _, _ = select.select([sys.stdin.fileno(), handle], [], [])
        if handle in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        numbering.end()
        if code < 0:
            with suppress(OSError):
                signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
    finally:
        os._exit(code if code >= 0 else 1)


def _wait_for_the_end(hears: int, *others: int) -> NoReturn:
    """Be the first process, which reaps orphans, until the one that began it is gone."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for other in others:
            os.close(other)
        os.read(hears, 1)
    finally:
        os._exit(0)


def _capabilities() -> tuple[int, int]:
    """Return those that act and those that may be made to act, as bits; none where the system does not tell."""
    data, numbers = ctypes.create_string_buffer(_SETS.size), _CAPABILITY_CALLS.get(os.uname().machine)
    if sys.platform != "linux" or numbers is None or _libc().syscall(ctypes.c_long(numbers[0]), _HEADER, data):
        return 0, 0
    low_effective, low_permitted, _, high_effective, high_permitted, _ = _SETS.unpack(data.raw)
    return low_effective | high_effective << 32, low_permitted | high_permitted << 32


def _set_capabilities(effective: int, permitted: int) -> None:
    low, high = ((effective >> shift & _WORD, permitted >> shift & _WORD, 0) for shift in (0, 32))
    numbers = _CAPABILITY_CALLS.get(os.uname().machine)
    if numbers is not None:
        _libc().syscall(ctypes.c_long(numbers[1]), _HEADER, _SETS.pack(*low, *high))


def _unshared(spaces: int) -> bool:
    return bool(sys.platform == "linux" and _libc().unshare(spaces) == 0)


def _prctl(option: int, argument: int, libc: ctypes.CDLL | None = None) -> int:
    none = ctypes.c_ulong(0)
    value: int = (libc or _libc()).prctl(option, ctypes.c_ulong(argument), none, none, none)
    return value


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
