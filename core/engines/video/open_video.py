"""Reads the frames of an open video in order, each with its time. Runs in the child."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, cast

import av
from av.error import MemoryError as AVMemoryError

from core.engines.video.container import (
    OverLimitError,
    UnreadableError,
    decoder_options,
    keep_within,
    opened_container,
    shown_stream,
)
from core.engines.video.timeline import Clock, Jumps, Places, Ranks
from core.limits import VideoLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

TimedFrame: TypeAlias = "tuple[float, VideoFrame]"
"""A frame with its time in seconds."""
_LISTED = frozenset({"mov", "mp4"})
"""Containers that list the time of each frame: what looks like a jump in them is none."""
_BROADCAST = {"mpegts": 10.0, "mpeg": 10.0, "flv": 600.0}
"""Containers of live pictures, whose clock may start anew, or jump by more than so many seconds: FFmpeg's own measure,
but for Flash, where pictures may stand for long. They list no keyframes that can be trusted, so that a list is made."""
_BARE = frozenset({"mpegvideo", "m4v", "h264", "hevc", "obu"})
"""Pictures without a container: no length, and no way to a time but from the start."""
_UNSTAMPED = frozenset({"h264", "hevc", "obu"})
"""Of those, the ones whose packets say nothing of their time."""
_MUCH_LARGER = 2
_COARSE = {"skip_loop_filter": "bidir"}
"""Leaves the seams between blocks in frames that few or none are made from: scaled down, they cannot be seen.

A cut of 1080p takes 0.94 times the processor time."""
_SMALL_PX = 640 * 480
"""Threads that decode a frame each first have to be filled: a still of so small a video takes 0.78 times the processor
time without."""


@dataclass(slots=True)
class OpenVideo:
    """An open video."""

    container: InputContainer
    stream: VideoStream
    clock: Clock
    jumps: Jumps
    ranks: Ranks | None = None
    """How its frames are numbered, where its packets bear no times."""
    places: Places | None = None
    """Its keyframes, where the container cannot be trusted to find them."""
    limits: VideoLimits = field(default_factory=VideoLimits)
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
    """What one tick of each stream's times stands for: fractions would take as long as taking the video apart."""

    @property
    def declared_s(self) -> float | None:
        """Return the length that the container claims, where it claims one."""
        if self.places is not None and self.places.length_s > 0:
            return self.places.length_s
        duration = self.container.duration
        told = duration is not None and duration > 0 and not self.formats & _BARE
        return duration / av.time_base if told and duration is not None else None

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Return how much wider than high the pixels are of the frame that was decoded last: broadcasts change it."""
        told = self.stream.codec_context.sample_aspect_ratio
        as_before = told is None or told in self.decoders_aspects[:1]
        return self.stream.sample_aspect_ratio if as_before else told

    @property
    def formats(self) -> frozenset[str]:
        """Return the names of the container's format."""
        return frozenset(self.container.format.name.split(","))

    @property
    def keyframes_tell_times(self) -> bool:
        """Return whether a keyframe's time is known before what follows it is decoded."""
        return self.ranks is None or not self.ranks.reorders

    def frames(self, *, from_keyframe: bool = False) -> Iterator[TimedFrame]:
        """Yield each frame with its time; a packet that does not decode is passed over.

        After a seek, start `from_keyframe`: some containers land between them, and decoders then guess the picture.
        Raises OverLimitError.
        """
        waiting = from_keyframe
        for packet in self.packets():
            if packet is not None and not self.shows(packet):
                continue
            waiting = waiting and packet is not None and not self._may_start(packet)
            if not waiting:
                yield from self.decoded(packet)

    def _may_start(self, packet: Packet[Stream]) -> bool:
        """Return whether to begin with a packet after a seek."""
        return packet.is_keyframe and (self.places is None or self.places.knows(packet))

    def shows(self, packet: Packet[Stream]) -> bool:
        """Return whether a packet is of the pictures: PyAV gives the last, empty one of each stream the index 0."""
        return packet.stream.index == self.stream.index

    def decoded(self, packet: Packet[Stream] | None) -> Iterator[TimedFrame]:
        """Yield the frames that come out of the decoder when this packet goes in, with their times.

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
        """Yield the packets of all streams, stamped by the video's own clock; None flushes after a failure."""
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

    def seek(self, time_s: float) -> OpenVideo:
        """Move to a keyframe at or before the time and return the video as seen from there. Raises av.FFmpegError."""
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
        landed = OpenVideo(self.container, self.stream, clock, jumps, ranks, self.places, self.limits)
        landed.decoders_aspects = self.decoders_aspects
        return landed

    def check(self) -> None:
        """Judge the video by what it says of itself, before anything is decoded. Raises OverLimitError."""
        if not self.formats & _BROADCAST.keys() or self.places is not None:
            keep_within(self.limits, "duration_s", self.declared_s or 0.0)
        keep_within(self.limits, "frame_px", self.stream.width * self.stream.height)
        keep_within(self.limits, "frames", self.stream.frames)

    def _within(self, time_s: float, frame: VideoFrame) -> float:
        """Count a frame, and return its time. Raises OverLimitError."""
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


def _is_last(packet: Packet[Stream]) -> bool:
    """Return whether an empty packet ends a stream; another stands for a frame that is shown again."""
    return packet.pts is None and packet.dts is None


@contextmanager
def opened(
    path: Path, limits: VideoLimits, shown_px: int | None = None, *, for_few: bool = False
) -> Iterator[OpenVideo]:
    """Open a file as a video for a while. Raises UnreadableError, OverLimitError.

    Where its frames will be shown at most that wide or high, they are as good as that needs. `for_few` is quicker where
    a few frames alone are wanted.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableError("missing") from error
    with file, opened_container(file, limits) as container:
        video = _video(container, limits, shown_px, for_few=for_few)
        if video.formats & _BROADCAST.keys():
            video.places = _places(path, limits)
            video.check()
        yield video


def _places(path: Path, limits: VideoLimits) -> Places:
    """Go through all packets of a video and note its keyframes. Raises UnreadableError, OverLimitError."""
    with path.open("rb") as file, opened_container(file, limits) as container:
        video = _video(container, limits, None, for_few=True)
        places = Places(early=int("mpeg" in video.formats))
        for packet in video.packets():
            if packet is not None and packet.is_keyframe and video.shows(packet):
                places.note(packet, video.jumps.shift_of_s(video.stream.index))
                keep_within(limits, "duration_s", video.pictures_s)
        places.length_s = video.read_s
    return places


def scanned_length_s(path: Path, limits: VideoLimits) -> float:
    """Measure a video that does not say its length, by its packets alone. Raises UnreadableError, OverLimitError."""
    with opened(path, limits) as video:
        for _ in video.packets():
            keep_within(limits, "duration_s", video.pictures_s)
        return video.read_s


def _video(container: InputContainer, limits: VideoLimits, shown_px: int | None, *, for_few: bool) -> OpenVideo:
    stream = shown_stream(container)
    stream.thread_type = "SLICE" if for_few and stream.width * stream.height <= _SMALL_PX else "AUTO"
    is_small = shown_px is not None and max(stream.width, stream.height) >= _MUCH_LARGER * shown_px
    stream.codec_context.options = {**decoder_options(limits), **(_COARSE if is_small else {})}
    video = OpenVideo(container, stream, _clock(container, stream), Jumps(back=False), limits=limits)
    listed = bool(video.formats & _LISTED)
    video.jumps = Jumps(not listed, min(_BROADCAST.get(name, float("inf")) for name in video.formats))
    if video.formats & _UNSTAMPED:
        video.ranks = Ranks(video.clock.step_ticks, reorders=True)
    elif "avi" in video.formats:
        video.ranks = Ranks(None, stream.codec_context.has_b_frames)
    video.check()
    return video


def _clock(container: InputContainer, stream: VideoStream) -> Clock:
    """Return a clock that starts with the container, as players do."""
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
