"""Which film somebody means. Owns that decision; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors.asking import AmbiguousVideo, UnknownVideo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.model import PostedVideo

_LEAST_PREFIX = 4


def pick(posted: Sequence[PostedVideo], name: str) -> PostedVideo:
    """Give the film that goes by that id or title, or by a part of one that fits no other.

    Raises UnknownVideo, AmbiguousVideo.
    """
    wanted = name.strip().casefold()
    for fits in _ways(wanted):
        hits = [one for one in posted if fits(one)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise AmbiguousVideo(name, tuple(hit.video.title for hit in hits))
    raise UnknownVideo(name)


def _ways(wanted: str) -> tuple[Callable[[PostedVideo], bool], ...]:
    """From the strictest to the most lenient."""
    return (
        lambda one: one.video.id.casefold() == wanted,
        lambda one: one.video.title.casefold() == wanted,
        lambda one: len(wanted) >= _LEAST_PREFIX and _short_id(one).startswith(wanted),
        lambda one: bool(wanted) and wanted in one.video.title.casefold(),
    )


def _short_id(one: PostedVideo) -> str:
    return one.video.id.casefold().removeprefix("sha256:")
