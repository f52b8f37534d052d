"""Restricts files, ports and signals of a process and its children by Linux Landlock.

It works without root and in containers; rules that a kernel does not know are left out. Written by hand: it is three
system calls, and the packages that wrap them are younger than those.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISDIR
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The same numbers on all machines but Alpha."""
_ASK_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_CONNECT_TCP = 2
_SCOPES = 3
"""Abstract Unix sockets, and signals."""
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
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


def version() -> int:
    """Return the kernel's version of Landlock, or 0 where there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))))


def restrict(grant: Grant) -> bool:
    """Bind this thread, and all threads and processes that it starts; return whether the system did that.

    The process must have forgone new privileges, and should have no other thread yet.
    """
    known = version()
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
