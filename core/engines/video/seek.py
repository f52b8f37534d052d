"""Finds the frame at a time, or resumes a reading, without decoding what comes before where possible.

Runs in the child.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import av

from core.engines.video import open_video as decode
from core.engines.video.flaws import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack
    from fractions import Fraction
    from pathlib import Path

    from av import VideoFrame

    from core.limits import VideoLimits

_RUN_UPS_S = (0.0, 2.0, 15.0)
"""Where seeking lands late or between keyframes, an earlier start mends it."""


_SAME_S = 1e-6


def video_at(path: Path, video: decode.OpenVideo, until_s: float, opened: ExitStack) -> decode.OpenVideo:
    """Give the video as seen from a keyframe at or before this time, from which the frame with this time is met.

    So its times are those of the first reading. Where seeking does not lead there, the video is opened once more, to be
    read from its start. Its first frame must have been read, which sets its clock to zero.
    Raises UnreadableError, OverLimitError.
    """
    for run_up_s in _RUN_UPS_S:
        try:
            if _meets(video.seek(max(0.0, until_s - run_up_s)).frames(from_keyframe=True), until_s):
                return video.seek(max(0.0, until_s - run_up_s))
        except av.FFmpegError:
            break
    return opened.enter_context(decode.opened(path, video.limits))


def _meets(frames: Iterator[tuple[float, VideoFrame]], time_s: float) -> bool:
    for at_s, _ in frames:
        if at_s > time_s - _SAME_S:
            return at_s <= time_s + _SAME_S
    return False


RUN_UPS_S = (0.0, 2.0, 15.0)
"""Where seeking lands late or between keyframes, an earlier start mends it."""


_NEAR_S = 0.5


_APART_S = 3.0
"""Reading on takes less than seeking up to here, at the distances of keyframes that are common."""


_ROUNDING_S = 1e-3
"""A time that went through a text has lost its last digits; it still means that frame."""


class SoughtFrame(NamedTuple):
    """A frame, its time in seconds since the start of the video, and its video's pixel aspect."""

    time_s: float
    frame: VideoFrame
    pixel_aspect: Fraction | None


def frame_at(path: Path, time_s: float, limits: VideoLimits) -> SoughtFrame:
    """Give the frame with this time, or else the nearest before it. Raises UnreadableError, OverLimitError.

    A frame found by seeking stands at that time if it stands as long as the video's frames usually do, or
    when two starting points agree on it; else the video is read from its start, as it was when it was looked at.
    """
    return next(each_at(path, [time_s], limits))


def each_at(path: Path, times_s: Sequence[float], limits: VideoLimits) -> Iterator[SoughtFrame]:
    """Give such a frame for each of some times, in any order. Raises UnreadableError, OverLimitError."""
    with decode.opened(path, limits, for_few=True) as video:
        first_s = first_time_s(video)
        for time_s in times_s:
            at_s = max(time_s, first_s)
            yield _by_seeking(video, at_s) or _by_reading(path, at_s, limits)


def first_time_s(video: decode.OpenVideo) -> float:
    """Read the first frame and give its time: before it, that frame is shown. Raises UnreadableError."""
    first = next(video.frames(), None)
    if first is None:
        raise UnreadableError("no_frames")
    return first[0]


def _by_reading(path: Path, time_s: float, limits: VideoLimits) -> SoughtFrame:
    with decode.opened(path, limits) as video:
        found = _last_until(video, video.frames(), time_s)
    if found is None:
        raise UnreadableError("no_frames")
    return found


def frames_at(path: Path, times_s: Sequence[float], limits: VideoLimits) -> Iterator[SoughtFrame]:
    """Give for each of these rising times the frame with it, or else the nearest before it; each frame once.

    Times close to each other are reached by one seek, and what lies between is decoded once. Where seeking does not
    lead there, nothing is given for them: reading all that comes before would cost too much.
    Raises UnreadableError, OverLimitError.
    """
    with decode.opened(path, limits, for_few=True) as video:
        first_s = first_time_s(video)
        latest_s = -1.0
        for stretch in _stretches([max(time_s, first_s) for time_s in times_s]):
            for found in _reached(video, stretch):
                if found.time_s > latest_s:
                    latest_s = found.time_s
                    yield found


def _stretches(times_s: Sequence[float]) -> Iterator[list[float]]:
    """Give times that lie close together, together."""
    stretch: list[float] = []
    for time_s in times_s:
        if stretch and time_s - stretch[-1] > _APART_S:
            yield stretch
            stretch = []
        stretch.append(time_s)
    if stretch:
        yield stretch


def _reached(video: decode.OpenVideo, times_s: Sequence[float]) -> Iterator[SoughtFrame]:
    """Give the frames of one stretch."""
    if is_beyond(video, times_s[0]):
        return
    for run_up_s in RUN_UPS_S:
        try:
            landed = video.seek(max(0.0, times_s[0] - run_up_s))
        except av.FFmpegError:
            return
        found = _shown_at(video, landed.frames(from_keyframe=True), times_s)
        first = next(found, None)
        if first is not None:
            yield first
            yield from found
            return


def _shown_at(
    video: decode.OpenVideo, frames: Iterator[tuple[float, VideoFrame]], times_s: Sequence[float]
) -> Iterator[SoughtFrame]:
    """Give what is shown at each time; nothing where the frames begin after the first of them."""
    wanted, shown, given = deque(times_s), None, None
    for at_s, frame in frames:
        while wanted and at_s > wanted[0] + _ROUNDING_S:
            if shown is None:
                return
            if shown is not given:
                yield shown
            given = shown
            wanted.popleft()
        if not wanted:
            return
        shown = SoughtFrame(at_s, frame, video.pixel_aspect)
    if wanted and shown is not None and shown is not given:
        yield shown


def is_beyond(video: decode.OpenVideo, time_s: float) -> bool:
    """Tell whether a time lies after the end that a video claims: what was joined to it can be met by reading alone."""
    return video.jumps.back and video.declared_s is not None and time_s > video.declared_s


def near_s(video: decode.OpenVideo, time_s: float) -> float:
    """Give from when on no frame of a video may be left out on the way to a time."""
    return time_s - max(_NEAR_S, 3 * video.clock.step_s)


def _by_seeking(video: decode.OpenVideo, time_s: float) -> SoughtFrame | None:
    """Give the frame that seeking is sure of."""
    if is_beyond(video, time_s):
        return None
    quick = _sought(video, time_s, 0.0, near_s(video, time_s))
    if quick is not None and _stands_at(quick, time_s, video.clock.step_s):
        return quick
    seen: SoughtFrame | None = None
    for run_up_s in RUN_UPS_S:
        found = _sought(video, time_s, run_up_s, 0.0)
        if found is not None and (_stands_at(found, time_s, _ROUNDING_S) or (seen and seen.time_s == found.time_s)):
            return found
        seen = found or seen
    return None


def _sought(video: decode.OpenVideo, time_s: float, run_up_s: float, needed_from_s: float) -> SoughtFrame | None:
    try:
        landed = video.seek(max(0.0, time_s - run_up_s))
    except av.FFmpegError:
        return None
    return _last_until(video, landed.frames(from_keyframe=True, needed_from_s=needed_from_s), time_s)


def _last_until(
    video: decode.OpenVideo, frames: Iterator[tuple[float, VideoFrame]], time_s: float
) -> SoughtFrame | None:
    """Give the last frame that is not after the time, or None when all are; stop at the very one."""
    best: SoughtFrame | None = None
    for at_s, frame in frames:
        if at_s > time_s + _ROUNDING_S and best is not None:
            return best
        if at_s > time_s + _ROUNDING_S:
            return None
        if best is None or at_s > best.time_s:
            best = SoughtFrame(at_s, frame, video.pixel_aspect)
        if abs(at_s - time_s) <= _SAME_S:
            return best
    return best


def _stands_at(found: SoughtFrame, time_s: float, for_s: float) -> bool:
    """Tell whether a frame that stands for so long stands at a time."""
    return found.time_s - _ROUNDING_S <= time_s < found.time_s + max(for_s, _ROUNDING_S)
