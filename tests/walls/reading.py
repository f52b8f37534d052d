"""What yt-dlp reads in a link, asked of its own extractors: the yardstick of `core.site_ids`. Fetches nothing."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from yt_dlp.extractor import gen_extractor_classes

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def extractors() -> Sequence[Any]:
    """Return the extractors that may be asked by links to these sites, in yt-dlp's order."""
    named = ("youtube", "vimeo", "dailymotion", "tiktok", "generic")
    return [one for one in gen_extractor_classes() if one.ie_key().lower().startswith(named)]


def read_by_yt_dlp(url: str) -> str:
    """Return the id of the video that yt-dlp would fetch, "" where it would read a page or a list.

    A key that it would open the video with is part of it ("vimeo:ID/KEY").
    """
    chosen = next(one for one in extractors() if one.suitable(url))
    match chosen.ie_key():
        case "Youtube" | "Dailymotion" | "TikTok":
            return f"{chosen.ie_key().lower()}:{chosen.get_temp_id(url)}"
        case "Vimeo":
            number = chosen.get_temp_id(url)
            keys = re.findall(rf"/{number}/([\da-f]{{10}})(?![^/?#])|[?&]h=([^&#]+)", url)
            return "/".join([f"vimeo:{number}", *(path or query for path, query in keys)])
        case "YoutubeTab":  # with `noplaylist` it goes on to the video that the link names
            video = parse_qs(urlsplit(url).query).get("v", [""])[0]
            return f"youtube:{video}" if video else ""
    return ""
