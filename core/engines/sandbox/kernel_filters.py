"""What the kernel refuses a process and its children for good: files, ports and signals, and system calls.

Landlock works without root and in containers; rules that a kernel does not know are left out. Of the system calls that
seccomp refuses, each fails with ENOSYS, as on an older kernel, for which C libraries have a fallback. Both are written
by hand: Landlock is three calls, and the packages that wrap them are younger than those; the bindings of libseccomp
need that library installed. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISDIR
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The same numbers on all machines but Alpha."""
_ASK_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_CONNECT_TCP = 2
_SCOPES = 3
"""Abstract Unix sockets, and signals."""
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_RIGHT = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_RIGHT
_READ = _READ_FILE | _READ_DIR
_ALL_SINCE = ((1, (1 << 13) - 1), (2, (1 << 14) - 1), (3, (1 << 15) - 1), (5, (1 << 16) - 1))
"""From which version on the kernel knows which rights."""
_PORTS_SINCE, SIGNALS_SINCE = 4, 6


@dataclass(frozen=True, slots=True)
class Grant:
    """What may still be done; all else that Landlock knows of may not."""

    read: Collection[Path] = ()
    """Files, and folders with all in them. What is not there is left out."""
    execute: Collection[Path] = ()
    """Programs that may be read and started."""
    write: Collection[Path] = ()
    """Files and folders where everything may be done."""
    ports: Collection[int] | None = ()
    """TCP ports that may be connected to; None for all."""


def landlock_version() -> int:
    """Return the kernel's version of Landlock, or 0 where there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))))


def restrict_access(grant: Grant) -> bool:
    """Bind this thread, and all threads and processes that it starts; return whether the system did that.

    The process must have forgone new privileges, and should have no other thread yet.
    """
    known = landlock_version()
    if not known:
        return False
    handled = [rights for since, rights in _ALL_SINCE if known >= since][-1]
    ruleset = _created(known, handled, grant)
    if ruleset < 0:
        return False
    try:
        for path, rights in _granted(grant, handled):
            _allow(ruleset, path, rights)
        if known >= _PORTS_SINCE:
            for port in grant.ports or ():
                _add(ruleset, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port))
        return bool(_call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


def _created(known: int, handled: int, grant: Grant) -> int:
    """Return the descriptor of a set of rules, or -1."""
    fields = [handled]
    if known >= _PORTS_SINCE:
        fields.append(0 if grant.ports is None else _CONNECT_TCP)
    if known >= SIGNALS_SINCE:
        fields.append(_SCOPES)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return int(_call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)))


def _granted(grant: Grant, handled: int) -> Iterator[tuple[Path, int]]:
    kinds: Iterable[tuple[Collection[Path], int]]
    kinds = ((grant.read, _READ), (grant.execute, _READ | _EXECUTE), (grant.write, handled & ~_EXECUTE))
    for paths, rights in kinds:
        for path in paths:
            yield path, rights


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            fitting = rights if S_ISDIR(os.fstat(place).st_mode) else rights & _OF_FILES
            _add(ruleset, _PATH_BENEATH, struct.pack("=Qi", fitting, place))
        finally:
            os.close(place)


def _add(ruleset: int, kind: int, rule: bytes) -> None:
    _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(kind), rule, ctypes.c_uint32(0))


def _call(number: int, *arguments: object) -> int:
    call: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    return call


_ARCHITECTURES = {"x86_64": (0xC000003E, 317), "aarch64": (0xC00000B7, 277)}
"""The kernel's name for the instruction set, and the number of the call `seccomp`."""


def _table(text: str) -> dict[str, dict[str, int]]:
    """Return for each architecture the numbers of the calls that it has, by name."""
    rows = [row.split() for row in text.split(",")]
    return {
        machine: {row[0]: int(row[column]) for row in rows if row[column] != "-"}
        for column, machine in enumerate(_ARCHITECTURES, 1)
    }


_NUMBERS = _table(
    """
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, preadv 295 69, lseek 8 62, close 3 57,
close_range 436 436, fstat 5 80, newfstatat 262 79, stat 4 -, lstat 6 -, statx 332 291, access 21 -,
faccessat 269 48, readlink 89 -, readlinkat 267 78, getcwd 79 17, getdents64 217 61, statfs 137 43,
fstatfs 138 44, fadvise64 221 223, readahead 187 213, dup 32 23, dup2 33 -, dup3 292 24, poll 7 -,
ppoll 271 73, select 23 -, pselect6 270 72, pipe 22 -, pipe2 293 59, eventfd2 290 19, epoll_create1 291 20,
epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22, munmap 11 215, mprotect 10 226,
mremap 25 216, madvise 28 233, brk 12 214, mincore 27 232, msync 26 227, membarrier 324 283,
set_robust_list 273 99, get_robust_list 274 100, rseq 334 293, futex 202 98, futex_waitv 449 449,
set_tid_address 218 96, gettid 186 178, getpid 39 172, sched_yield 24 124, sched_getaffinity 204 123,
sched_getparam 143 121, sched_getscheduler 145 120, sched_get_priority_min 147 126,
sched_get_priority_max 146 125, getcpu 309 168, exit 60 93, exit_group 231 94, restart_syscall 219 128,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigtimedwait 128 137,
rt_sigpending 127 136, rt_sigsuspend 130 133, sigaltstack 131 132, arch_prctl 158 -, clock_gettime 228 113,
clock_getres 229 114, clock_nanosleep 230 115, nanosleep 35 101, gettimeofday 96 169, time 201 -,
times 100 153, uname 63 160, sysinfo 99 179, getrusage 98 165, getrlimit 97 163, getuid 102 174,
geteuid 107 175, getgid 104 176, getegid 108 177, getppid 110 173, getpgid 121 155, getpgrp 111 -,
getsid 124 156, getresuid 118 148, getresgid 120 150, getgroups 115 158, capget 125 90, getpriority 140 141,
getrandom 318 278, get_mempolicy 239 236, landlock_create_ruleset 444 444
"""
)
"""Calls that reading, computing and threads make: name, number on x86_64, number on aarch64 ("-" where it has none)."""
_NUMBERS_WITH_ARGUMENTS = _table(
    """
open 2 -, openat 257 56, clone 56 220, kill 62 129, tgkill 234 131, fcntl 72 25, ioctl 16 29, prctl 157 167,
prlimit64 302 261, mmap 9 222, sched_setaffinity 203 122, sched_setscheduler 144 119, sched_setparam 142 118,
sched_setattr 314 274, socket 41 198, socketpair 53 199
"""
)
_NUMBERS_OF_POWER = _table(
    """
unshare 272 97, setns 308 268, mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, ptrace 101 117,
process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, pidfd_getfd 438 438, kcmp 312 272,
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, io_uring_setup 425 425, io_uring_enter 426 426,
io_uring_register 427 427, keyctl 250 219, add_key 248 217, request_key 249 218, kexec_load 246 104,
kexec_file_load 320 294, init_module 175 105, finit_module 313 273, delete_module 176 106, reboot 169 142,
swapon 167 224, swapoff 168 225, syslog 103 116, acct 163 89, settimeofday 164 170, clock_settime 227 112,
adjtimex 159 171, clock_adjtime 305 266, sethostname 170 161, setdomainname 171 162, iopl 172 -, ioperm 173 -,
modify_ldt 154 -, quotactl 179 60, quotactl_fd 443 443, open_by_handle_at 304 265, fanotify_init 300 262,
open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433,
mount_setattr 442 442, vhangup 153 58, move_pages 279 239, migrate_pages 256 238
"""
)
"""Calls that reach into other processes or into the system; what fetches needs none of them."""
_NUMBERS_OUT_OF_A_JOB = _table(
    """
setpriority 141 140, ioprio_set 251 30, setsid 112 157, setpgid 109 154, process_mrelease 448 448,
pidfd_send_signal 424 424, shmget 29 194, shmat 30 196, shmctl 31 195, shmdt 67 197, semget 64 190, semop 65 193,
semctl 66 191, semtimedop 220 192, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187, mq_open 240 180,
mq_unlink 241 181
"""
)
"""Calls that leave the process group that is killed at a job's end, leave something behind in the kernel, or change how
others are scheduled; what fetches needs none of them either."""

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.ENOSYS
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT, _ARGUMENT_BYTES = 0, 4, 16, 8
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_CLONE_THREAD = 0x10000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FCNTL = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC."""
_IOCTLS = (0x5401, 0x541B, 0x5451)
"""TCGETS (Python asks it of each file that it opens), FIONREAD, FIOCLEX."""
_SHARED_OR_GROWING = 0x101
"""MAP_SHARED and MAP_GROWSDOWN: the bound on data (RLIMIT_DATA) counts no memory of these kinds."""
_FAMILIES = (2, 10, 16)
"""AF_INET, AF_INET6, and AF_NETLINK, by which the network's interfaces are listed."""
_PROTOCOLS = (0, 6, 17)
"""The family's usual one, TCP and UDP: Landlock lets MPTCP (262) through to any port."""
_STREAMS = (0x1, 0x801, 0x80001, 0x80801)
"""SOCK_STREAM, with SOCK_NONBLOCK and SOCK_CLOEXEC: the two ends of a pair can reach nobody but each other."""
_PRCTL = (3, 15, 16, 21, 23, 39, 0x53564D41)
"""Names of threads and of memory, and questions about the process itself."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


Code = tuple[int, int, int, int]
"""An instruction: operation, jump when true, jump when false, operand."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Lets a call through whose argument is one of some values, or has some of these bits, or has none of them.

    One of the three is given.
    """

    argument: int
    values: Sequence[int] = ()
    some_bits: int = 0
    no_bits: int = 0


def keep_to_decoding() -> bool:
    """Leave this process nothing but reading, computing and threads of its own; return whether the system did that.

    No program and no process can be started, no other process signalled, no file opened for writing, no socket made.
    """
    own = (0, os.getpid())
    rules: dict[str, Sequence[Rule]] = {
        "open": [Rule(1, no_bits=_WRITING)],
        "openat": [Rule(2, no_bits=_WRITING)],
        "clone": [Rule(0, some_bits=_CLONE_THREAD)],
        "kill": [Rule(0, own[1:])],
        "tgkill": [Rule(0, own[1:])],
        "fcntl": [Rule(1, _FCNTL)],
        "ioctl": [Rule(1, _IOCTLS)],
        "prctl": [Rule(0, _PRCTL)],
        "prlimit64": [Rule(0, own)],
        "mmap": [Rule(3, no_bits=_SHARED_OR_GROWING)],
    }
    machine = _machine()
    return machine is not None and _install(machine, program(machine, rules))


def forgo_power() -> bool:
    """Refuse this process and all that it starts the calls that reach into others; return whether that was done."""
    machine = _machine()
    return machine is not None and _install(machine, [*_without(machine, _NUMBERS_OF_POWER), (_RETURN, 0, 0, _ALLOW)])


def keep_to_fetching() -> bool:
    """Refuse besides what would outlive a job or reach others in any other way; return whether that was done.

    Limits and scheduling may be changed of the caller alone, by the number 0. Sockets are those of the internet.
    """
    machine = _machine()
    if machine is None:
        return False
    of_itself = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
    rules: dict[str, Sequence[Rule]] = {name: [Rule(0, (0,))] for name in of_itself}
    rules["socket"] = [Rule(0, _FAMILIES), Rule(2, _PROTOCOLS)]
    rules["socketpair"] = [Rule(1, _STREAMS)]
    code = _without(machine, _NUMBERS_OF_POWER, _NUMBERS_OUT_OF_A_JOB)
    return _install(machine, [*code, *_judged(machine, rules), (_RETURN, 0, 0, _ALLOW)])


def _without(machine: str, *tables: Mapping[str, Mapping[str, int]]) -> list[Code]:
    """Return the code that refuses the calls of these tables, and passes on all others."""
    code = _beginning(machine)
    for table in tables:
        for number in table[machine].values():
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    return code


def program(machine: str, rules: Mapping[str, Sequence[Rule]]) -> list[Code]:
    """Return the filter that lets the plain calls through, and these others where all of their rules do."""
    code = _beginning(machine)
    for number in _NUMBERS[machine].values():
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    return [*code, *_judged(machine, rules), (_RETURN, 0, 0, _REFUSE)]


def _judged(machine: str, rules: Mapping[str, Sequence[Rule]]) -> list[Code]:
    """Return the code that lets these calls through or refuses them, and passes on all others."""
    numbers, code = _NUMBERS_WITH_ARGUMENTS[machine], list[Code]()
    for name, several in rules.items():
        if name in numbers:
            body = [one for rule in several for one in _judging(rule)]
            code += [(_EQUAL, 0, len(body) + 1, numbers[name]), *body, (_RETURN, 0, 0, _ALLOW)]
    return code


def _machine() -> str | None:
    """Return the instruction set, or None where there is no filter for it."""
    machine = platform.machine()
    known = sys.platform == "linux" and machine in _ARCHITECTURES and ctypes.sizeof(ctypes.c_void_p) == _ARGUMENT_BYTES
    return machine if known else None


def _beginning(machine: str) -> list[Code]:
    """Return the code that ends calls of another instruction set, whose numbers mean other calls."""
    architecture = _ARCHITECTURES[machine][0]
    judged = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    return [*judged, (_LOAD, 0, 0, _NUMBER_AT), *_of_x32(machine)]


def _of_x32(machine: str) -> list[Code]:
    """Return the code that refuses calls of the x32 kind, which have the same architecture and one more bit."""
    return [(_ANY_BIT, 0, 1, 0x40000000), (_RETURN, 0, 0, _REFUSE)] if machine == "x86_64" else []


def _judging(rule: Rule) -> list[Code]:
    """Return the code that refuses a call by the low half of an argument, or goes on.

    All arguments that are judged are 32 bits wide. A jump goes so many instructions beyond the next one.
    """
    code: list[Code] = [(_LOAD, 0, 0, _ARGUMENTS_AT + _ARGUMENT_BYTES * rule.argument)]
    code += [(_EQUAL, left, 0, value) for left, value in zip(range(len(rule.values), 0, -1), rule.values, strict=True)]
    if rule.some_bits:
        code.append((_ANY_BIT, 1, 0, rule.some_bits))
    if rule.no_bits:
        code.append((_ANY_BIT, 0, 1, rule.no_bits))
    return [*code, (_RETURN, 0, 0, _REFUSE)]


def _install(machine: str, code: Sequence[Code]) -> bool:
    """Return the filter to the kernel; the process must have forgone new privileges."""
    instructions = (_Instruction * len(code))(*(_Instruction(*one) for one in code))
    filtering = _Program(len(code), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    call = ctypes.c_long(_ARCHITECTURES[machine][1])
    mode, flags = ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(_ALL_THREADS)
    return bool(libc.syscall(call, mode, flags, ctypes.byref(filtering)) == 0)
