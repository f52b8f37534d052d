"""Which film somebody means. Owns that decision; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.errors.asking import AmbiguousVideo, UnknownVideo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.model import PostedVideo

_LEAST_PREFIX = 4


def names(posted: Sequence[PostedVideo]) -> Mapping[str, str]:
    """Return by its id the name that each video is shown under and can be asked for by.

    That is its title; of several with one title each has a number behind it, the one that was posted first "(1)".
    """
    same = Counter(one.video.title.casefold() for one in posted)
    counted: Counter[str] = Counter()
    called = {}
    for one in reversed(posted):
        title = one.video.title
        counted[title.casefold()] += 1
        called[one.video.id] = f"{title} ({counted[title.casefold()]})" if same[title.casefold()] > 1 else title
    return called


def pick(posted: Sequence[PostedVideo], name: str) -> PostedVideo:
    """Give the film that goes by that id, title or name (see `names`), or by a part of one that fits no other.

    `posted` is newest first. Raises UnknownVideo, AmbiguousVideo.
    """
    wanted = name.strip().casefold()
    called = names(posted)
    for fits in _ways(wanted, called):
        hits = [one for one in posted if fits(one)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise AmbiguousVideo(name, tuple(called[hit.video.id] for hit in hits))
    raise UnknownVideo(name)


def _ways(wanted: str, called: Mapping[str, str]) -> tuple[Callable[[PostedVideo], bool], ...]:
    """From the strictest to the most lenient."""
    return (
        lambda one: one.video.id.casefold() == wanted,
        lambda one: one.video.title.casefold() == wanted,
        lambda one: called[one.video.id].casefold() == wanted,
        lambda one: len(wanted) >= _LEAST_PREFIX and _short_id(one).startswith(wanted),
        lambda one: bool(wanted) and wanted in one.video.title.casefold(),
    )


def _short_id(one: PostedVideo) -> str:
    return one.video.id.casefold().removeprefix("sha256:")
