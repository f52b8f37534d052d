"""The download child's program: a link on stdin, progress and the file's name on stdout, by yt-dlp.

Plain HTTP by Python code only: no ffmpeg, curl, cookies, configuration files or plugins, and nothing written outside
the job's folder.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

import deno  # type: ignore[import-untyped]

from core.engines.download import network_guard
from core.engines.sandbox import forkserver, protocol
from core.engines.sandbox import limits as sandbox
from core.hosts import fetch_hosts, is_within
from core.limits import ABSURD, FetchLimits
from core.links import file_title

sys.modules["curl_cffi"] = None  # type: ignore[assignment] # its connections would pass the guard unseen

import yt_dlp  # noqa: E402
from yt_dlp.extractor.generic import GenericIE  # noqa: E402
from yt_dlp.utils import DownloadCancelled, UnsupportedError  # noqa: E402

from core.engines.download import direct, errors  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPORT_EVERY_S = 0.2
_OPEN_FILES = 256
_FORMATS = "bv/bv*/b"
_PREFERENCES = ["res:360", "vcodec:h264", "+size", "+br"]
_UNNAMED = frozenset({"generic", "html5mediaembed"})
"""Extractors whose ids say nothing about the video."""
_LIVE = frozenset({"is_live", "is_upcoming"})


class TooLargeError(DownloadCancelled):  # type: ignore[misc] # yt-dlp has no types
    """The video has more bytes than it may have; `found` as far as known."""

    def __init__(self, found: int) -> None:
        super().__init__()
        self.found = found


class _Silence:
    """A logger for yt-dlp: what matters comes as exceptions."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


@dataclass(slots=True)
class Reporter:
    """Reports to the parent how far the fetch is, and stops it when it grows too large."""

    out: BinaryIO
    max_bytes: int
    _told_at: float = 0.0

    def hook(self, status: Mapping[str, Any]) -> None:
        """Report what yt-dlp says while it downloads."""
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        done = int(status.get("downloaded_bytes") or 0)
        self._check(max(done, int(status.get("total_bytes") or 0)))
        finished = status.get("status") == "finished"
        self._tell(done, total and int(total), status.get("eta"), status.get("speed"), finished=finished)

    def hear(self, done_bytes: int, total_bytes: int | None, *, finished: bool) -> None:
        """Report what `core.engines.download.direct` says while it downloads."""
        self._check(max(done_bytes, total_bytes or 0))
        self._tell(done_bytes, total_bytes, None, None, finished=finished)

    def _check(self, found: int) -> None:
        if found > self.max_bytes:
            raise TooLargeError(found)

    def _tell(self, done: int, total: int | None, eta_s: float | None, speed: float | None, *, finished: bool) -> None:
        now = time.monotonic()
        if finished or now - self._told_at >= _REPORT_EVERY_S:
            self._told_at = now
            header = {"kind": "fetching", "done_bytes": done, "total_bytes": _sober(total)}
            protocol.send(self.out, {**header, "eta_s": _sober(eta_s), "bytes_per_s": _sober(speed)})


class FilesOnlyIE(GenericIE):  # type: ignore[misc] # yt-dlp has no types
    """Takes files and manifests from unknown sites, and reads none of their pages."""

    @classmethod
    def ie_key(cls) -> str:
        """Return the name of the extractor that this one replaces."""
        return "Generic"

    def _webpage_read_content(self, urlh: Any, url_or_request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as yt-dlp has it
        prefix = kwargs.get("prefix")  # the first bytes of what is no video; manifests may also come without
        if prefix is not None and not prefix.startswith(b"#EXTM3U"):
            raise UnsupportedError(str(url_or_request))
        return super()._webpage_read_content(urlh, url_or_request, *args, **kwargs)


def _take_files_only(downloader: yt_dlp.YoutubeDL) -> None:
    """Read no pages of unknown sites."""
    downloader._ies["Generic"] = FilesOnlyIE  # noqa: SLF001 - there is no other way to replace an extractor
    downloader._ies_instances["Generic"] = FilesOnlyIE(downloader)  # noqa: SLF001


@dataclass(slots=True)
class VideoFilter:
    """Decides about one video by what its site says of it, before a byte is downloaded; remembers why it refused."""

    duration_s: float
    hosts: frozenset[str]
    """The only ones that may be contacted (`core.hosts.fetch_hosts`); none for any."""
    refusal: Mapping[str, object] | None = None
    """The message that ends the fetch."""

    def __call__(self, info: Mapping[str, Any], *, incomplete: bool = False) -> str | None:
        """Return a reason to pass over a video, or None, as yt-dlp's `match_filter` wants it."""
        del incomplete
        self.refusal = self._judged(info)
        return None if self.refusal is None else "passed over"

    def _judged(self, info: Mapping[str, Any]) -> Mapping[str, object] | None:
        if info.get("is_live") or info.get("live_status") in _LIVE:
            return {"kind": "unavailable", "why": "live"}
        for host in {urlsplit(url).hostname or "" for url in _places(info)} if self.hosts else ():
            if not is_within(host, self.hosts):
                return {"kind": "refused", "why": "site", "host": host}
        length_s = info.get("duration")
        if isinstance(length_s, int | float) and length_s > self.duration_s:
            return {
                "kind": "over_limit",
                "quantity": "duration_s",
                "found": min(length_s, ABSURD),
                "name": str(info.get("title") or ""),
            }
        return None


def _places(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pages that a video comes from, and of unknown sites the files; known sites have hosts for those."""
    page = [str(info["webpage_url"])] if info.get("webpage_url") else []
    if str(info.get("extractor_key") or "generic").lower() not in _UNNAMED:
        return tuple(page)
    formats = info.get("formats") or [info]
    return (*page, *(str(one["url"]) for one in formats if one.get("url")))


@dataclass(slots=True)
class FetchJob:
    """One fetch."""

    url: str
    folder: Path
    limits: FetchLimits
    reporter: Reporter
    watch: network_guard.Guard
    runtime: str = ""
    """Where deno is, which YouTube needs, or "" where it is not."""
    filter: VideoFilter = field(init=False)

    def __post_init__(self) -> None:
        self.filter = VideoFilter(self.limits.duration_s, self.watch.hosts)

    def run(self) -> Mapping[str, object]:
        """Download; return the last message: "fetched", "unavailable", "over_limit", "refused" or "failed"."""
        with yt_dlp.YoutubeDL(self._options()) as downloader:
            if not self.limits.pages:
                _take_files_only(downloader)
            info = downloader.extract_info(self.url, download=True)
        entry = _first(info)
        if self.filter.refusal is not None:
            return self.filter.refusal
        if self.watch.refusal is not None:  # a piece that yt-dlp would do without: the video has gaps
            return self.watch.refusal
        done = (entry or {}).get("requested_downloads") or []
        path = Path(done[0]["filepath"]) if done else None
        if entry is None or path is None or not path.is_file():
            return {"kind": "unavailable", "why": "no_video"}
        return {"kind": "fetched", "name": path.name, "several": _several(info), **_named(entry, self.url)}

    def run_with(self, token: str) -> Mapping[str, object]:
        """Download a file that a token opens; return the last message."""
        path = self.folder / "video"
        try:
            direct.Download(self.url, token, path, self.reporter.hear).run()
        except direct.LoginPageError:
            return {"kind": "unavailable", "why": "login"}
        named = {"url": self.url, "video_id": None, "title": file_title(self.url)}
        return {"kind": "fetched", "name": path.name, "several": False, **named}

    def _judge(self, info: Mapping[str, Any], *, incomplete: bool = False) -> str | None:
        """Return a reason to pass over a video that was found, or None; what was refused before that does not count."""
        self.watch.refused = None
        return self.filter(info, incomplete=incomplete)

    def _options(self) -> dict[str, Any]:
        return {
            "format": _FORMATS,
            "format_sort": _PREFERENCES,
            "noplaylist": True,
            "playlist_items": "1",
            "paths": {"home": str(self.folder)},
            "outtmpl": {"default": "video.%(ext)s"},
            "cachedir": False,
            "fixup": "never",
            "postprocessors": [],
            "updatetime": False,
            "continuedl": True,
            "hls_prefer_native": True,
            "external_downloader": {"default": "native"},
            "js_runtimes": {"deno": {"path": self.runtime}} if self.runtime else {},
            "socket_timeout": 20,
            "retries": 1,
            "fragment_retries": 2,
            "extractor_retries": 1,
            "proxy": "",
            "max_filesize": None,
            "match_filter": self._judge,
            "progress_hooks": [self.reporter.hook],
            "logger": _Silence(),
            "quiet": True,
            "noprogress": True,
            "color": "never",
        }


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Fetch one link under guard, and send how it ended."""
    limits = _limits(request)
    program = runtime()
    url, hosts = str(request["url"]), _texts(request["allowed_hosts"])
    allowed = network_guard.resolved(hosts)
    watch = network_guard.Guard(allowed, program, network_guard.own_addresses, fetch_hosts(url, limits.sites))
    watch.install()
    job = FetchJob(url, Path(str(request["folder"])), limits, Reporter(out, limits.size_bytes), watch, program)
    token = str(request.get("bearer") or "")
    try:
        last = job.run_with(token) if token else job.run()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - extractors raise all there is
        last = _ended_badly(error, watch)
    protocol.send(out, last)


def _sober(number: float | None) -> float | None:
    """Return a number, or None where it is absurd: sites may claim anything."""
    return number if number is not None and abs(number) < ABSURD else None


def runtime() -> str:
    """Return where the JavaScript runtime is, or "" where there is none."""
    try:
        return str(deno.find_deno_bin())
    except FileNotFoundError:
        return ""


def _limits(request: Mapping[str, object]) -> FetchLimits:
    told = dict(request["limits"])  # type: ignore[call-overload] # our own parent wrote it
    return FetchLimits(**{**told, "sites": frozenset(_texts(told["sites"]))})


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _ended_badly(error: Exception, watch: network_guard.Guard) -> Mapping[str, object]:
    if watch.refusal is not None:
        return watch.refusal
    if isinstance(error, TooLargeError):
        return {"kind": "over_limit", "quantity": "size_bytes", "found": min(error.found, ABSURD)}
    kind, why, detail = errors.of(error)
    if kind == "over_limit":
        return {"kind": kind, "quantity": why, "found": None}
    return {"kind": kind, "why": why, "detail": detail}


def _first(info: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the one video: the result itself, or the first of a list."""
    while info is not None and info.get("_type") in {"playlist", "multi_video"}:
        info = next((entry for entry in info.get("entries") or () if entry), None)
    return info


def _several(info: Mapping[str, Any] | None) -> bool:
    """Return whether there were more videos than the one that was taken."""
    return info is not None and info.get("_type") in {"playlist", "multi_video"} and info.get("playlist_count") != 1


def _named(entry: Mapping[str, Any], url: str) -> dict[str, str | None]:
    site = str(entry.get("extractor_key") or "generic").lower()
    page = str(entry.get("webpage_url") or url)
    uploader = entry.get("uploader") or entry.get("channel")
    named = {"url": page if page.startswith(("http://", "https://")) else url, "video_id": None}
    if site in _UNNAMED:
        title = file_title(url) if entry.get("direct") else entry.get("title")
        return {**named, "title": str(title or file_title(url)), "uploader": None}
    names = {"title": str(entry.get("title") or file_title(url)), "uploader": str(uploader) if uploader else None}
    return {**named, **names, "video_id": f"{site}:{entry['id']}"}


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up all but the network, the job's folder and the JavaScript runtime; return the request."""
    limits = _limits(request)
    sandbox.bound(sandbox.Bounds(limits.timeout_s, limits.memory_bytes, limits.size_bytes, _OPEN_FILES))
    any_port = bool(_texts(request["allowed_hosts"]))
    sandbox.shut_in_fetching(Path(str(request["folder"])), runtime(), any_port=any_port)
    return request


if __name__ == "__main__":
    forkserver.run(serve, shut_in)
