"""Finds the frames at times or between two, or resumes a reading, by seeking where that leads there.

Runs in the child.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import av

from core.engines.video.container import UnreadableError
from core.engines.video.open_video import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack
    from fractions import Fraction
    from pathlib import Path

    from av import VideoFrame

    from core.engines.video.open_video import OpenVideo, TimedFrame
    from core.limits import VideoLimits

_RUN_UPS_S = (0.0, 2.0, 15.0)
"""Where seeking lands late or between keyframes, an earlier start mends it."""
_SAME_S = 1e-6
_APART_S = 3.0
"""Reading on takes less than seeking up to here, at the distances of keyframes that are common."""
_ROUNDING_S = 1e-3
"""A time that went through a text has lost its last digits; it still means that frame."""


class SoughtFrame(NamedTuple):
    """A frame, and what its video says of it."""

    time_s: float
    """Since the start of the video."""
    frame: VideoFrame
    pixel_aspect: Fraction | None
    step_s: float
    """How long a frame of this video usually stands."""

    @classmethod
    def of(cls, video: OpenVideo, time_s: float, frame: VideoFrame) -> SoughtFrame:
        """Return a frame that was just decoded."""
        return cls(time_s, frame, video.pixel_aspect, video.clock.step_s)


def video_at(path: Path, video: OpenVideo, until_s: float, stack: ExitStack) -> OpenVideo:
    """Return the video as seen from a keyframe at or before this time, from which the frame with this time is met.

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
    return stack.enter_context(opened(path, video.limits))


def _meets(frames: Iterator[TimedFrame], time_s: float) -> bool:
    for at_s, _ in frames:
        if at_s > time_s - _SAME_S:
            return at_s <= time_s + _SAME_S
    return False


def frame_at(path: Path, time_s: float, limits: VideoLimits) -> SoughtFrame:
    """Return the frame with this time, or else the nearest before it. Raises UnreadableError, OverLimitError.

    A frame found by seeking stands at that time if it stands as long as the video's frames usually do, or
    when two starting points agree on it; else the video is read from its start, as it was when it was sampled.
    """
    return next(each_at(path, [time_s], limits))


def each_at(path: Path, times_s: Sequence[float], limits: VideoLimits) -> Iterator[SoughtFrame]:
    """Yield such a frame for each of some times, in any order. Raises UnreadableError, OverLimitError."""
    with opened(path, limits, for_few=True) as video:
        first_s = first_time_s(video)
        for time_s in times_s:
            at_s = max(time_s, first_s)
            yield _by_seeking(video, at_s) or _by_reading(path, at_s, limits)


def first_time_s(video: OpenVideo) -> float:
    """Read the first frame and return its time: before it, that frame is shown. Raises UnreadableError."""
    first = next(video.frames(), None)
    if first is None:
        raise UnreadableError("no_frames")
    return first[0]


def _by_reading(path: Path, time_s: float, limits: VideoLimits) -> SoughtFrame:
    with opened(path, limits) as video:
        found = _last_until(video, video.frames(), time_s)
    if found is None:
        raise UnreadableError("no_frames")
    return found


def frames_at(path: Path, times_s: Sequence[float], limits: VideoLimits) -> Iterator[SoughtFrame]:
    """Yield for each of these rising times the frame with it, or else the nearest before it; each frame once.

    Times close to each other are reached by one seek, and what lies between is decoded once. Where seeking does not
    lead there, nothing is yielded for them: reading all that comes before would cost too much.
    Raises UnreadableError, OverLimitError.
    """
    with opened(path, limits, for_few=True) as video:
        first_s = first_time_s(video)
        latest_s = -1.0
        for stretch in _stretches([max(time_s, first_s) for time_s in times_s]):
            for found in _reached(video, stretch):
                if found.time_s > latest_s:
                    latest_s = found.time_s
                    yield found


def _stretches(times_s: Sequence[float]) -> Iterator[list[float]]:
    """Yield times that lie close together, together."""
    stretch: list[float] = []
    for time_s in times_s:
        if stretch and time_s - stretch[-1] > _APART_S:
            yield stretch
            stretch = []
        stretch.append(time_s)
    if stretch:
        yield stretch


def _reached(video: OpenVideo, times_s: Sequence[float]) -> Iterator[SoughtFrame]:
    """Yield the frames of one stretch."""
    if is_beyond(video, times_s[0]):
        return
    for run_up_s in _RUN_UPS_S:
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


def _shown_at(video: OpenVideo, frames: Iterator[TimedFrame], times_s: Sequence[float]) -> Iterator[SoughtFrame]:
    """Yield what is shown at each time; nothing where the frames begin after the first of them."""
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
        shown = SoughtFrame.of(video, at_s, frame)
    if wanted and shown is not None and shown is not given:
        yield shown


def is_beyond(video: OpenVideo, time_s: float) -> bool:
    """Return whether a time lies after the end that a video claims: what was joined to it is met by reading alone."""
    return video.jumps.back and video.declared_s is not None and time_s > video.declared_s


def _by_seeking(video: OpenVideo, time_s: float) -> SoughtFrame | None:
    """Return the frame that seeking is sure of."""
    if is_beyond(video, time_s):
        return None
    quick = _sought(video, time_s, _RUN_UPS_S[0])
    if quick is not None and _stands_at(quick, time_s, quick.step_s):
        return quick
    seen = quick
    for run_up_s in _RUN_UPS_S[1:]:
        found = _sought(video, time_s, run_up_s)
        if found is not None and (_stands_at(found, time_s, _ROUNDING_S) or (seen and seen.time_s == found.time_s)):
            return found
        seen = found or seen
    return None


def _sought(video: OpenVideo, time_s: float, run_up_s: float) -> SoughtFrame | None:
    try:
        landed = video.seek(max(0.0, time_s - run_up_s))
    except av.FFmpegError:
        return None
    return _last_until(video, landed.frames(from_keyframe=True), time_s)


def _last_until(video: OpenVideo, frames: Iterator[TimedFrame], time_s: float) -> SoughtFrame | None:
    """Return the last frame that is not after the time, or None when all are; stop at the very one."""
    best: SoughtFrame | None = None
    for at_s, frame in frames:
        if at_s > time_s + _ROUNDING_S and best is not None:
            return best
        if at_s > time_s + _ROUNDING_S:
            return None
        if best is None or at_s > best.time_s:
            best = SoughtFrame.of(video, at_s, frame)
        if abs(at_s - time_s) <= _SAME_S:
            return best
    return best


def _stands_at(found: SoughtFrame, time_s: float, for_s: float) -> bool:
    """Return whether a frame that stands for so long stands at a time."""
    return found.time_s - _ROUNDING_S <= time_s < found.time_s + max(for_s, _ROUNDING_S)


def frames_between(
    path: Path, start_s: float, end_s: float, limits: VideoLimits, shown_px: int
) -> Iterator[SoughtFrame]:
    """Yield the frame that stands at the start, then all until the end, itself left out. Raises UnreadableError.

    Before the first frame, that one stands. The frames will be shown at most `shown_px` wide or high.
    """
    with opened(path, limits, shown_px) as video:
        first_s = first_time_s(video)
        start_s, end_s = max(start_s, first_s), max(end_s, first_s + 2 * _ROUNDING_S)
        frames = _sought_from(video, start_s)
        if frames is not None:
            yield from _until(frames, end_s)
            return
    with opened(path, limits) as video:  # seeking lands late in this video, or not at all
        yield from _until(_standing_at(video, video.frames(), start_s), end_s)


def _sought_from(video: OpenVideo, start_s: float) -> Iterator[SoughtFrame] | None:
    """Return the frames from the start on, found by seeking, or None where that does not lead there."""
    if is_beyond(video, start_s):
        return None
    for run_up_s in _RUN_UPS_S:
        try:
            landed = video.seek(max(0.0, start_s - run_up_s))
        except av.FFmpegError:
            return None
        frames = _standing_at(video, landed.frames(from_keyframe=True), start_s)
        first = next(frames, None)
        if first is not None and first.time_s <= start_s + _ROUNDING_S:
            return itertools.chain((first,), frames)
    return None


def _standing_at(video: OpenVideo, frames: Iterator[TimedFrame], start_s: float) -> Iterator[SoughtFrame]:
    """Yield the last frame that is not after the start, and all after it."""
    standing: SoughtFrame | None = None
    for at_s, frame in frames:
        one = SoughtFrame.of(video, at_s, frame)
        if at_s <= start_s + _ROUNDING_S:
            standing = one
            continue
        if standing is not None:
            yield standing
            standing = None
        yield one
    if standing is not None:
        yield standing


def _until(frames: Iterator[SoughtFrame], end_s: float) -> Iterator[SoughtFrame]:
    return itertools.takewhile(lambda one: one.time_s < end_s - _ROUNDING_S, frames)
