"""Reads a film with PyAV: opens it, says what it is, and gives its frames in order.

Runs in the decoding child, for the bytes are a stranger's. Owns times; must not know sampling, pictures or pipes.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, cast

import av
from av.error import MemoryError as AVMemoryError

from core.engines import tracks, webp
from core.engines.clock import Clock, Jumps, Ranks
from core.engines.flaws import OverLimitError, UnreadableError, keep_within
from core.engines.places import Places
from core.limits import FilmLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,ogg,gif,flv,asf,mxf,apng,nut,ivf,dv,"
    "mpegvideo,m4v,h264,hevc,obu,mp3,wav,flac,aac"
)
"""Containers of films, and of sound so that a sound file is told from garbage. None of them opens other files."""
_LISTED = frozenset({"mov", "mp4"})
"""Containers that list the time of each frame: what looks like a jump in them is none."""
_BROADCAST = {"mpegts": 10.0, "mpeg": 10.0, "flv": 600.0}
"""Containers of live pictures, whose clock may start anew, or jump by more than so many seconds: FFmpeg's own measure,
but for Flash, where pictures may stand for long. They list no keyframes that can be trusted, so that a list is made."""
_BARE = frozenset({"mpegvideo", "m4v", "h264", "hevc", "obu"})
"""Pictures without a container: no length, and no way to a time but from the start."""
_UNSTAMPED = frozenset({"h264", "hevc", "obu"})
"""Of those, the ones whose packets say nothing of their time."""
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
    jumps: Jumps
    ranks: Ranks | None = None
    """How its frames are numbered, where its packets bear no times."""
    places: Places | None = None
    """Its keyframes, where the container cannot be trusted to find them."""
    limits: FilmLimits = field(default_factory=FilmLimits)
    broken: bool = False
    """The container could not be read to its end."""
    read_s: float = 0.0
    """How far the packets of pictures and sound went, from the start of the container."""
    pictures_s: float = 0.0
    """When the last packet of pictures begins, likewise."""
    decoders_aspects: list[Fraction | None] = field(default_factory=list)
    """What the decoder said of the pixels of the first frame, once there was one: the container may know better."""
    _frames: int = 0
    _units_s: dict[int, float] = field(default_factory=dict)
    """What one tick of each stream's times stands for: fractions would take as long as taking the film apart."""

    @property
    def declared_s(self) -> float | None:
        """Give the length that the container claims, where it claims one."""
        if self.places is not None and self.places.length_s > 0:
            return self.places.length_s
        duration = self.container.duration
        told = duration is not None and duration > 0 and not self.formats & _BARE
        return duration / av.time_base if told and duration is not None else None

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Give how much wider than high the pixels are of the frame that was decoded last: broadcasts change it."""
        told = self.stream.codec_context.sample_aspect_ratio
        as_before = told is None or told in self.decoders_aspects[:1]
        return self.stream.sample_aspect_ratio if as_before else told

    @property
    def formats(self) -> frozenset[str]:
        """Give the names of the container's format."""
        return frozenset(self.container.format.name.split(","))

    @property
    def keyframes_tell_times(self) -> bool:
        """Tell whether a keyframe's time is known before what follows it is decoded."""
        return self.ranks is None or not self.ranks.reorders

    def frames(self, *, from_keyframe: bool = False, needed_from_s: float = 0.0) -> Iterator[tuple[float, VideoFrame]]:
        """Give each frame with its time; a packet that does not decode is passed over.

        After a seek, start `from_keyframe`: some containers land between them, and decoders then guess the picture.
        Of what comes before `needed_from_s`, frames that no other is made from are left out: some half of a film's.
        Raises OverLimitError.
        """
        waiting = from_keyframe
        for packet in self.packets():
            if packet is not None and not self.shows(packet):
                continue
            waiting = waiting and packet is not None and not self._may_start(packet)
            if not waiting:
                self._leave_out(packet, needed_from_s)
                yield from self.decoded(packet)

    def _may_start(self, packet: Packet[Stream]) -> bool:
        """Tell whether to begin with a packet after a seek."""
        return packet.is_keyframe and (self.places is None or self.places.knows(packet))

    def shows(self, packet: Packet[Stream]) -> bool:
        """Tell whether a packet belongs to the pictures: PyAV gives the last, empty one of each stream the index 0."""
        return packet.stream.index == self.stream.index

    def _leave_out(self, packet: Packet[Stream] | None, needed_from_s: float) -> None:
        """Let the decoder pass a packet over that comes early, should no other frame need it."""
        may = needed_from_s > 0 and packet is not None and self.keyframes_tell_times
        early = may and packet is not None and self.clock.shows_before(packet, needed_from_s)
        self.stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"

    def decoded(self, packet: Packet[Stream] | None) -> Iterator[tuple[float, VideoFrame]]:
        """Give the frames that come out of the decoder when this packet goes in, with their times.

        None takes out what is left in it. Raises OverLimitError.
        """
        for frame in self._decoded(packet):
            if self.ranks is not None:
                ticks = self.ranks.shown_ticks(frame)
                if ticks is None:
                    continue
                frame.pts = ticks
            yield self._within(self.clock.time_s(frame), frame), frame

    def packets(self) -> Iterator[Packet[Stream] | None]:
        """Give the packets of all streams, stamped by the film's own clock; None flushes after a failure."""
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
            if packet.size or _is_last(packet):
                self._stamp(packet)
                yield packet

    def seek(self, time_s: float) -> Film:
        """Move to a keyframe at or before the time and give the film as seen from there. Raises av.FFmpegError."""
        ticks = self.clock.ticks_at(time_s)
        shift_s = Fraction(0)
        if self.places is not None:
            place = self.places.before(ticks)
            if place is None:
                raise av.FFmpegError(errno.ESPIPE, "no keyframe is known")
            self.container.seek(place.byte, unsupported_byte_offset=True)
            shift_s = place.shift_s
        elif self.formats & _BARE:
            raise av.FFmpegError(errno.ESPIPE, "nothing tells where a time is")
        else:
            self.container.seek(ticks, stream=self.stream, backward=True)
        ranks = None if self.ranks is None else self.ranks.after_seek()
        clock, jumps = self.clock.after_seek(), self.jumps.after_seek(shift_s)
        landed = Film(self.container, self.stream, clock, jumps, ranks, self.places, self.limits)
        landed.decoders_aspects = self.decoders_aspects
        return landed

    def check(self) -> None:
        """Judge the film by what it says of itself, before anything is decoded. Raises OverLimitError."""
        if not self.formats & _BROADCAST.keys() or self.places is not None:
            keep_within(self.limits, "duration_s", self.declared_s or 0.0)
        keep_within(self.limits, "frame_px", self.stream.width * self.stream.height)
        keep_within(self.limits, "frames", self.stream.frames)

    def _within(self, time_s: float, frame: VideoFrame) -> float:
        """Count a frame, and give its time. Raises OverLimitError."""
        self._frames += 1
        if not self.decoders_aspects:
            self.decoders_aspects.append(self.stream.codec_context.sample_aspect_ratio)
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

    def _stamp(self, packet: Packet[Stream]) -> None:
        """Stamp a packet of pictures or sound, and note how far it goes."""
        is_picture = self.shows(packet)
        if not is_picture and packet.stream.type != "audio":
            return
        if self.jumps.possible and not packet.is_discard:
            self.jumps.mend(packet)
        if is_picture and packet.size:
            if self.ranks is not None:
                self.ranks.feed(packet)
            self.clock.hear(packet)
        start = packet.pts if packet.pts is not None else packet.dts
        if start is not None:
            self._note(packet, start, is_picture=is_picture)

    def _note(self, packet: Packet[Stream], start: int, *, is_picture: bool) -> None:
        index = packet.stream.index
        unit_s = self._units_s.get(index)
        if unit_s is None:
            unit_s = self._units_s[index] = float(packet.time_base)
        start_s = start * unit_s - self.clock.zero_s
        self.read_s = max(self.read_s, start_s + (packet.duration or 0) * unit_s)
        if is_picture:
            self.pictures_s = max(self.pictures_s, start_s)


class _Source:
    """A file as FFmpeg itself would open it: a place that is none is an answer, which it may do without."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell = file.read, file.tell
        self._file = file

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, and give the new place, or a negative error number: headers are often wrong about places."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -errno.EINVAL


def _is_last(packet: Packet[Stream]) -> bool:
    """Tell the empty packet that ends a stream from one that stands for a frame shown again."""
    return packet.pts is None and packet.dts is None


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
        container = _container(file, limits)
        with container:
            film = _film(container, limits, shown_px, for_few=for_few)
            if film.formats & _BROADCAST.keys():
                film.places = _places(path, limits)
                film.check()
            yield film


def _container(file: BinaryIO, limits: FilmLimits) -> InputContainer:
    if webp.is_animated(file):
        file = webp.rewritten(file, limits)
    try:
        return av.open(_Source(file), "r", options=_options(limits), metadata_errors="replace")
    except AVMemoryError as error:
        raise OverLimitError("memory_bytes", None) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableError("not_a_video") from error


def _places(path: Path, limits: FilmLimits) -> Places:
    """Go through all packets of a film and note its keyframes. Raises UnreadableError, OverLimitError."""
    with path.open("rb") as file, _container(file, limits) as container:
        film = _film(container, limits, None, for_few=True)
        places = Places(early=int("mpeg" in film.formats))
        for packet in film.packets():
            if packet is not None and packet.is_keyframe and film.shows(packet):
                places.note(packet, film.jumps.shift_of_s(film.stream.index))
                keep_within(limits, "duration_s", film.pictures_s)
        places.length_s = film.read_s
    return places


def scanned_length_s(path: Path, limits: FilmLimits) -> float:
    """Measure a film that does not say its length, by its packets alone. Raises UnreadableError, OverLimitError."""
    with opened(path, limits) as film:
        for _ in film.packets():
            keep_within(limits, "duration_s", film.pictures_s)
        return film.read_s


def check_size(path: Path, limits: FilmLimits) -> None:
    """Judge a film of which no frame decodes by the size that its container claims. Raises OverLimitError."""
    options = {**_options(limits), "codec_whitelist": "none"}
    with (
        suppress(av.FFmpegError, OSError, ValueError),
        path.open("rb") as file,
        av.open(_Source(file), options=options) as film,
    ):
        for stream in film.streams.video:
            if tracks.known(stream.codec_context):
                keep_within(limits, "frame_px", stream.width * stream.height)


def _options(limits: FilmLimits) -> dict[str, str]:
    """Keep FFmpeg to plain containers and pictures: nothing in a file may name another file or address."""
    return {"format_whitelist": _FORMATS, "protocol_whitelist": "", **_decoder_options(limits)}


def _decoder_options(limits: FilmLimits) -> dict[str, str]:
    """Let a decoder refuse gigantic pictures by itself; it counts the margins of its buffers too."""
    return {"max_pixels": str(limits.frame_px + limits.frame_px // 8 + _MARGIN_PX)}


def _film(container: InputContainer, limits: FilmLimits, shown_px: int | None, *, for_few: bool) -> Film:
    stream = tracks.pictures(container)
    stream.thread_type = "SLICE" if for_few and stream.width * stream.height <= _SMALL_PX else "AUTO"
    is_small = shown_px is not None and max(stream.width, stream.height) >= _MUCH_LARGER * shown_px
    stream.codec_context.options = {**_decoder_options(limits), **(_COARSE if is_small else {})}
    film = Film(container, stream, _clock(container, stream), Jumps(back=False), limits=limits)
    listed = bool(film.formats & _LISTED)
    film.jumps = Jumps(not listed, min(_BROADCAST.get(name, float("inf")) for name in film.formats))
    if film.formats & _UNSTAMPED:
        film.ranks = Ranks(film.clock.step_ticks, reorders=True)
    elif "avi" in film.formats:
        film.ranks = Ranks(None, stream.codec_context.has_b_frames)
    film.check()
    return film


def _clock(container: InputContainer, stream: VideoStream) -> Clock:
    """Give a clock that starts with the container, as players do."""
    if stream.time_base is None:
        raise UnreadableError("no_frames")
    rate = stream.average_rate or stream.guessed_rate or 25
    step_ticks = max(1, round(1 / (rate * stream.time_base)))
    first_s = None if stream.start_time is None else stream.start_time * stream.time_base
    start = cast("int | None", container.start_time)  # PyAV's stub forgets that it may be None
    if "avi" in container.format.name:
        return Clock(stream.time_base, step_ticks, 0)
    if start is None:
        return Clock.starting(stream.time_base, step_ticks, first_s)
    start_s = Fraction(start, av.time_base)
    return Clock.starting(stream.time_base, step_ticks, start_s if first_s is None else min(first_s, start_s))
