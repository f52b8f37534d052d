"""Which hosts a download may contact where the operator allows some sites only (`KEATON_SITES`). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.addresses import as_looked_up

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

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

Only hosts that serve one site alone: whoever rents from a CDN has a host below its name, so those stand here whole or
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
