"""What is refused before a byte is downloaded: unknown pages, live streams, videos that are too long.

Runs in the child.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from yt_dlp.extractor.generic import GenericIE
from yt_dlp.utils import UnsupportedError

from core.hosts import is_within
from core.limits import ABSURD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yt_dlp import YoutubeDL

UNNAMED = frozenset({"generic", "html5mediaembed"})
"""Extractors whose ids say nothing about the video."""
_LIVE = frozenset({"is_live", "is_upcoming"})


class FilesOnlyIE(GenericIE):  # type: ignore[misc] # yt-dlp has no types
    """Takes files and manifests from unknown sites, and reads none of their pages."""

    @classmethod
    def ie_key(cls) -> str:
        """Stand in for the extractor of that name."""
        return "Generic"

    def _webpage_read_content(self, urlh: Any, url_or_request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as yt-dlp has it
        prefix = kwargs.get("prefix")  # the first bytes of what is no video; manifests may also come without
        if prefix is not None and not prefix.startswith(b"#EXTM3U"):
            raise UnsupportedError(str(url_or_request))
        return super()._webpage_read_content(urlh, url_or_request, *args, **kwargs)


def take_files_only(downloader: YoutubeDL) -> None:
    """Let unknown sites' pages be."""
    downloader._ies["Generic"] = FilesOnlyIE  # noqa: SLF001 - there is no other way to replace an extractor
    downloader._ies_instances["Generic"] = FilesOnlyIE(downloader)  # noqa: SLF001


@dataclass(slots=True)
class Sieve:
    """Decides about one video by what its site says of it; remembers why it let it pass by."""

    duration_s: float
    hosts: frozenset[str]
    """The only ones that may be contacted (`core.hosts.fetch_hosts`); none for any."""
    refusal: Mapping[str, object] | None = None
    """The message that ends the fetch."""

    def __call__(self, info: Mapping[str, Any], *, incomplete: bool = False) -> str | None:
        """Give a reason to pass over a video, or None, as yt-dlp's `match_filter` wants it."""
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
    """Give the pages, and of unknown sites the files too, that a video comes from; known sites have hosts for those."""
    page = [str(info["webpage_url"])] if info.get("webpage_url") else []
    if str(info.get("extractor_key") or "generic").lower() not in UNNAMED:
        return tuple(page)
    formats = info.get("formats") or [info]
    return (*page, *(str(one["url"]) for one in formats if one.get("url")))
