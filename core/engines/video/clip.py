"""Cuts [start, end) out of a video, with sound: an MP4 that every browser plays, or a GIF, fitted to a size in bytes.

All is encoded anew, in memory. The MP4's index is written in front of its pictures, so that playing starts before the
file has arrived. Runs in the child.
"""

from __future__ import annotations

import io
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.video.reformatter import ColorRange

from core.engines.sandbox import protocol
from core.engines.video import seek
from core.engines.video.container import is_known
from core.engines.video.frame import MOST_FPS, ClipBounds, ClipScaler
from core.engines.video.open_video import opened
from core.limits import VideoLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from av import AudioFrame, VideoFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.filter.context import FilterContext
    from av.video.stream import VideoStream

    from core.engines.video.open_video import OpenVideo
    from core.engines.video.seek import SoughtFrame

_ROUNDING_S = 1e-3
_REPORT_EVERY_S = 0.15
_SHRINK = 0.7
_TRIES = 4
_TICKS = 90_000
_GIF_TICKS = 100
_SOUND_BITS = 128_000
_SHARE = 0.9
"""Of the bytes that it may have, for the pictures and sound themselves."""
_SOUND_FRAME = 1024
_PLENTY_BITS_A_PIXEL = 0.1
"""With so many, the same quality fits however much the file grows by being made in less time."""
Samples: TypeAlias = npt.NDArray[np.float32]
"""(2, N): left and right, -1 to 1, `RATE` of them a second."""
RATE = 48_000
_AHEAD_S = 1.0
_GAP = RATE // 20
"""Where the video's own times differ by more than this from what was decoded, they count."""


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
    report = _Report(out, wish)
    samples = sound_between(path, wish.start_s, wish.end_s, limits) if wish.sound and wish.form == "mp4" else None
    made = _fitted(wish, samples, lambda: report.told(_thinned(stretch(path, wish, limits), wish.max_fps)))
    if made is None:
        protocol.send(out, {"kind": "error", "code": "too_large"})
        return
    header = {"kind": "clip", "width_px": made.size_px[0], "height_px": made.size_px[1], "sound": samples is not None}
    protocol.send(out, header, made.data)


def stretch(path: Path, wish: ClipRequest, limits: VideoLimits) -> Iterator[SoughtFrame]:
    """Yield the frames of a stretch. Raises UnreadableError, OverLimitError."""
    return seek.frames_between(path, wish.start_s, wish.end_s, limits, wish.max_px)


def _thinned(frames: Iterator[SoughtFrame], max_fps: float) -> Iterator[SoughtFrame]:
    """Leave frames out so that no more than that many are left of a second."""
    step_s = 1 / max_fps
    due_s = float("-inf")
    for one in frames:
        if one.time_s >= due_s - _ROUNDING_S:
            due_s = step_s + (due_s if one.time_s - due_s < step_s else one.time_s)
            yield one


def _fitted(wish: ClipRequest, samples: Samples | None, frames: Callable[[], Iterator[SoughtFrame]]) -> Made | None:
    """Encode, again and smaller while it is too large; return None where even the smallest is."""
    shrink = 1.0
    for _ in range(_TRIES):
        bounds = ClipBounds(wish.start_s, wish.end_s, round(wish.max_px * shrink), round(wish.max_bytes * shrink))
        made = gif(frames(), bounds) if wish.form == "gif" else mp4(frames(), bounds, samples)
        if len(made.data) <= wish.max_bytes:
            return made
        shrink *= min(_SHRINK, 0.95 * (wish.max_bytes / len(made.data)) ** 0.5)
    return None


class _Report:
    """Tells the parent how far the work is."""

    def __init__(self, out: BinaryIO, wish: ClipRequest) -> None:
        self._out = out
        self._wish = wish
        self._told_s = time.monotonic()

    def told(self, frames: Iterator[SoughtFrame]) -> Iterator[SoughtFrame]:
        """Yield the frames on, and tell their parent of it now and then."""
        for one in frames:
            if time.monotonic() - self._told_s > _REPORT_EVERY_S:
                self._told_s = time.monotonic()
                share = (one.time_s - self._wish.start_s) / (self._wish.end_s - self._wish.start_s)
                protocol.send(self._out, {"kind": "making", "share": min(1.0, max(0.0, share))})
            yield one


class Made(NamedTuple):
    """An encoded stretch."""

    data: bytes
    size_px: tuple[int, int]


def mp4(frames: Iterator[SoughtFrame], bounds: ClipBounds, samples: Samples | None) -> Made:
    """Return H.264, and AAC where there is sound. Raises UnreadableError without a frame."""
    scaler = ClipScaler(frames, bounds, _bits(bounds, samples))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"moov_size": str(_contents_bytes(bounds))}) as container:
        stream = _h264(container, scaler, _bits(bounds, samples))
        track = _Track(container, samples) if samples is not None else None
        for since_s, picture in scaler.pictures():
            if track is not None:
                track.write_until(since_s)
            picture.pts, picture.time_base = round(since_s * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if track is not None:
            track.end()
    return Made(buffer.getvalue(), scaler.size_px)


def gif(frames: Iterator[SoughtFrame], bounds: ClipBounds) -> Made:
    """Return a GIF that runs for ever, in 256 colours of its own. Raises UnreadableError without a frame."""
    scaler = ClipScaler(frames, bounds, None)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=25)
        stream.width, stream.height = scaler.size_px
        stream.pix_fmt = "pal8"
        stream.codec_context.time_base = Fraction(1, _GIF_TICKS)
        for picture in _in_few_colours(scaler):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return Made(buffer.getvalue(), scaler.size_px)


class _Track:
    """The sound of an MP4, written piece by piece between the pictures."""

    def __init__(self, container: OutputContainer, samples: Samples) -> None:
        self._container = container
        self._samples = samples
        self._stream = container.add_stream("aac", rate=RATE, layout="stereo")
        self._stream.bit_rate = _SOUND_BITS
        self._place = 0

    def write_until(self, since_s: float) -> None:
        """Write what comes before that time."""
        while self._place < min(self._samples.shape[1], since_s * RATE):
            part = np.ascontiguousarray(self._samples[:, self._place : self._place + _SOUND_FRAME])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._place, Fraction(1, RATE)
            self._container.mux(self._stream.encode(frame))
            self._place += _SOUND_FRAME

    def end(self) -> None:
        """Write the rest."""
        self.write_until(float("inf"))
        self._container.mux(self._stream.encode(None))


def _h264(container: OutputContainer, scaler: ClipScaler, bits: float) -> VideoStream:
    stream = container.add_stream("libx264", rate=Fraction(1 / scaler.frame_s).limit_denominator(1001))
    stream.width, stream.height = scaler.size_px
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, _TICKS)
    context.colorspace, context.color_range = scaler.rendition.matrix, int(ColorRange.MPEG)
    context.color_primaries, context.color_trc = scaler.rendition.primaries, scaler.rendition.transfer
    rate = {"maxrate": str(int(bits)), "bufsize": str(int(bits))}
    stream.options = {"preset": _preset(scaler, bits), "crf": "23", **rate}
    return stream


def _preset(scaler: ClipScaler, bits: float) -> str:
    """Return how hard the encoder tries: a quarter less where there is room for files that are larger by half."""
    width, height = scaler.size_px
    return "superfast" if bits * scaler.frame_s >= _PLENTY_BITS_A_PIXEL * width * height else "veryfast"


def _in_few_colours(scaler: ClipScaler) -> Iterator[VideoFrame]:
    """Yield the pictures in the 256 colours that fit all of them best."""
    graph = Graph()
    width, height = scaler.size_px
    source = graph.add_buffer(
        width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, _GIF_TICKS)
    )
    split, sink = graph.add("split"), graph.add("buffersink")
    palette = graph.add("palettegen", "stats_mode=diff")
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    for since_s, picture in scaler.pictures():
        picture.pts, picture.time_base = round(since_s * _GIF_TICKS), Fraction(1, _GIF_TICKS)
        source.push(picture)
    source.push(None)
    yield from _pulled(sink)


def _pulled(sink: FilterContext) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.VideoFrame):
            yield frame


def _bits(bounds: ClipBounds, samples: Samples | None) -> float:
    """Return how many bits a second the pictures may have."""
    whole = _SHARE * 8 * bounds.max_bytes / (bounds.length_s + 1.0)
    return max(20_000.0, whole - (_SOUND_BITS if samples is not None else 0))


def _contents_bytes(bounds: ClipBounds) -> int:
    """Return the room that the table of contents may need, rather too much."""
    pictures, parts = bounds.length_s * MOST_FPS, bounds.length_s * RATE / _SOUND_FRAME
    return int(4_000 + 32 * pictures + 16 * parts)


def sound_between(path: Path, start_s: float, end_s: float, limits: VideoLimits) -> Samples | None:
    """Return the sound of [start_s, end_s), as long as that; None where the video has none. Raises UnreadableError."""
    with opened(path, limits) as video:
        if _stream(video) is None:
            return None
        first = next(video.frames(), None)
        zero_s = video.clock.zero_s
    if first is None:
        return None
    with opened(path, limits) as video:  # from its first byte: sound may begin long before the pictures do
        samples: Samples = np.zeros((2, round((end_s - start_s) * RATE)), dtype=np.float32)
        with suppress(av.FFmpegError):
            landed = video if start_s < first[0] + _AHEAD_S else _landed(video, start_s)
            _fill(samples, _decoded(landed, start_s + zero_s, end_s + zero_s), start_s + zero_s)
        return samples


def _stream(video: OpenVideo) -> AudioStream | None:
    """Return the first stream of sound that FFmpeg can decode."""
    return next((one for one in video.container.streams.audio if is_known(one.codec_context)), None)


def _decoded(video: OpenVideo, from_s: float, until_s: float) -> Iterator[AudioFrame]:
    """Yield the frames of sound that reach into a stretch; times as the container has them."""
    stream = _stream(video)
    for packet in video.packets():
        if stream is None or packet is None or packet.stream.index != stream.index:
            continue
        with suppress(av.InvalidDataError):
            for frame in stream.decode(packet):
                if frame.time is not None and frame.time >= until_s:
                    return
                if frame.time is not None and frame.time + frame.samples / frame.sample_rate > from_s:
                    yield frame


def _landed(video: OpenVideo, start_s: float) -> OpenVideo:
    """Return the video as seen from before a time. Raises av.FFmpegError."""
    if video.places is not None:  # a keyframe of the pictures, some way before: sound may lie ahead of them in the file
        return video.seek(start_s - _AHEAD_S)
    video.container.seek(max(0, round((start_s + video.clock.zero_s) * av.time_base)), backward=True)
    return video


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
    """Write one part from a place on, as far as it is within; return the place after it."""
    first, last = max(0, place), min(samples.shape[1], place + part.shape[1])
    if first < last:
        samples[:, first:last] = part[:, first - place : last - place]
    return place + int(part.shape[1])
