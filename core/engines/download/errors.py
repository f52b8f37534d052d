"""Maps exceptions and messages of yt-dlp to the codes of `VideoUnavailable` and `FetchFailed`. Runs in the child."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError

from yt_dlp.networking import exceptions as network
from yt_dlp.utils import ContentTooShortError, DownloadError, GeoRestrictedError, UnsupportedError, UserNotLive

if TYPE_CHECKING:
    from collections.abc import Iterator


class Failure(NamedTuple):
    """What went wrong: "unavailable", "failed", "refused", "over_limit" or "disk_full", with a code of that kind."""

    kind: str
    why: str
    detail: str


_STATUS = {
    401: ("unavailable", "login"),
    404: ("unavailable", "not_found"),
    410: ("unavailable", "not_found"),
    451: ("unavailable", "geo"),
    **dict.fromkeys((429, 500, 502, 503, 504), ("failed", "busy")),
}
_CLASSES: tuple[tuple[tuple[type[BaseException], ...], tuple[str, str]], ...] = (
    ((UnsupportedError,), ("unavailable", "no_video")),
    ((GeoRestrictedError,), ("unavailable", "geo")),
    ((UserNotLive,), ("unavailable", "live")),
    ((network.SSLError, ssl.SSLError), ("failed", "tls")),
    ((socket.gaierror,), ("failed", "dns")),
    ((ConnectionRefusedError,), ("failed", "refused")),
    ((TimeoutError,), ("failed", "timeout")),
    ((MemoryError,), ("over_limit", "memory_bytes")),
    ((ContentTooShortError, network.IncompleteRead, ConnectionError, HTTPException), ("failed", "broken")),
)
_EAI_NODATA = getattr(socket, "EAI_NODATA", socket.EAI_NONAME)  # macOS and Windows have no such code
_FORBIDDEN = re.compile(
    r"file:// urls are disabled|no connection adapters|unsupported url scheme|unknown url type", re.IGNORECASE
)
_FULL = re.compile("no space left on device|disk quota exceeded", re.IGNORECASE)
_BROKEN = re.compile(
    r"bytes read, .* more expected|giving up after|connection (was )?(broken|aborted|reset)", re.IGNORECASE
)
_SAYINGS: tuple[tuple[str, str], ...] = (
    (r"available in your (country|location|region)|geo.?restrict|blocked it in your country", "geo"),
    (r"not a bot|captcha|anti-bot|unusual traffic", "robot"),
    (r"confirm your age|age.restricted|age.gate|age.verif|inappropriate for some users", "age"),
    (r"sign in|log ?in|logged.in|cookies|private video|members.only|subscribers|password|registered users", "login"),
    (r"live event|premieres? in|premiere will begin|is live|will begin in|livestream|not currently live", "live"),
    (r"looks truncated|incomplete youtube id", "truncated"),
    (r"is unusual and will be skipped", "no_video"),
    (r"downloaded file is empty|did not get any data", "empty"),
    (
        r"removed|deleted|terminated|no longer (available|exists)|video (is )?unavailable|not available|private",
        "removed",
    ),
    (r"drm|ffmpeg|unsupported|external downloader", "unsupported"),
    (r"no video|no media|requested format|no formats|unable to extract", "no_video"),
)


def of(error: BaseException) -> Failure:
    """Return the code that fits an exception and all that led to it."""
    chain, detail = tuple(_causes(error)), _detail(error)
    return _answered(chain, detail) or _classed(chain, detail) or _said(chain, detail)


def _answered(chain: tuple[BaseException, ...], detail: str) -> Failure | None:
    """Judge by the status that a server gave."""
    for cause in chain:
        if isinstance(cause, network.HTTPError) and cause.redirect_loop:
            return Failure("unavailable", "circles", detail)
        if isinstance(cause, network.HTTPError | HTTPError):
            kind, why = _STATUS.get(_status(cause), ("failed", "http"))
            return Failure(kind, why, f"HTTP {_status(cause)}")
    return None


def _classed(chain: tuple[BaseException, ...], detail: str) -> Failure | None:
    """Judge by the exceptions' classes."""
    if any(isinstance(cause, OSError) and cause.errno == errno.EFBIG for cause in chain):
        return Failure("over_limit", "size_bytes", detail)
    if any(isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT} for cause in chain):
        return Failure("disk_full", "", detail)
    if any(_is_no_name(cause) for cause in chain):
        return Failure("unavailable", "no_site", detail)
    for types, (kind, why) in _CLASSES:
        if any(isinstance(cause, types) for cause in chain):
            return Failure(kind, why, detail)
    return None


def _is_no_name(cause: BaseException) -> bool:
    """Return whether a name server has said that there is no such name; one that could not be asked says nothing."""
    return isinstance(cause, socket.gaierror) and cause.errno in {socket.EAI_NONAME, _EAI_NODATA}


def _said(chain: tuple[BaseException, ...], detail: str) -> Failure:
    """Judge by what the message says."""
    if _FORBIDDEN.search(detail):
        return Failure("refused", "scheme", detail)
    if _FULL.search(detail):
        return Failure("disk_full", "", detail)
    if _BROKEN.search(detail):
        return Failure("failed", "broken", detail)
    from_network = any(isinstance(cause, network.RequestError | OSError) for cause in chain)
    for saying, why in () if from_network else _SAYINGS:
        if re.search(saying, detail, re.IGNORECASE):
            return Failure("unavailable", why, detail)
    return Failure("failed", "other", detail)


def _status(error: network.HTTPError | HTTPError) -> int:
    return int(error.code if isinstance(error, HTTPError) else error.status)


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    """Return the exception and what it wraps, in the several ways that yt-dlp and Python have of wrapping."""
    if error is None or depth > 12:
        return
    yield error
    inner = [error.__cause__, error.__context__, getattr(error, "cause", None), getattr(error, "reason", None)]
    if isinstance(error, DownloadError) and error.exc_info:
        inner.append(error.exc_info[1])
    for cause in inner:
        if isinstance(cause, BaseException) and cause is not error:
            yield from _causes(cause, depth + 1)


def _detail(error: BaseException) -> str:
    """Return yt-dlp's own sentence without its decoration and its advice."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")
    text = re.split(r"; please report|\. Use --|; see {2}https", text)[0]
    return " ".join(text.split())[:300]
