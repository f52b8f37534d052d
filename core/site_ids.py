"""The public ids of videos on well-known sites, and which kept video a link leads to without a download. Pure.

A link is read exactly as yt-dlp reads it, and matched whole: where it could be read in two ways it has no id.

Strangers choose links, ids and redirects, so a video is known by its bytes, and a link leads to it only in the space
that downloaded it. Public ids count everywhere, once the site's own extractor answered with that very id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from core.model.video import Scope, Video

_LINK = re.compile(r"https?://([a-z.-]+)(/[\w./@-]*)(?:\?([^#]*))?(?:#t=\d{1,5}s?)?", re.ASCII)
_PIECE = re.compile(r"([\w.-]+)(?:=([\w.~%:@!$'()*+,-]*))?", re.ASCII)
_YOUTUBE = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})
_YOUTUBE_ID = re.compile(r"[\w-]{11}", re.ASCII)
_YOUTUBE_PATH = re.compile(r"/(?:shorts|embed|live|v|e)/([\w-]{11})/?", re.ASCII)
_NO_IDS = frozenset({"live_stream", "videoseries"})
"""What stands where YouTube's ids stand, has as many letters, and means whatever the rest of the link says."""
_VIMEO_PATH = re.compile(r"/(\d+)(?:/([\da-f]{10}))?", re.ASCII)
_VIMEO_PLAYER_PATH = re.compile(r"/video/(\d+)", re.ASCII)
_VIMEO_KEY = re.compile(r"[\da-f]+", re.ASCII)
_VIMEO_SETTING = re.compile(
    r"share|fl|fe|autoplay|loop|muted|badge|color|title|byline|portrait|dnt|app_id|player_id|autopause|background|"
    r"controls|playsinline|quality|speed|texttrack|transparent"
)
_DAILYMOTION_PATH = re.compile(r"/(?:embed/)?video/([A-Za-z0-9]+)(?:_[\w-]*)?", re.ASCII)
_SHORT_PATH = re.compile(r"/([\w-]+)", re.ASCII)
_TIKTOK_PATH = re.compile(r"/@[\w.-]+/video/(\d+)/?", re.ASCII)


def of(url: str) -> str | None:
    """Return the id of the video that a link means ("youtube:ID"), or None; scheme and host are in lower case.

    A key that opens an unlisted video is part of it ("vimeo:ID/KEY").
    """
    link = _LINK.fullmatch(url)
    query = _query(link[3] or "") if link else None
    if link is None or query is None:
        return None
    read = _SITES.get(link[1])
    return read(link[1], link[2], query) if read else None


def is_public(link: str) -> bool:
    """Tell whether a canonical link is a site's id alone, with no key in it."""
    site, _, number = link.partition(":")
    return site in _NAMES and "/" not in number


def names_site(link: str) -> bool:
    """Tell whether a canonical link is a site's id, with a key or without."""
    return link.partition(":")[0] in _NAMES


def without_key(link: str) -> str:
    """Return the id alone that a site gives the video of a canonical link."""
    return link.partition("/")[0]


def _query(text: str) -> Mapping[str, str] | None:
    """Return names and values, or None where a reader might see others: a name comes twice, or a stray character."""
    pieces = [_PIECE.fullmatch(piece) for piece in text.split("&") if piece]
    found = {piece[1]: piece[2] or "" for piece in pieces if piece}
    return found if len(found) == len(pieces) else None


def _youtube(host: str, path: str, query: Mapping[str, str]) -> str | None:
    if path == "/watch" and host in _YOUTUBE:
        return _youtube_id(query.get("v", ""))
    found = _YOUTUBE_PATH.fullmatch(path)
    return _youtube_id(found[1]) if found and not query.keys() & {"v", "list"} else None


def _youtu_be(_host: str, path: str, query: Mapping[str, str]) -> str | None:
    found = _SHORT_PATH.fullmatch(path)
    return _youtube_id(found[1]) if found and not query.keys() & {"v", "list"} else None


def _youtube_id(text: str) -> str | None:
    return f"youtube:{text}" if _YOUTUBE_ID.fullmatch(text) and text not in _NO_IDS else None


def _vimeo(host: str, path: str, query: Mapping[str, str]) -> str | None:
    found = (_VIMEO_PLAYER_PATH if host.startswith("player.") else _VIMEO_PATH).fullmatch(path)
    if found is None or not all(map(_VIMEO_SETTING.fullmatch, query.keys() - {"h"})):
        return None
    keys = [key for key in (*found.groups()[1:], query.get("h")) if key is not None]
    if len(keys) > 1 or not all(map(_VIMEO_KEY.fullmatch, keys)):
        return None
    return "/".join([f"vimeo:{found[1]}", *keys])


def _dailymotion(_host: str, path: str, query: Mapping[str, str]) -> str | None:
    found = _DAILYMOTION_PATH.fullmatch(path)
    return f"dailymotion:{found[1]}" if found and "video" not in query else None


def _dai_ly(_host: str, path: str, _query: Mapping[str, str]) -> str | None:
    found = re.fullmatch(r"/([A-Za-z0-9]+)", path)
    return f"dailymotion:{found[1]}" if found else None


def _tiktok(_host: str, path: str, _query: Mapping[str, str]) -> str | None:
    found = _TIKTOK_PATH.fullmatch(path)
    return f"tiktok:{found[1]}" if found else None


_SITES: Mapping[str, Callable[[str, str, Mapping[str, str]], str | None]] = {
    **dict.fromkeys([*_YOUTUBE, "www.youtube-nocookie.com", "youtube-nocookie.com"], _youtube),
    "youtu.be": _youtu_be,
    **dict.fromkeys(["vimeo.com", "www.vimeo.com", "player.vimeo.com"], _vimeo),
    **dict.fromkeys(["dailymotion.com", "www.dailymotion.com"], _dailymotion),
    "dai.ly": _dai_ly,
    "www.tiktok.com": _tiktok,
}
_NAMES = frozenset({"youtube", "vimeo", "dailymotion", "tiktok"})
"""As yt-dlp's extractors are called, in lower case: each talks to its own site's hosts alone."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A video that a link led to when it was fetched, in one space."""

    link: str
    """Canonical (see `links.canonical`), or the key of a platform's file."""
    platform: str
    space: str
    site_id: str
    """What the extractor that fetched it said that it is ("youtube:ID"), or ""; strangers' servers may say anything."""
    video: Video
    """As it is called there."""


@dataclass(frozen=True, slots=True)
class Led:
    """The video that a link leads to in some space."""

    video: Video
    """As the link names it there, or as its site does: then without an address."""
    site_id: str


def choose(leads: Iterable[Lead], link: str, scope: Scope) -> Led | None:
    """Return the video that a link leads to for who posts it there without fetching it, or None: then it is fetched."""
    elsewhere = None
    for lead in leads:
        if lead.link != link or _is_denied(link, lead.site_id):
            continue
        if (lead.platform, lead.space) == (scope.platform, scope.space):
            return Led(lead.video, lead.site_id)
        if confirms(link, lead.site_id):
            elsewhere = Led(_as_its_site_calls_it(lead.video), lead.site_id)
    return elsewhere


def confirms(link: str, site_id: str | None) -> bool:
    """Tell whether an extractor with fixed hosts answered with the very id that a canonical link means."""
    return is_public(link) and site_id == link


def is_same(video_id: str, content_id: str, link: str, site_id: str | None) -> bool:
    """Tell whether what was fetched anew is a video that is kept.

    Databases of earlier versions hold videos by their sites' ids; those are the same where the site confirms that.
    """
    return video_id == content_id or (video_id == link and confirms(link, site_id))


def _is_denied(link: str, site_id: str) -> bool:
    """Tell whether a link that means one video of a site led to another."""
    return bool(site_id) and names_site(link) and site_id != without_key(link)


def _as_its_site_calls_it(video: Video) -> Video:
    return replace(video, url="")
