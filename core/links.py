"""Reads links: finds them in messages, normalises and checks them, links to a second of a video.

Pure; fetches nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit, urlunsplit

from core import site_ids
from core.errors import LinkRefused
from core.hosts import is_file_host, is_local_name, is_public, is_within, literal, plain_host

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Spaces that nobody sees, and the quotes, brackets, ellipses and full stops of many languages: no address holds them
# as they are (RFC 3986), and people write links right beside them.
_BESIDE_LINKS = (
    "\u00ab\u00bb\u2018-\u201f\u2026\u2039\u203a"
    "\u3001-\u3003\u3008-\u3011\u3014-\u301b\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\uff61-\uff64"
    "\u061b\u061f\u06d4\u0964\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad"
)
# Markdown has a link between "](" and ")"; another address may begin right behind a comma or a bracket.
_LINK = re.compile(rf"https?://(?:(?!\]\(|[],;)]https?://)[^\s<>|\"`\\^{{}}{_BESIDE_LINKS}])+", re.IGNORECASE)
_SOME_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*://|(?:data|javascript|file|blob|about):)\S+", re.IGNORECASE)
# "htps://", "http:/", "https//", "ttp:///": one slip away from a link, and nothing else.
_SLIP = re.compile(
    r"(?=[a-z]*t)(?=[a-z]*p)[htps]{3,6}[:;]?/{1,3}(?P<rest>[^\s/?#@:]+\.[^\s/?#@:]+(?:[/?#]\S*)?)", re.IGNORECASE
)
_TRAILING = ".,;:!?'*_~"
_BRACKETS = {")": "(", "]": "["}
_UNCLEAN = re.compile(r"[\x00-\x20\x7f\\]")
_MAX_LINK = 4096
_PORTS = {"http": 80, "https": 443}
# Only what other sites' advertising adds to any link: what a site itself adds ("si", "h", "token") may be a secret.
_TRACKING = re.compile(r"(utm_(source|medium|campaign|term|content)|fbclid|gclid)(=|$)", re.IGNORECASE)
_SECOND = re.compile(r"t=\d{1,5}s?")
VIDEO_ENDS = (
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".m1v", ".m2v", ".vob", ".flv", ".wmv", ".ogv"),
    *(".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".mxf", ".apng"),
)
"""How the names of video files end."""
_VIDEO_FILE = re.compile(rf"({'|'.join(re.escape(end) for end in (*VIDEO_ENDS, '.gif', '.m3u8'))})$", re.IGNORECASE)
"""Of links: an animation may be behind one to a GIF, and a video behind one to a playlist."""
_CODE = re.compile(r"\.ts$", re.IGNORECASE)
_CODE_HOSTS = frozenset(
    {"github.com", "githubusercontent.com", "gitlab.com", "bitbucket.org", "codeberg.org", "unpkg.com"}
)
"""Where what ends in `.ts` is TypeScript, not a transport stream."""
_VIDEO_SITES = frozenset(
    [
        "youtube.com",
        "youtu.be",
        "youtube-nocookie.com",
        "vimeo.com",
        "dailymotion.com",
        "dai.ly",
        "tiktok.com",
        "twitch.tv",
        "streamable.com",
        "v.redd.it",
        "loom.com",
        "bilibili.com",
        "rumble.com",
        "odysee.com",
        "ted.com",
        "nebula.tv",
        "wistia.com",
        "tube.arte.tv",
    ]
)


_SITES_WITH_TIMES = frozenset(
    {"youtube.com", "youtu.be", "youtube-nocookie.com", "vimeo.com", "dailymotion.com", "dai.ly"}
)
"""Whose links can begin at a second, by the public id of the video."""


def find_links(text: str) -> tuple[str, ...]:
    """Return the http and https links of a message in their order, each once, without what only surrounds them."""
    return tuple(dict.fromkeys(_trimmed(match) for match in _LINK.findall(text)))


def is_link(text: str) -> bool:
    """Tell whether a link is meant by this one word, also one that is never followed (`file:`, `data:`, ...)."""
    return bool(_SOME_LINK.fullmatch(text.strip()))


def meant_links(text: str) -> tuple[str, ...]:
    """Return the links in words said to Keaton, also where all of them are one link with a slip.

    A scheme may be misspelt, and be missing before the host of a known video site.
    """
    links, word = find_links(text), text.strip()
    if links or not word or len(word.split()) > 1:
        return links
    if slip := _SLIP.fullmatch(word):
        return find_links(f"https://{slip['rest']}")
    return find_links(f"https://{word}") if "://" not in word and _is_on_video_site(f"https://{word}") else ()


def is_web(url: str) -> bool:
    """Tell whether this is an http link that all readers read alike."""
    return _split(url) is not None


def canonical(url: str) -> str:
    """Return one spelling for all links that certainly mean the same video: "youtube:ID", or the link tidied up.

    A spelling that could be read in two ways is no site's id, and whatever may be a secret in a link stays in it.
    """
    parts = _split(url)
    if parts is None:
        return url
    return site_ids.of(_lowered(url, parts)) or _tidied(parts)


def looks_like_video(url: str) -> bool:
    """Tell whether a link leads to a known video site or to a video file, as far as its spelling says."""
    parts = _split(url)
    if parts is None:
        return False
    is_file = _VIDEO_FILE.search(parts.path) is not None and not _is_code(_site(parts), parts.path)
    return is_file or _is_on_video_site(url)


def _is_on_video_site(url: str) -> bool:
    parts = _split(url)
    if parts is None:
        return False
    host = _site(parts)
    return any(host == site or host.endswith("." + site) for site in _VIDEO_SITES) and parts.path not in {"", "/"}


def _is_code(host: str, path: str) -> bool:
    return _CODE.search(path) is not None and any(host == one or host.endswith("." + one) for one in _CODE_HOSTS)


def at_second(url: str, t_s: float) -> str | None:
    """Return a link that starts the video at this second, or None where its site has no such links."""
    parts = _split(url)
    if parts is None:
        return None
    second = max(0, int(t_s))
    name, _, number = canonical(url).partition(":") if _site(parts) in _SITES_WITH_TIMES else ("", "", "")
    match name:
        case "youtube":
            return f"https://www.youtube.com/watch?v={number}&t={second}s"
        case "vimeo":
            return urlunsplit(parts._replace(fragment=f"t={second}s"))
        case "dailymotion":
            return f"https://www.dailymotion.com/video/{number}?start={second}"
    if _site(parts) == "twitch.tv" and parts.path.startswith("/videos/"):
        return urlunsplit(parts._replace(query=f"t={second}s", fragment=""))
    return urlunsplit(parts._replace(fragment=f"t={second}")) if _VIDEO_FILE.search(parts.path) else None


def is_on(url: str, sites: AbstractSet[str]) -> bool:
    """Tell whether a link leads to one of these hosts, or to one below them; with no sites named, to any.

    What people post as files lies on their platform's hosts, which are always in.
    """
    host = urlsplit(url).hostname or ""
    return not sites or is_within(host, sites) or is_file_host(host)


def check(url: str, allowed_hosts: AbstractSet[str], sites: AbstractSet[str] = frozenset()) -> None:
    """Refuse a link that leads where Keaton does not go, as far as its spelling says.

    A name that resolves to a private address passes here; the guard at the connect call stops it. Raises LinkRefused.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in _PORTS:
        raise LinkRefused(url, "scheme" if re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) and ":" in url else "malformed")
    parts = _split(url)
    if parts is None or parts.username is not None or parts.password is not None:
        raise LinkRefused(url, "malformed")
    if not is_on(url, sites):
        raise LinkRefused(url, "site")
    host = plain_host(parts.hostname or "")
    if host in {plain_host(allowed) for allowed in allowed_hosts}:
        return
    address = literal(host)
    if is_local_name(host) or (address is not None and not is_public(address)):
        raise LinkRefused(url, "private")
    if parts.port not in {None, *_PORTS.values()}:
        raise LinkRefused(url, "port")


def path_text(path: Path) -> str:
    """Return an absolute path as text that any database and log takes, also where its name is no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def path_of(text: str) -> Path:
    """Return the path that `path_text` wrote down."""
    return (
        Path(os.fsdecode(unquote_to_bytes(text.removeprefix("file://")))) if text.startswith("file://") else Path(text)
    )


def file_title(url: str) -> str:
    """Return the file name at the end of a link without its suffix, or the host where the path names no file."""
    parts = urlsplit(url)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return _VIDEO_FILE.sub("", name) or parts.hostname or url


def _split(url: str) -> SplitResult | None:
    """Take an http link apart, or return None where browsers and libraries might read it differently."""
    if len(url) > _MAX_LINK or _UNCLEAN.search(url):
        return None
    try:
        parts = urlsplit(url)
        sound = parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if sound else None


def _trimmed(link: str) -> str:
    """Take off punctuation that ends the sentence, and brackets that the link does not open."""
    while link:
        last = link[-1]
        unopened = last in _BRACKETS and link.count(last) > link.count(_BRACKETS[last])
        if last not in _TRAILING and not unopened:
            break
        link = link[:-1]
    return link


def _site(parts: SplitResult) -> str:
    host = plain_host(parts.hostname or "")
    return re.sub(r"^(www|m|music|mobile|player|geo|clips)\.", "", host)


def _lowered(url: str, parts: SplitResult) -> str:
    """Return a link with its scheme and host in lower case, and all else as it was spelled."""
    start = len(parts.scheme) + len("://") + len(parts.netloc)
    return url[:start].lower() + url[start:]


def _tidied(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    kept = [one for one in parts.query.split("&") if one and not _TRACKING.match(one)]
    # Values are not compared: of two with one name a server may take the first or the last.
    query = "&".join(sorted(kept, key=lambda one: one.partition("=")[0]))
    fragment = "" if _SECOND.fullmatch(parts.fragment) else parts.fragment
    return urlunsplit((parts.scheme, host + port, parts.path or "/", query, fragment))
