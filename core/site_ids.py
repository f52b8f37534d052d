"""The public id of a video on a well-known site, read from a link exactly as yt-dlp reads it, or None. Pure.

A link is matched whole: where it could be read in two ways it has no id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
