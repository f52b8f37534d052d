"""Opens a video by PyAV and gives its frames in order, each with its time. Runs in the child.

One clock serves reading, seeking and cutting: packets are stamped anew as they leave the container, so the decoder
gives the right times however it reorders frames.
"""

from __future__ import annotations

import errno
from bisect import bisect_left
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, cast

import av
from av.error import MemoryError as AVMemoryError
from av.video.frame import PictureType

from core.engines.video import tracks, webp
from core.engines.video.flaws import OverLimitError, UnreadableError, keep_within
from core.engines.video.places import Places
from core.limits import VideoLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_JUMP_BACK_S = 1.0
"""A timeline that falls back further than this starts anew (joined recordings); less is jitter."""


_TOGETHER_S = 5.0
"""Sound and pictures that jump within this of each other have jumped at the same place."""


_MOST_FED = 512


@dataclass(slots=True)
class Clock:
    """Tells each frame's time in seconds since the start of the container, as players count."""

    time_base: Fraction
    step_ticks: int
    """A frame's usual length, for frames that say nothing."""
    zero_ticks: int | None = None
    """The timestamp of the start; None until the first packet tells."""
    zero_rest_s: float = 0.0
    """What the start lies after that timestamp: other streams count in other units."""
    _last_ticks: int | None = None
    _shift_ticks: int = 0

    @classmethod
    def starting(cls, time_base: Fraction, step_ticks: int, start_s: Fraction | None) -> Clock:
        """Give a clock whose zero is that many seconds after the timestamp 0, or at the first packet for None."""
        if start_s is None:
            return cls(time_base, step_ticks)
        ticks = round(start_s / time_base)
        rest_s = start_s - ticks * time_base
        # The container's start is told in microseconds: a smaller rest is its rounding.
        return cls(time_base, step_ticks, ticks, 0.0 if abs(rest_s) < Fraction(2, 1_000_000) else float(rest_s))

    def time_s(self, frame: VideoFrame) -> float:
        """Give the time of the next frame in the order of display."""
        ticks = self._ticks(frame) + self._shift_ticks
        if self._last_ticks is not None and self._seconds(self._last_ticks - ticks) > _JUMP_BACK_S:
            self._shift_ticks += self._last_ticks + self.step_ticks - ticks
            ticks = self._last_ticks + self.step_ticks
        self._last_ticks = ticks
        return self._since_zero_s(ticks)

    def hear(self, packet: Packet[Stream]) -> None:
        """Take the first packet's time for zero where the container does not say when it starts."""
        if self.zero_ticks is None:
            self.zero_ticks = packet.pts if packet.pts is not None else packet.dts

    def estimate_s(self, packet: Packet[Stream]) -> float | None:
        """Guess the time that the picture in a packet will have, before it is decoded; None where nothing tells."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        return None if ticks is None else self._since_zero_s(ticks + self._shift_ticks)

    def shows_before(self, packet: Packet[Stream], time_s: float) -> bool:
        """Tell whether the picture in a packet is sure to be shown before this time."""
        at_s = None if packet.pts is None else self.estimate_s(packet)
        return at_s is not None and at_s < time_s

    @property
    def step_s(self) -> float:
        """Give how long a frame of the video usually stands."""
        return self._seconds(self.step_ticks)

    @property
    def zero_s(self) -> float:
        """Give the time in the container that is zero here."""
        return self._seconds(self.zero_ticks or 0) + self.zero_rest_s

    def ticks_at(self, time_s: float) -> int:
        """Give the timestamp that a time has in the file, for seeking."""
        return (self.zero_ticks or 0) + round((time_s + self.zero_rest_s) / self.time_base)

    def after_seek(self) -> Clock:
        """Give a clock with the same zero for any place of the video."""
        return Clock(self.time_base, self.step_ticks, self.zero_ticks, self.zero_rest_s)

    def _ticks(self, frame: VideoFrame) -> int:
        if frame.pts is not None:
            return frame.pts
        if frame.dts is not None:
            return frame.dts
        if self._last_ticks is None:
            return self.zero_ticks or 0
        return self._last_ticks - self._shift_ticks + self.step_ticks

    def _since_zero_s(self, ticks: int) -> float:
        """Give the seconds since zero; a frame that comes before the start stands at it."""
        if self.zero_ticks is None:
            self.zero_ticks = ticks
        return max(0.0, self._seconds(ticks - self.zero_ticks) - self.zero_rest_s)

    def _seconds(self, ticks: int) -> float:
        return ticks * self.time_base.numerator / self.time_base.denominator


@dataclass(slots=True)
class _Track:
    """How far one stream has come, in its own units."""

    base: Fraction
    base_s: float
    shift_ticks: int
    last_ticks: int | None = None
    next_ticks: int | None = None
    """When its next packet is due."""


@dataclass(slots=True)
class Jumps:
    """Stamps packets so that a timeline which starts anew, or jumps on or back, goes on where it was."""

    back: bool
    """Whether the timeline may fall back: not in containers that list all their frames."""
    onward_s: float = float("inf")
    """A longer gap in all streams is a jump."""
    shift_s: Fraction = Fraction(0)
    """What is added to the file's own times at present."""
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _latest_s: float | None = None

    @property
    def possible(self) -> bool:
        """Tell whether packets need be looked at."""
        return self.back or self.onward_s < float("inf")

    def shift_of_s(self, stream_index: int) -> Fraction:
        """Give what is added to the times of one stream at present."""
        track = self._tracks.get(stream_index)
        return self.shift_s if track is None else track.shift_ticks * track.base

    def after_seek(self, shift_s: Fraction) -> Jumps:
        """Give the same at another place, where so much is added."""
        return Jumps(self.back, self.onward_s, shift_s)

    def mend(self, packet: Packet[Stream]) -> None:
        """Stamp the next packet of pictures or sound."""
        track = self._tracks.get(packet.stream.index)
        if track is None:
            base = packet.time_base
            track = self._tracks[packet.stream.index] = _Track(base, float(base), round(self.shift_s / base))
        if packet.dts is not None:
            self._judge(packet.dts, packet.duration or 0, track)
        if track.shift_ticks:
            packet.dts = None if packet.dts is None else packet.dts + track.shift_ticks
            packet.pts = None if packet.pts is None else packet.pts + track.shift_ticks

    def _judge(self, dts: int, duration: int, track: _Track) -> None:
        ticks = dts + track.shift_ticks
        if self._fell_back(ticks, track) or self._went_on(ticks, track):
            track.shift_ticks += self._moved_ticks(ticks, track)
            self.shift_s = track.shift_ticks * track.base
            ticks = dts + track.shift_ticks
        track.last_ticks, track.next_ticks = ticks, ticks + duration
        end_s = track.next_ticks * track.base_s
        self._latest_s = end_s if self._latest_s is None else max(self._latest_s, end_s)

    def _fell_back(self, ticks: int, track: _Track) -> bool:
        return self.back and track.last_ticks is not None and (track.last_ticks - ticks) * track.base_s > _JUMP_BACK_S

    def _went_on(self, ticks: int, track: _Track) -> bool:
        if track.next_ticks is None or self._latest_s is None:
            return False
        return ticks * track.base_s > self._latest_s + self.onward_s

    def _moved_ticks(self, ticks: int, track: _Track) -> int:
        """Give what mends a jump: what mended it in the other streams, should they have jumped at the same place."""
        own = (track.next_ticks or 0) - ticks
        others = round(self.shift_s / track.base) - track.shift_ticks
        return others if 0 < (others - own) * track.base_s < _TOGETHER_S else own


@dataclass(slots=True)
class Ranks:
    """Times of frames in files that number their packets and do not stamp them: the n-th frame shown is number n.

    The numbers are those of the order of decoding. What is neither a B-frame nor behind one is shown after as many
    B-frames as overtake it, which is how many come out of the decoder before it with a higher number.
    """

    step_ticks: int | None
    """What one packet stands for, where packets have no number either; None where their DTS is the number."""
    reorders: bool
    """Whether frames are shown in another order than they are decoded in."""
    synced: bool = True
    """False after a seek: which of the first frames were lost is not known."""
    _fed: list[int] = field(default_factory=list)
    _early: list[int] = field(default_factory=list)
    _place: int | None = None
    """The number of the last frame that was shown."""
    _met: bool = False

    def after_seek(self) -> Ranks:
        """Give the same at another place."""
        return Ranks(self.step_ticks, self.reorders, synced=not self.reorders)

    def feed(self, packet: Packet[Stream]) -> None:
        """Stamp the next packet with its number."""
        if self.step_ticks is not None:
            packet.dts = self._fed[-1] + self.step_ticks if self._fed else 0
        packet.pts = packet.dts
        if packet.dts is not None:
            self._fed.append(packet.dts)
        if len(self._fed) > 2 * _MOST_FED:
            del self._fed[:_MOST_FED]

    def shown_ticks(self, frame: VideoFrame) -> int | None:
        """Give the number that the next frame in the order of display has there; None where that is not known."""
        own = frame.pts
        if own is None or not self._fed:
            return own
        if frame.pict_type == PictureType.B:
            self.reorders = True
            self._early.append(own)
            if self._place is not None:
                self._place = self._after(self._place, 1)
            elif self.synced:
                self._place = self._fed[0]
            return self._place
        overtaking = sum(number > own for number in self._early)
        self._early.clear()
        synced, self.synced = self.synced or self._met or not self.reorders, self.synced or self._met
        self._met = True
        self._place = self._after(own, overtaking) if synced else None
        return self._place

    def _after(self, number: int, count: int) -> int:
        place = bisect_left(self._fed, number) + count
        return self._fed[min(place, len(self._fed) - 1)]


_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,ogg,gif,flv,asf,mxf,apng,nut,ivf,dv,"
    "mpegvideo,m4v,h264,hevc,obu,mp3,wav,flac,aac"
)
"""Containers of videos, and of sound so that a sound file is told from garbage. None of them opens other files."""


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
        Of what comes before `needed_from_s`, frames that no other is made from are left out: some half of a video's.
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
        """Give the packets of all streams, stamped by the video's own clock; None flushes after a failure."""
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
        """Move to a keyframe at or before the time and give the video as seen from there. Raises av.FFmpegError."""
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
    with file:
        container = _container(file, limits)
        with container:
            video = _video(container, limits, shown_px, for_few=for_few)
            if video.formats & _BROADCAST.keys():
                video.places = _places(path, limits)
                video.check()
            yield video


def _container(file: BinaryIO, limits: VideoLimits) -> InputContainer:
    if webp.is_animated(file):
        file = webp.rewritten(file, limits)
    try:
        return av.open(_Source(file), "r", options=_options(limits), metadata_errors="replace")
    except AVMemoryError as error:
        raise OverLimitError("memory_bytes", None) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableError("not_a_video") from error


def _places(path: Path, limits: VideoLimits) -> Places:
    """Go through all packets of a video and note its keyframes. Raises UnreadableError, OverLimitError."""
    with path.open("rb") as file, _container(file, limits) as container:
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


def check_size(path: Path, limits: VideoLimits) -> None:
    """Judge a video of which no frame decodes by the size that its container claims. Raises OverLimitError."""
    options = {**_options(limits), "codec_whitelist": "none"}
    with (
        suppress(av.FFmpegError, OSError, ValueError),
        path.open("rb") as file,
        av.open(_Source(file), options=options) as video,
    ):
        for stream in video.streams.video:
            if tracks.known(stream.codec_context):
                keep_within(limits, "frame_px", stream.width * stream.height)


def _options(limits: VideoLimits) -> dict[str, str]:
    """Keep FFmpeg to plain containers and pictures: nothing in a file may name another file or address."""
    return {"format_whitelist": _FORMATS, "protocol_whitelist": "", **_decoder_options(limits)}


def _decoder_options(limits: VideoLimits) -> dict[str, str]:
    """Let a decoder refuse gigantic pictures by itself; it counts the margins of its buffers too."""
    return {"max_pixels": str(limits.frame_px + limits.frame_px // 8 + _MARGIN_PX)}


def _video(container: InputContainer, limits: VideoLimits, shown_px: int | None, *, for_few: bool) -> OpenVideo:
    stream = tracks.pictures(container)
    stream.thread_type = "SLICE" if for_few and stream.width * stream.height <= _SMALL_PX else "AUTO"
    is_small = shown_px is not None and max(stream.width, stream.height) >= _MUCH_LARGER * shown_px
    stream.codec_context.options = {**_decoder_options(limits), **(_COARSE if is_small else {})}
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
