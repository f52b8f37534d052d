"""The errors of the decoding child; the parent turns them into those of `core.errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from core.limits import Quantity, VideoLimits

Flaw: TypeAlias = Literal["missing", "not_a_video", "no_video_stream", "no_frames"]


class UnreadableError(Exception):
    """The file is no video; `flaw` says in which way."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw: Flaw = flaw


ABSURD = 1e12
"""A damaged header may claim anything; nobody need know by how much it lies."""


class OverLimitError(Exception):
    """The video takes more than one may: `found` of a quantity, or None where that was not measured."""

    def __init__(self, quantity: Quantity, found: float | None) -> None:
        super().__init__(quantity, found)
        self.quantity: Quantity = quantity
        self.found = found if found is None else min(found, ABSURD)


def keep_within(limits: VideoLimits, quantity: Quantity, found: float) -> None:
    """Raise OverLimitError where more was found than there may be."""
    limit: float = getattr(limits, quantity)
    if found > limit:
        raise OverLimitError(quantity, found)
