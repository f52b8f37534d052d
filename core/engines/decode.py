"""Reads a film with PyAV: opens it, says what it is, and gives its frames in order.

Runs in the decoding child, for the bytes are a stranger's. Owns times; must not know sampling, pictures or pipes.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
from av.error import MemoryError as AVMemoryError
from av.stream import Disposition

from core.engines.clock import Clock
from core.engines.flaws import OverLimitError, UnreadableError, keep_within
from core.limits import FilmLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,ogg,gif,flv,asf,mp3,wav,flac,aac"
"""Containers of films, and of sound so that a sound file is told from garbage. None of them opens other files."""
_MARGIN_PX = 1 << 20
_MUCH_LARGER = 2
_COARSE = {"skip_loop_filter": "bidir"}
"""Leaves the seams between blocks in frames that few or none are made from: scaled down, nobody sees them."""
_SMALL_PX = 640 * 480
"""Threads that decode a frame each first have to be filled: with frames so small, some few are there sooner without."""


@dataclass(slots=True)
class Film:
    """An open film."""

    container: InputContainer
    stream: VideoStream
    clock: Clock
    limits: FilmLimits = field(default_factory=FilmLimits)
    broken: bool = False
    """The container could not be read to its end."""
    read_s: float = 0.0
    """How far the packets of pictures and sound went, from the start of the container."""
    pictures_s: float = 0.0
    """When the last packet of pictures begins, likewise."""
    _start_s: float = field(default=0.0)
    _frames: int = 0

    @property
    def declared_s(self) -> float | None:
        """Give the length that the container claims, where it claims one."""
        duration = self.container.duration
        return duration / av.time_base if duration is not None and duration > 0 else None

    def frames(self, *, from_keyframe: bool = False, needed_from_s: float = 0.0) -> Iterator[tuple[float, VideoFrame]]:
        """Give each frame with its time; a packet that does not decode is passed over.

        After a seek, start `from_keyframe`: some containers land between them, and decoders then guess the picture.
        Of what comes before `needed_from_s`, frames that no other is made from are left out: some half of a film's.
        Raises OverLimitError.
        """
        waiting = from_keyframe
        for packet in self.packets():
            if packet is not None and packet.stream_index != self.stream.index:
                continue
            waiting = waiting and packet is not None and not packet.is_keyframe
            if not waiting:
                self._leave_out(packet, needed_from_s)
                yield from self.decoded(packet)

    def _leave_out(self, packet: Packet[Stream] | None, needed_from_s: float) -> None:
        """Let the decoder pass a packet over that comes early, should no other frame need it."""
        early = needed_from_s > 0 and packet is not None and self.clock.shows_before(packet, needed_from_s)
        self.stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"

    def decoded(self, packet: Packet[Stream] | None) -> Iterator[tuple[float, VideoFrame]]:
        """Give the frames that come out of the decoder when this packet goes in, with their times.

        None takes out what is left in it. Raises OverLimitError.
        """
        for frame in self._decoded(packet):
            yield self._within(self.clock.time_s(frame), frame), frame

    def packets(self) -> Iterator[Packet[Stream] | None]:
        """Give the packets of all streams and note how far they go; None flushes after a failure."""
        demux = self.container.demux()
        while True:
            try:
                packet = next(demux, None)
            except (av.FFmpegError, OSError):
                self.broken = True
                yield None
                return
            if packet is None:
                return
            self._note(packet)
            yield packet

    def seek(self, time_s: float) -> Film:
        """Move to a keyframe at or before the time and give the film as seen from there. Raises av.FFmpegError."""
        self.container.seek(self.clock.ticks_at(time_s), stream=self.stream, backward=True)
        return Film(self.container, self.stream, self.clock.after_seek(), self.limits, _start_s=self._start_s)

    def check(self) -> None:
        """Judge the film by what it says of itself, before anything is decoded. Raises OverLimitError."""
        keep_within(self.limits, "duration_s", self.declared_s or 0.0)
        keep_within(self.limits, "frame_px", self.stream.width * self.stream.height)
        keep_within(self.limits, "frames", self.stream.frames)

    def _within(self, time_s: float, frame: VideoFrame) -> float:
        """Count a frame, and give its time. Raises OverLimitError."""
        self._frames += 1
        keep_within(self.limits, "frame_px", frame.width * frame.height)
        keep_within(self.limits, "frames", self._frames)
        keep_within(self.limits, "duration_s", time_s)
        return time_s

    def _decoded(self, packet: Packet[Stream] | None) -> list[VideoFrame]:
        # Many pictures in one packet, or a size that grows on the way, are bounded by memory and time.
        try:
            return self.stream.decode(packet)
        except AVMemoryError as error:
            raise OverLimitError("memory_bytes", None) from error
        except av.FFmpegError:
            return []

    def _note(self, packet: Packet[Stream]) -> None:
        start = packet.pts if packet.pts is not None else packet.dts
        if start is None or packet.stream.type not in {"video", "audio"}:
            return
        start_s = float(start * packet.time_base) - self._start_s
        self.read_s = max(self.read_s, start_s + float((packet.duration or 0) * packet.time_base))
        if packet.stream_index == self.stream.index:
            self.pictures_s = max(self.pictures_s, start_s)


@contextmanager
def opened(path: Path, limits: FilmLimits, shown_px: int | None = None, *, for_few: bool = False) -> Iterator[Film]:
    """Open a file as a film for a while. Raises UnreadableError, OverLimitError.

    Where its frames will be shown at most that wide or high, they are as good as that needs. `for_few` is quicker where
    a few frames alone are wanted.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableError("missing") from error
    with file:
        try:
            container = av.open(file, "r", options=_options(limits), metadata_errors="replace")
        except AVMemoryError as error:
            raise OverLimitError("memory_bytes", None) from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise UnreadableError("not_a_video") from error
        with container:
            yield _film(container, limits, shown_px, for_few=for_few)


def scanned_length_s(path: Path, limits: FilmLimits) -> float:
    """Measure a film that does not say its length, by its packets alone. Raises UnreadableError, OverLimitError."""
    with opened(path, limits) as film:
        for _ in film.packets():
            keep_within(limits, "duration_s", film.pictures_s)
        return film.read_s


def check_size(path: Path, limits: FilmLimits) -> None:
    """Judge a film of which no frame decodes by the size that its container claims. Raises OverLimitError."""
    options = {**_options(limits), "codec_whitelist": "none"}
    with suppress(av.FFmpegError, OSError, ValueError), path.open("rb") as file, av.open(file, options=options) as film:
        for stream in film.streams.video:
            if _known(stream.codec_context):
                keep_within(limits, "frame_px", stream.width * stream.height)


def _options(limits: FilmLimits) -> dict[str, str]:
    """Keep FFmpeg to plain containers and pictures: nothing in a file may name another file or address."""
    return {"format_whitelist": _FORMATS, "protocol_whitelist": "", **_decoder_options(limits)}


def _decoder_options(limits: FilmLimits) -> dict[str, str]:
    """Let a decoder refuse gigantic pictures by itself; it counts the margins of its buffers too."""
    return {"max_pixels": str(limits.frame_px + limits.frame_px // 8 + _MARGIN_PX)}


def _film(container: InputContainer, limits: FilmLimits, shown_px: int | None, *, for_few: bool) -> Film:
    stream = _pictures(container)
    stream.thread_type = "SLICE" if for_few and stream.width * stream.height <= _SMALL_PX else "AUTO"
    is_small = shown_px is not None and max(stream.width, stream.height) >= _MUCH_LARGER * shown_px
    stream.codec_context.options = {**_decoder_options(limits), **(_COARSE if is_small else {})}
    if stream.time_base is None:
        raise UnreadableError("no_frames")
    rate = stream.average_rate or stream.guessed_rate or 25
    clock = Clock(stream.time_base, max(1, round(1 / (rate * stream.time_base))))
    start = container.start_time
    film = Film(container, stream, clock, limits, _start_s=(start or 0) / av.time_base)
    film.check()
    return film


def _pictures(container: InputContainer) -> VideoStream:
    """Choose the largest stream of moving pictures; a record's cover is none."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise UnreadableError("no_video_stream")
    decodable = [stream for stream in streams if _known(stream.codec_context)]
    if not decodable:
        raise UnreadableError("no_frames")
    return max(decodable, key=lambda stream: stream.width * stream.height)


def _known(codec_context: object) -> bool:
    """Tell whether FFmpeg knows the codec; PyAV's stub forgets that the context may be None."""
    return codec_context is not None
