"""What goes wrong in yt-dlp is told apart by its own exceptions and its own words."""

from __future__ import annotations

import errno
import http.client
import io
import socket
import ssl
from urllib.error import HTTPError, URLError

import pytest
from yt_dlp import YoutubeDL
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.networking import Response, exceptions
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
)

from core.engines.download import errors
from core.errors import FetchFailed, LinkRefused, VideoUnavailable
from core.wording.errors import sentence


def answer(status: int) -> Response:
    return Response(io.BytesIO(b""), "https://site.example/v", {}, status)


SAID = [
    ("Private video. Sign in if you've been granted access to this video", "login"),
    ("Join this channel to get access to members-only content like this video, and other exclusive perks.", "login"),
    ("This video is only available for registered users. Use --cookies for the authentication", "login"),
    ("TikTok is requiring login for access to this content. Use --cookies-from-browser", "login"),
    ("Sign in to confirm your age. This video may be inappropriate for some users. Use --cookies", "age"),
    ("Sign in to confirm you're not a bot. Use --cookies-from-browser or --cookies for the authentication", "robot"),
    ("Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again", "robot"),
    ("The uploader has not made this video available in your country", "geo"),
    ("Video unavailable. This video contains content from X, who has blocked it in your country", "geo"),
    ("Video unavailable. This video has been removed by the uploader", "removed"),
    (
        "This video is no longer available because the YouTube account associated with it has been terminated.",
        "removed",
    ),
    ("Video unavailable", "removed"),
    ("This live event will begin in a few moments.", "live"),
    ("Premieres in 3 hours", "live"),
    ("This video is DRM protected", "unsupported"),
    ("ffmpeg is not installed. Aborting due to --abort-on-error", "unsupported"),
    ("No video formats found!", "no_video"),
    ("Incomplete YouTube ID dQw4w9. URL https://www.youtube.com/watch?v=dQw4w9 looks truncated.", "truncated"),
    ("The extracted extension ('php') is unusual and will be skipped for safety reasons.", "no_video"),
    ("The downloaded file is empty", "empty"),
    ("Unable to extract data; please report this issue on https://github.com/yt-dlp", "no_video"),
]


@pytest.mark.parametrize(("text", "why"), SAID)
def test_given_a_sites_words_when_judged_then_their_code(text: str, why: str) -> None:
    error = DownloadError(f"ERROR: [youtube] dQw4w9WgXcQ: {text}")
    assert errors.of(error)[:2] == ("unavailable", why)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UnsupportedError("https://site.example/"), ("unavailable", "no_video")),
        (GeoRestrictedError("not here"), ("unavailable", "geo")),
        (UserNotLive(), ("unavailable", "live")),
        (exceptions.HTTPError(answer(404)), ("unavailable", "not_found")),
        (exceptions.HTTPError(answer(401)), ("unavailable", "login")),
        (exceptions.HTTPError(answer(451)), ("unavailable", "geo")),
        (exceptions.HTTPError(answer(418)), ("failed", "http")),
        (exceptions.HTTPError(answer(503)), ("failed", "busy")),
        (exceptions.HTTPError(answer(302), redirect_loop=True), ("unavailable", "circles")),
        (exceptions.CertificateVerifyError(cause=ssl.SSLCertVerificationError()), ("failed", "tls")),
        (exceptions.TransportError(cause=socket.gaierror(socket.EAI_NONAME, "unknown")), ("unavailable", "no_site")),
        (exceptions.TransportError(cause=socket.gaierror(socket.EAI_AGAIN, "nobody answers")), ("failed", "dns")),
        (exceptions.TransportError(cause=ConnectionRefusedError()), ("failed", "refused")),
        (exceptions.TransportError(cause=TimeoutError()), ("failed", "timeout")),
        (exceptions.TransportError(cause=ConnectionResetError()), ("failed", "broken")),
        (exceptions.IncompleteRead(5, 9), ("failed", "broken")),
        (ContentTooShortError(5, 9), ("failed", "broken")),
        (http.client.RemoteDisconnected("gone"), ("failed", "broken")),
        (MemoryError(), ("over_limit", "memory_bytes")),
        (OSError(errno.EFBIG, "too big"), ("over_limit", "size_bytes")),
        (URLError(ssl.SSLError()), ("failed", "tls")),
        (HTTPError("https://a.example", 404, "gone", http.client.HTTPMessage(), None), ("unavailable", "not_found")),
        (ExtractorError("file:// URLs are disabled by default in yt-dlp for security reasons"), ("refused", "scheme")),
        (RuntimeError("a bug"), ("failed", "other")),
    ],
)
def test_given_wrapped_exceptions_when_judged_then_their_code(error: Exception, told: tuple[str, str]) -> None:
    wrapped = ExtractorError("Unable to download webpage", cause=error)
    for one in (error, wrapped, DownloadError("ERROR: x", (type(wrapped), wrapped, None))):
        if not isinstance(error, ExtractorError) or one is error:
            assert errors.of(one)[:2] == told


def test_given_yt_dlps_own_errors_when_judged_then_their_code() -> None:
    with YoutubeDL({"quiet": True, "cachedir": False}) as downloader:
        extractor = GenericIE(downloader)
        for act, why in (
            (extractor.raise_login_required, "login"),
            (extractor.raise_geo_restricted, "geo"),
            (lambda: extractor.raise_no_formats("No video formats found!", expected=True), "no_video"),
        ):
            with pytest.raises(ExtractorError) as raised:
                act()
            assert errors.of(raised.value)[:2] == ("unavailable", why)


def test_given_every_code_when_worded_then_a_sentence_each() -> None:
    gone = ("no_video", "not_found", "login", "age", "robot", "live", "geo", "removed", "circles", "unsupported")
    failed = ("dns", "tls", "refused", "timeout", "slow", "broken", "busy", "http", "other")
    refused = ("scheme", "private", "port", "malformed", "site")
    said = [
        *(sentence(VideoUnavailable("u", why)) for why in gone),
        *(sentence(FetchFailed("u", why)) for why in failed),
        *(sentence(LinkRefused("u", why)) for why in refused),
    ]
    assert len(set(said)) == len(gone) + len(failed) + len(refused)
