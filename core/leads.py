"""May a link be answered with a kept video without downloading it? Decided here only; pure.

Strangers choose links, ids and redirects, so a video is known by its bytes, and a link leads to it only in the space
that downloaded it. Public ids of a few sites (`core.site_ids`) count everywhere, once the site's own extractor answered
with that very id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core import site_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model.video import Scope, Video


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
    return site_ids.is_public(link) and site_id == link


def is_same(video_id: str, content_id: str, link: str, site_id: str | None) -> bool:
    """Tell whether what was fetched anew is a video that is kept.

    Databases of earlier versions hold videos by their sites' ids; those are the same where the site confirms that.
    """
    return video_id == content_id or (video_id == link and confirms(link, site_id))


def _is_denied(link: str, site_id: str) -> bool:
    """Tell whether a link that means one video of a site led to another."""
    return bool(site_id) and site_ids.names_site(link) and site_id != site_ids.without_key(link)


def _as_its_site_calls_it(video: Video) -> Video:
    return replace(video, url="")
