"""Which hosts may be contacted: is an address public, and which hosts belong to which site. Pure.

Links are checked before a fetch, connections during one. A table of IANA registries decides what is public: Python's
`is_global` accepts some addresses through which machines are managed. `KEATON_SITES` allows some sites only.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host on this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared by carriers; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # in no registry: what Azure's machines are managed through
        "169.254.0.0/16",  # link-local; most clouds' metadata service
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments, of which the registry calls some global; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: answered by the nearest machine, often of one's own network
        "192.52.193.0/24",  # multicast tunnels, likewise
        "192.88.99.0/24",  # 6to4 relays, likewise
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""IANA's special-purpose registry of IPv4, and multicast. No web site is there, whatever the registry calls global."""
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is handed out of IPv6 so far. Loopback, link-local, site-local, unique local and multicast lie outside."""
_SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, anycast
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
"""What IANA's special-purpose registry of IPv6 has within `_UNICAST`."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How networks without IPv4 reach it: as public as what is wrapped."""
_HOST = re.compile(r"[a-z0-9._-]*|[0-9a-f:.]+", re.ASCII | re.IGNORECASE)
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"})
_LOCAL_ENDS = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")


def plain_host(host: str) -> str:
    """Return a host name as resolvers see it: lower case, no brackets, no final dot, plain digits and dots."""
    text = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    return text.strip("[]").rstrip(".")


def as_looked_up(host: str) -> str | None:
    """Return a host as resolvers are asked for it, with other letters as punycode, or None for what names no host.

    A resolver written in C reads up to a zero byte, a library up to a slash: what is before it could be another host.
    """
    name = plain_host(host)
    try:
        name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return name if _HOST.fullmatch(name) else None


def literal(host: str) -> Address | None:
    """Return the address that a host spells out, in any notation that a resolver takes, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if host.isascii() else None
    except OSError:
        return None


def is_public(address: Address) -> bool:
    """Tell whether everybody on the internet reaches the same machine at this address, as IANA's registries have it.

    That this machine itself has a public address is not known here: see `core.engines.download.network_guard`.
    """
    address = unmapped(address)
    if isinstance(address, ipaddress.IPv6Address):
        return address in _UNICAST and not any(address in network for network in _SPECIAL_IPV6)
    return not any(address in network for network in _SPECIAL_IPV4)


def is_local_name(host: str) -> bool:
    """Tell whether a name means this machine or its network by convention, before anybody resolves it."""
    return host in _LOCAL_NAMES or host.endswith(_LOCAL_ENDS)


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that is reached by an IPv6 one (::ffff:a.b.c.d, or by NAT64), any other as it is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address
    return address


FILE_HOSTS = (
    frozenset({"cdn.discordapp.com", "media.discordapp.net"}),
    frozenset({"files.slack.com", "slack-files.com", "files.slack-gov.com"}),
)
"""Where each chat platform keeps what people post as files. Links to these are always in."""
_TOGETHER: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (
        frozenset({"youtube.com", "youtu.be", "youtube-nocookie.com"}),
        frozenset({"youtube.com", "youtu.be", "youtube-nocookie.com", "googlevideo.com", "youtubei.googleapis.com"}),
    ),
    (
        frozenset({"vimeo.com"}),
        frozenset({"vimeocdn.com", "vod-progressive.akamaized.net"}),
    ),
    (frozenset({"dailymotion.com", "dai.ly"}), frozenset({"dailymotion.com", "dmcdn.net"})),
    (
        frozenset({"tiktok.com"}),
        frozenset({"tiktokv.com", "tiktokv.us", "tiktokcdn.com", "tiktokcdn-us.com", "tiktokcdn-eu.com"}),
    ),
    (frozenset({"twitch.tv"}), frozenset({"ttvnw.net", "jtvnw.net", "twitchcdn.net"})),
    (frozenset({"reddit.com", "redd.it"}), frozenset({"reddit.com", "redd.it", "redditmedia.com"})),
    (frozenset({"bilibili.com", "b23.tv"}), frozenset({"bilibili.com", "bilivideo.com", "bilivideo.cn", "hdslb.com"})),
    (frozenset({"rumble.com"}), frozenset({"rumble.cloud", "rmbl.ws", "1a-1791.com"})),
    (
        frozenset({"odysee.com", "lbry.tv"}),
        frozenset({"odysee.com", "odysee.live", "odycdn.com", "lbry.tv", "lbry.com", "lbryplayer.xyz"}),
    ),
    (frozenset({"nebula.tv"}), frozenset({"nebula.app", "watchnebula.com"})),
    (frozenset({"wistia.com", "wistia.net"}), frozenset({"wistia.com", "wistia.net", "embedwistia-a.akamaihd.net"})),
    (frozenset({"ted.com"}), frozenset({"tedcdn.com"})),
    (frozenset({"arte.tv"}), frozenset({"arte-cmafhls.akamaized.net", "arteptweb-a.akamaihd.net"})),
    (frozenset({"x.com", "twitter.com"}), frozenset({"x.com", "twitter.com", "twimg.com", "t.co"})),
    (frozenset({"instagram.com"}), frozenset({"cdninstagram.com", "fbcdn.net"})),
    (frozenset({"facebook.com", "fb.watch"}), frozenset({"facebook.com", "fbcdn.net", "fbsbx.com"})),
    (FILE_HOSTS[0], FILE_HOSTS[0]),
    (FILE_HOSTS[1], FILE_HOSTS[1] | {"slack.com", "slack-edge.com", "slack-gov.com"}),
)
"""Sites, and the hosts of their own that give out their pages and files.

Only hosts that serve one site alone: a customer of a CDN has a host below its name, so those stand here whole or
not at all. Twitch's recordings lie on such hosts; an operator who wants them names those in `KEATON_SITES`.
"""


def is_within(host: str, sites: Iterable[str]) -> bool:
    """Tell whether a host is one of these, or below one of them."""
    name = as_looked_up(host)
    known = [site for site in map(as_looked_up, sites) if site]
    return name is not None and any(name == site or name.endswith("." + site) for site in known)


def is_file_host(host: str) -> bool:
    """Tell whether a chat platform keeps files there that people post."""
    return any(is_within(host, hosts) for hosts in FILE_HOSTS)


def fetch_hosts(url: str, sites: AbstractSet[str]) -> frozenset[str]:
    """Return the hosts that a fetch of this link may contact, each with all below it; none where no site is named.

    The link's own host is among them only where its site is named, or where it is one of `FILE_HOSTS`.
    """
    if not sites:
        return frozenset()
    host = urlsplit(url).hostname or ""
    named = frozenset(sites) | ({host} if is_file_host(host) else frozenset())
    companions = [hosts for group, hosts in _TOGETHER if any(is_within(one, group) for one in named)]
    return named.union(*companions)
