"""Stands at the connect call of a fetching child: where it may connect, and what it may start.

Owns those rules; must not know what is fetched. An audit hook cannot be removed again, and it sees every connection
that Python code makes, after redirects and name resolution; C code it would not see, so none may be used.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from core.addresses import is_public, literal, unmapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.addresses import Address

Why: TypeAlias = Literal["private", "port"]

_PORTS = frozenset({80, 443})
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork", "os.forkpty", "os.spawn"})


@dataclass(slots=True, eq=False)
class Guard:
    """Refuses by PermissionError, and remembers that it did."""

    allowed: frozenset[Address]
    """Addresses that the operator allows, on any port."""
    program: str
    """The one program that may be started, or "" for none."""
    refused: Why | None = None
    """Why a connection was refused last."""

    def install(self) -> None:
        """Stand guard from now on until the process ends."""
        sys.addaudithook(self._hear)

    def judge(self, host: str, port: int) -> Why | None:
        """Give why this end of a connection is out of bounds, or None where it is not."""
        address = literal(host)
        if address is None:
            return "private"
        if unmapped(address) in self.allowed:
            return None
        if not is_public(address):
            return "private"
        return None if port in _PORTS else "port"

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if event in _CONNECTS:
            self._hear_connect(args[1])
        elif event in _STARTS and not (event == "subprocess.Popen" and args[0] == self.program):
            raise PermissionError(f"{event} is not for fetching children")

    def _hear_connect(self, address: object) -> None:
        if address is None:  # a socket that was connected, and judged, before
            return
        why: Why | None = "private"
        match address:
            case (str(host), int(port), *_):
                why = self.judge(host, port)
        if why is not None:
            self.refused = why
            raise PermissionError(f"a connection to {address!r} is not for fetching children")


def resolved(hosts: Iterable[str]) -> frozenset[Address]:
    """Give the addresses that these hosts have now; a host that does not resolve has none."""
    found: set[Address] = set()
    for host in hosts:
        try:
            infos = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        addresses = (literal(str(info[4][0])) for info in infos)
        found |= {unmapped(address) for address in addresses if address is not None}
    return frozenset(found)
