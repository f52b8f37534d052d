"""Limits on indexing, downloading and browsing. Most are settings."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias, cast, get_args


@dataclass(frozen=True, slots=True)
class IndexingLimits:
    """How much is done at once."""

    videos_at_once: int
    batch: int
    """Frames a forward pass."""
    videos_per_space: int = 32
    """Of those at once, how many of one guild or workspace."""
    save_every_s: float = 2.0
    """How often what is seen for a job is written down."""
    file_bytes: float = inf
    """How large a file may be that is named on this machine's own disk, or posted on the page."""


Quantity: TypeAlias = Literal["duration_s", "size_bytes", "frame_px", "frames", "decode_s", "memory_bytes"]


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What reading one video may take."""

    duration_s: float = 5 * 3600.0
    frame_px: int = 36_000_000
    """Width times height; 8K has 33 million."""
    frames: int = 2_000_000
    """Decoded, not indexed."""
    decode_s: float = 7200.0
    """Processor seconds, all cores together."""
    memory_bytes: int = 2_000_000_000


ABSURD = 1e12
"""A damaged header may claim anything; no larger number is told."""
PICTURE_BYTES = 20_000_000
"""The largest picture that may be asked about."""
INVITED_S = 600.0
"""So long after *Refine* was pressed under an answer a reply to it counts as words to add to its query."""
PRESSED_A_MINUTE = 5
"""So many messages for all may one person have posted within a minute by pressing buttons: cuts, and more like this."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What fetching one video may take, and from where it may come."""

    size_bytes: int
    timeout_s: float
    """For a whole fetch, with its second and third attempts."""
    stall_s: float = 60.0
    """A fetch that brings next to nothing for that long is given up."""
    duration_s: float = 5 * 3600.0
    """As the site declares it; what it does not declare is measured when the video is read."""
    memory_bytes: int = 1_500_000_000
    attempts: int = 3
    sites: frozenset[str] = frozenset()
    """Hosts that links may lead to, with all below them; empty for any."""
    pages: bool = True
    """Whether pages of sites that nobody knows are searched for videos, or only files are taken from there."""


def quantity(name: str) -> Quantity | None:
    """Return what a child calls a quantity, or None where there is none of that name."""
    return cast("Quantity", name) if name in get_args(Quantity) else None


@dataclass(frozen=True, slots=True)
class BrowsingLimits:
    """How much of a video is shown at once."""

    cut_s: float
    """The longest cut."""
    moments: int = 50
    """Of one answer, at most."""
    cut_px: int = 1280
    """How wide or high a cut's pictures may be."""
    cut_bytes: int = 100_000_000
    """How large a cut may be where a place would take more."""
    preview_s: float = 3.0
    preview_bytes: int = 2_000_000
    slides: int = 5
    """Of a video that is gone, the small pictures that a preview shows instead."""
    sheet_tiles: int = 24
    tile_px: int = 240
    """How wide or high the frames of moments are cut for a sheet."""
    patience_s: float = 0.7
    """After that long people are told how far a work is, and again as often."""
