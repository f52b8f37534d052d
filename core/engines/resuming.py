"""Goes on with a film where an earlier reading stopped, without reading what came before where possible.

Runs in the decoding child. Owns the search for that place; must not know what becomes of the frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from core.engines import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from av import VideoFrame

_RUN_UPS_S = (0.0, 2.0, 15.0)
"""Where seeking lands late or between keyframes, an earlier start mends it."""
_SAME_S = 1e-6


def frames_after(
    path: Path, film: decode.Film, until_s: float, opened: ExitStack
) -> tuple[decode.Film, Iterator[tuple[float, VideoFrame]]]:
    """Give the film as seen from a place after its beginning, and its frames after the one with this time.

    Seeking counts when that very frame is met on the way: then the times are those of the first reading. Else the film
    is opened once more and read from its start. Its first frame must have been read, which sets its clock to zero.
    Raises UnreadableError, OverLimitError.
    """
    for run_up_s in _RUN_UPS_S:
        try:
            landed = film.seek(max(0.0, until_s - run_up_s))
        except av.FFmpegError:
            break
        frames = landed.frames(from_keyframe=True)
        if _meets(frames, until_s):
            return landed, frames
    slow = opened.enter_context(decode.opened(path, film.limits))
    return slow, (frame for frame in slow.frames() if frame[0] > until_s + _SAME_S)


def _meets(frames: Iterator[tuple[float, VideoFrame]], time_s: float) -> bool:
    for at_s, _ in frames:
        if at_s > time_s - _SAME_S:
            return at_s <= time_s + _SAME_S
    return False
