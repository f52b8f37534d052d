"""The sound of a stretch of a film. Runs in the decoding child; what cannot be decoded is silence."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
import numpy.typing as npt

from core.engines import decode, tracks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import AudioFrame
    from av.audio.stream import AudioStream

    from core.limits import FilmLimits

Samples: TypeAlias = npt.NDArray[np.float32]
"""(2, N): left and right, -1 to 1, `RATE` of them a second."""

RATE = 48_000
_AHEAD_S = 1.0
_GAP = RATE // 20
"""Where the film's own times differ by more than this from what was decoded, they count."""


def stretch(path: Path, start_s: float, end_s: float, limits: FilmLimits) -> Samples | None:
    """Give the sound of [start_s, end_s), as long as that; None where the film has none. Raises UnreadableError."""
    with decode.opened(path, limits) as film:
        if _stream(film) is None:
            return None
        first = next(film.frames(), None)
        zero_s = film.clock.zero_s
    if first is None:
        return None
    with decode.opened(path, limits) as film:  # from its first byte: sound may begin long before the pictures do
        samples: Samples = np.zeros((2, round((end_s - start_s) * RATE)), dtype=np.float32)
        with suppress(av.FFmpegError):
            landed = film if start_s < first[0] + _AHEAD_S else _landed(film, start_s)
            _fill(samples, _decoded(landed, start_s + zero_s, end_s + zero_s), start_s + zero_s)
        return samples


def _stream(film: decode.Film) -> AudioStream | None:
    """Give the first stream of sound that FFmpeg can decode."""
    return next((one for one in film.container.streams.audio if tracks.known(one.codec_context)), None)


def _decoded(film: decode.Film, from_s: float, until_s: float) -> Iterator[AudioFrame]:
    """Give the frames of sound that reach into a stretch; times as the container has them."""
    stream = _stream(film)
    for packet in film.packets():
        if stream is None or packet is None or packet.stream.index != stream.index:
            continue
        with suppress(av.InvalidDataError):
            for frame in stream.decode(packet):
                if frame.time is not None and frame.time >= until_s:
                    return
                if frame.time is not None and frame.time + frame.samples / frame.sample_rate > from_s:
                    yield frame


def _landed(film: decode.Film, start_s: float) -> decode.Film:
    """Give the film as seen from before a time. Raises av.FFmpegError."""
    if film.places is not None:  # a keyframe of the pictures, some way before: sound may lie ahead of them in the file
        return film.seek(start_s - _AHEAD_S)
    film.container.seek(max(0, round((start_s + film.clock.zero_s) * av.time_base)), backward=True)
    return film


def _fill(samples: Samples, frames: Iterator[AudioFrame], from_s: float) -> None:
    """Write the frames to where they belong."""
    resampler = av.AudioResampler("fltp", "stereo", RATE)
    place: int | None = None
    for frame in frames:
        due = round(((frame.time or 0.0) - from_s) * RATE)
        if place is None or abs(due - place) > _GAP:
            place = due
        for part in resampler.resample(frame):
            place = _write(samples, _plain(part), place)
    for part in resampler.resample(None) if place is not None else ():
        place = _write(samples, _plain(part), place or 0)


def _plain(part: AudioFrame) -> Samples:
    return part.to_ndarray().astype(np.float32, copy=False)


def _write(samples: Samples, part: Samples, place: int) -> int:
    """Write one part from a place on, as far as it is within; give the place after it."""
    first, last = max(0, place), min(samples.shape[1], place + part.shape[1])
    if first < last:
        samples[:, first:last] = part[:, first - place : last - place]
    return place + int(part.shape[1])
