"""What cutting a film needs from outside, as a Protocol. Owns no implementation; each method says what it raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.film_ports import Still


@dataclass(frozen=True, slots=True)
class ClipWish:
    """What is wanted of a stretch [start_s, end_s) of a film."""

    start_s: float
    end_s: float
    form: Literal["mp4", "gif"]
    max_px: int
    """How wide or high it may be; it is never larger than the film."""
    max_fps: float
    max_bytes: int
    sound: bool = False
    """With the film's sound, where it has one; MP4 alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A moving picture, encoded exactly from the frame that stands at its start to the last before its end."""

    data: bytes
    form: Literal["mp4", "gif"]
    width_px: int
    height_px: int
    sound: bool = False


class Clipper(Protocol):
    """Makes moving pictures, and several stills at once, outside of this process."""

    async def clip(self, path: Path, wish: ClipWish, report: Callable[[float], None]) -> Clip:
        """Encode a stretch anew, made coarser and smaller until it fits; `report` is told shares of 0 to 1.

        Raises ClipTooLarge, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...

    async def stills(self, path: Path, times_s: Sequence[float], max_px: int) -> tuple[Still, ...]:
        """Cut the frame that stands at each time. Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied."""
        ...
