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


def film_at(path: Path, film: decode.Film, until_s: float, opened: ExitStack) -> decode.Film:
    """Give the film as seen from a keyframe at or before this time, from which the frame with this time is met.

    So its times are those of the first reading. Where seeking does not lead there, the film is opened once more, to be
    read from its start. Its first frame must have been read, which sets its clock to zero.
    Raises UnreadableError, OverLimitError.
    """
    for run_up_s in _RUN_UPS_S:
        try:
            if _meets(film.seek(max(0.0, until_s - run_up_s)).frames(from_keyframe=True), until_s):
                return film.seek(max(0.0, until_s - run_up_s))
        except av.FFmpegError:
            break
    return opened.enter_context(decode.opened(path, film.limits))


def _meets(frames: Iterator[tuple[float, VideoFrame]], time_s: float) -> bool:
    for at_s, _ in frames:
        if at_s > time_s - _SAME_S:
            return at_s <= time_s + _SAME_S
    return False
