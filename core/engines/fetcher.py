"""The fetching child's program: one link on stdin, progress and a file on stdout, by yt-dlp.

Owns yt-dlp's options and the limits. Nothing but plain HTTP by Python code: no ffmpeg, no curl, no cookies, no
configuration files, no plugins, and nothing written outside the job's folder.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import deno  # type: ignore[import-untyped]

from core.engines import childhood, guard, wire
from core.links import file_title

sys.modules["curl_cffi"] = None  # type: ignore[assignment] # its connections would pass the guard unseen

import yt_dlp  # noqa: E402
from yt_dlp.utils import DownloadCancelled  # noqa: E402

from core.engines import trouble  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPORT_EVERY_S = 0.2
_UNNAMED = frozenset({"generic", "html5mediaembed"})
"""Extractors whose ids say nothing about the film."""
_FORMATS = "bv/bv*/b"
_PREFERENCES = ["res:360", "vcodec:h264", "+size", "+br"]


class TooLargeError(DownloadCancelled):  # type: ignore[misc] # yt-dlp has no types
    """The film has more bytes than it may have."""


class _Silence:
    """A logger for yt-dlp: what matters comes as exceptions."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


@dataclass(slots=True)
class Job:
    """One fetch."""

    url: str
    folder: Path
    max_bytes: int
    out: BinaryIO
    live: bool = False
    _told_at: float = 0.0

    def run(self) -> Mapping[str, object]:
        """Download; give the last message: "fetched", "unavailable" or "failed"."""
        with yt_dlp.YoutubeDL(self._options()) as downloader:
            info = downloader.extract_info(self.url, download=True)
        entry = _first(info)
        if self.live:
            return {"kind": "unavailable", "why": "live"}
        done = (entry or {}).get("requested_downloads") or []
        path = Path(done[0]["filepath"]) if done else None
        if entry is None or path is None or not path.is_file():
            return {"kind": "unavailable", "why": "no_video"}
        return {"kind": "fetched", "name": path.name, **_named(entry, self.url)}

    def _options(self) -> dict[str, Any]:
        return {
            "format": _FORMATS,
            "format_sort": _PREFERENCES,
            "noplaylist": True,
            "playlist_items": "1",
            "paths": {"home": str(self.folder)},
            "outtmpl": {"default": "film.%(ext)s"},
            "cachedir": False,
            "fixup": "never",
            "postprocessors": [],
            "updatetime": False,
            "continuedl": False,
            "hls_prefer_native": True,
            "external_downloader": {"default": "native"},
            "js_runtimes": {"deno": {"path": deno.find_deno_bin()}},
            "socket_timeout": 20,
            "retries": 2,
            "fragment_retries": 2,
            "extractor_retries": 1,
            "proxy": "",
            "max_filesize": None,
            "match_filter": self._filter,
            "progress_hooks": [self._progress],
            "logger": _Silence(),
            "quiet": True,
            "noprogress": True,
            "color": "never",
        }

    def _filter(self, info: Mapping[str, Any], *, incomplete: bool = False) -> str | None:
        """Tell yt-dlp to pass over a stream that has no end yet."""
        del incomplete
        self.live = bool(info.get("is_live")) or info.get("live_status") in {"is_live", "is_upcoming"}
        return "live" if self.live else None

    def _progress(self, status: Mapping[str, Any]) -> None:
        done = int(status.get("downloaded_bytes") or 0)
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        if max(done, int(status.get("total_bytes") or 0)) > self.max_bytes:
            raise TooLargeError
        now = time.monotonic()
        if now - self._told_at >= _REPORT_EVERY_S or status.get("status") == "finished":
            self._told_at = now
            header = {"kind": "fetching", "done_bytes": done, "total_bytes": total and int(total)}
            wire.send(self.out, {**header, "eta_s": status.get("eta")})


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Fetch one link under guard, and say how it ended."""
    max_bytes = int(str(request["max_bytes"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    allowed = request["allowed_hosts"]
    hosts = [str(host) for host in allowed] if isinstance(allowed, list) else []
    watch = guard.Guard(guard.resolved(hosts), deno.find_deno_bin())
    watch.install()
    job = Job(str(request["url"]), Path(str(request["folder"])), max_bytes, out)
    try:
        last = job.run()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - extractors raise all there is
        last = _ended_badly(error, watch)
    wire.send(out, last)


def _ended_badly(error: Exception, watch: guard.Guard) -> Mapping[str, object]:
    if watch.refused is not None:
        return {"kind": "refused", "why": watch.refused}
    if isinstance(error, TooLargeError):
        return {"kind": "unavailable", "why": "too_large"}
    kind, why, detail = trouble.of(error)
    return {"kind": kind, "why": why, "detail": detail}


def _first(info: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Give the one film: the result itself, or the first of a list."""
    while info is not None and info.get("_type") in {"playlist", "multi_video"}:
        info = next((entry for entry in info.get("entries") or () if entry), None)
    return info


def _named(entry: Mapping[str, Any], url: str) -> dict[str, str | None]:
    site = str(entry.get("extractor_key") or "generic").lower()
    page = str(entry.get("webpage_url") or url)
    named = {"url": page if page.startswith(("http://", "https://")) else url, "video_id": None}
    if site in _UNNAMED:
        title = file_title(url) if entry.get("direct") else entry.get("title")
        return {**named, "title": str(title or file_title(url))}
    return {**named, "title": str(entry.get("title") or file_title(url)), "video_id": f"{site}:{entry['id']}"}


if __name__ == "__main__":
    childhood.run(serve)
