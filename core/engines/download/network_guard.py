"""Which hosts a download may connect to, and what it may start. Runs in the child.

An audit hook sees every name lookup and connection of Python code, after redirects too, and cannot be removed. It does
not see C code, so none may open connections there.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import psutil

from core.hosts import as_looked_up, is_public, is_within, literal, unmapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.hosts import Address

Why: TypeAlias = Literal["private", "port", "site"]

_PORTS = frozenset({80, 443})
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
"""Every HTTP library asks one of these before it connects, also where the host is an address already."""
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.fork", "os.forkpty", "os.spawn"})


@dataclass(slots=True, eq=False)
class Guard:
    """Refuses by PermissionError, and remembers that it did."""

    allowed: frozenset[Address]
    """Addresses that the operator allows, on any port."""
    program: str
    """The one program that may be started, or "" for none."""
    own: Callable[[], frozenset[Address]]
    """Returns this machine's own addresses; called at each connection, for they change."""
    hosts: frozenset[str] = frozenset()
    """The only hosts that may be looked up, each with all below it (`core.hosts`); none for any."""
    refused: Why | None = None
    """Why a connection was refused last."""
    host: str = ""
    """Which host was refused last because its site is not named."""

    @property
    def refusal(self) -> dict[str, str] | None:
        """Return the message that ends a fetch whose last connection was refused."""
        if self.refused is None:
            return None
        return {"kind": "refused", "why": self.refused, "host": self.host if self.refused == "site" else ""}

    def install(self) -> None:
        """Stand guard from now on until the process ends."""
        sys.addaudithook(self._hear)

    def judge(self, host: str, port: int) -> Why | None:
        """Return why this end of a connection is out of bounds, or None where it is not."""
        address = literal(host)
        if address is None:
            return "private"
        if unmapped(address) in self.allowed:
            return None
        if not is_public(address) or unmapped(address) in self.own():
            return "private"
        return None if port in _PORTS else "port"

    def knows(self, host: str) -> bool:
        """Return whether a host may be looked up: what its characters make no host of may not, whatever is named."""
        return as_looked_up(host) is not None and (not self.hosts or is_within(host, self.hosts))

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if event in _CONNECTS:
            self._hear_connect(args[1])
        elif event in _LOOKUPS:
            self._hear_lookup(args[0])
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

    def _hear_lookup(self, host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
        if as_looked_up(name) is None:
            raise PermissionError(f"{name!r} is no host")
        if not self.knows(name):
            self.refused, self.host = "site", name
            raise PermissionError(f"{name!r} is on none of the sites that Keaton may fetch from")


def own_addresses() -> frozenset[Address]:
    """Return the addresses of all network interfaces as they are now, public ones too."""
    of_interfaces = psutil.net_if_addrs().values()
    texts = [one.address.partition("%")[0] for several in of_interfaces for one in several if one.family in _INTERNET]
    return frozenset(unmapped(address) for text in texts if (address := literal(text)) is not None)


def resolved(hosts: Iterable[str]) -> frozenset[Address]:
    """Return the addresses that these hosts have now; a host that does not resolve has none."""
    found: set[Address] = set()
    for host in hosts:
        try:
            infos = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        addresses = (literal(str(info[4][0])) for info in infos)
        found |= {unmapped(address) for address in addresses if address is not None}
    return frozenset(found)
