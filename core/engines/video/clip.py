"""Cuts [start, end) out of a video, with sound, re-encoded to fit a size in bytes. Runs in the child."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import av

from core.engines.sandbox import protocol
from core.engines.video import encode, seek
from core.engines.video import encode as sound
from core.engines.video import frame as pictures
from core.engines.video import open_video as decode
from core.engines.video.tailor import ClipAim, Timed
from core.limits import VideoLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from av import VideoFrame

_ROUNDING_S = 1e-3


_REPORT_EVERY_S = 0.15


_SHRINK = 0.7


_TRIES = 4


_STILL_QUALITY = 88


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """What is wanted of a stretch; the fields of `core.ports.video.ClipWish`."""

    start_s: float
    end_s: float
    form: str
    """"mp4" or "gif"."""
    max_px: int
    max_fps: float
    max_bytes: int
    sound: bool


def send_clip(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send "making" with the share that is done, now and then, and the one "clip". Raises UnreadableError."""
    wish = ClipRequest(**request["wish"])  # type: ignore[arg-type] # our own parent wrote it
    limits = VideoLimits(**request["limits"])  # type: ignore[arg-type]
    teller = _Teller(out, wish)
    samples = sound.stretch(path, wish.start_s, wish.end_s, limits) if wish.sound and wish.form == "mp4" else None
    made = _fitted(wish, samples, lambda: teller.told(_thinned(timed(path, wish, limits), wish.max_fps)))
    if made is None:
        protocol.send(out, {"kind": "error", "code": "too_large"})
        return
    header = {"kind": "clip", "width_px": made.size_px[0], "height_px": made.size_px[1], "sound": samples is not None}
    protocol.send(out, header, made.data)


def send_stills(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "still" for each time. Raises UnreadableError, OverLimitError."""
    limits = VideoLimits(**request["limits"])  # type: ignore[arg-type] # our own parent wrote it
    times_s: list[float] = request["times_s"]  # type: ignore[assignment]
    for at_s, frame, aspect in seek.each_at(path, [max(0.0, time_s) for time_s in times_s], limits):
        rgb = pictures.Developer(aspect).small(frame, int(str(request["max_px"])))
        header = {"kind": "still", "time_s": at_s, "width_px": rgb.shape[1], "height_px": rgb.shape[0]}
        protocol.send(out, header, pictures.jpeg(rgb, _STILL_QUALITY))


def timed(path: Path, wish: ClipRequest, limits: VideoLimits) -> Iterator[Timed]:
    """Give the frame that stands at the start, then all until the end, itself left out. Raises UnreadableError.

    Before the first frame, that one stands.
    """
    with decode.opened(path, limits, wish.max_px) as video:
        first_s = seek.first_time_s(video)
        start_s, end_s = max(wish.start_s, first_s), max(wish.end_s, first_s + 2 * _ROUNDING_S)
        frames = _sought(video, start_s)
        if frames is not None:
            yield from _until(frames, end_s)
            return
    with decode.opened(path, limits) as video:  # seeking lands late in this video, or not at all
        yield from _until(_standing_at(video, video.frames(), start_s), end_s)


def _sought(video: decode.OpenVideo, start_s: float) -> Iterator[Timed] | None:
    """Give the frames from the start on, found by seeking, or None where that does not lead there."""
    if seek.is_beyond(video, start_s):
        return None
    attempts = ((0.0, seek.near_s(video, start_s)), *((run_up_s, 0.0) for run_up_s in seek.RUN_UPS_S))
    for run_up_s, needed_from_s in attempts:
        try:
            landed = video.seek(max(0.0, start_s - run_up_s))
        except av.FFmpegError:
            return None
        frames = _standing_at(video, landed.frames(from_keyframe=True, needed_from_s=needed_from_s), start_s)
        first = next(frames, None)
        if first is not None and needed_from_s <= first.time_s <= start_s + _ROUNDING_S:
            return itertools.chain((first,), frames)
    return None


def _standing_at(
    video: decode.OpenVideo, frames: Iterator[tuple[float, VideoFrame]], start_s: float
) -> Iterator[Timed]:
    """Give the last frame that is not after the start, and all after it."""
    usual_s = video.clock.step_s
    standing: Timed | None = None
    for at_s, frame in frames:
        one = Timed(at_s, frame, video.pixel_aspect, usual_s)
        if at_s <= start_s + _ROUNDING_S:
            standing = one
            continue
        if standing is not None:
            yield standing
            standing = None
        yield one
    if standing is not None:
        yield standing


def _until(frames: Iterator[Timed], end_s: float) -> Iterator[Timed]:
    return itertools.takewhile(lambda one: one.time_s < end_s - _ROUNDING_S, frames)


def _thinned(frames: Iterator[Timed], max_fps: float) -> Iterator[Timed]:
    """Leave frames out so that no more than that many are left of a second."""
    step_s = 1 / max_fps
    due_s = float("-inf")
    for one in frames:
        if one.time_s >= due_s - _ROUNDING_S:
            due_s = step_s + (due_s if one.time_s - due_s < step_s else one.time_s)
            yield one


def _fitted(
    wish: ClipRequest, samples: sound.Samples | None, frames: Callable[[], Iterator[Timed]]
) -> encode.Made | None:
    """Encode, again and smaller while it is too large; give None where even the smallest is."""
    shrink = 1.0
    for _ in range(_TRIES):
        aim = ClipAim(wish.start_s, wish.end_s, round(wish.max_px * shrink), round(wish.max_bytes * shrink))
        made = encode.gif(frames(), aim) if wish.form == "gif" else encode.mp4(frames(), aim, samples)
        if len(made.data) <= wish.max_bytes:
            return made
        shrink *= min(_SHRINK, 0.95 * (wish.max_bytes / len(made.data)) ** 0.5)
    return None


class _Teller:
    """Tells the parent how far the work is."""

    def __init__(self, out: BinaryIO, wish: ClipRequest) -> None:
        self._out = out
        self._wish = wish
        self._told_s = time.monotonic()

    def told(self, frames: Iterator[Timed]) -> Iterator[Timed]:
        """Give the frames on, and tell their parent of it now and then."""
        for one in frames:
            if time.monotonic() - self._told_s > _REPORT_EVERY_S:
                self._told_s = time.monotonic()
                share = (one.time_s - self._wish.start_s) / (self._wish.end_s - self._wish.start_s)
                protocol.send(self._out, {"kind": "making", "share": min(1.0, max(0.0, share))})
            yield one
