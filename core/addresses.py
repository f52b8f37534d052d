"""Tells public addresses of the internet from private ones.

Pure: owns that judgement, for the check of a link before it is fetched and for the guard that stands at the connect
call. Must not know links or sockets in use.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"})
_LOCAL_ENDS = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")


def plain_host(host: str) -> str:
    """Give a host name as resolvers see it: lower case, no brackets, no final dot, plain digits and dots."""
    text = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    return text.strip("[]").rstrip(".")


def literal(host: str) -> Address | None:
    """Give the address that a host spells out, in any notation that a resolver takes, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if host.isascii() else None
    except OSError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether the address, and any IPv4 address that it wraps, is one that everybody on the internet sees."""
    address = unmapped(address)
    inner = _wrapped(address)
    if inner is not None and not is_public(inner):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_local_name(host: str) -> bool:
    """Tell whether a name means this machine or its network by convention, before anybody resolves it."""
    return host in _LOCAL_NAMES or host.endswith(_LOCAL_ENDS)


def unmapped(address: Address) -> Address:
    """Give the IPv4 address for its IPv6 spelling (::ffff:a.b.c.d), any other as it is."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _wrapped(address: Address) -> Address | None:
    """Give the IPv4 address inside an IPv6 one: 6to4, Teredo, NAT64 or compatible."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour
