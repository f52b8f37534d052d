"""Opens a file as a container by PyAV: the formats that are allowed, and the stream that players show.

Animated WebP, which FFmpeg's builds do not decode (tried with FFmpeg 8.0), is rewritten losslessly by Pillow, in
memory. Runs in the child.
"""

from __future__ import annotations

import errno
import io
import re
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import av
import numpy as np
from av.error import MemoryError as AVMemoryError
from av.stream import Disposition
from PIL import Image

from core.limits import ABSURD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from core.limits import Quantity, VideoLimits

Flaw: TypeAlias = Literal["missing", "not_a_video", "no_video_stream", "no_frames"]
_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,ogg,gif,flv,asf,mxf,apng,nut,ivf,dv,"
    "mpegvideo,m4v,h264,hevc,obu,mp3,wav,flac,aac"
)
"""Containers of videos, and of sound so that a sound file is told from garbage. None of them opens other files."""
_MARGIN_PX = 1 << 20
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_MUCH_LONGER = 1.25
"""Tracks whose lengths differ by less than this factor are as long: then the larger pictures are better."""
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_HEADER_BYTES = 21
_ANIMATED = 0x02
_SHARE = 0.25
"""Of the memory that a video may take, for what is written anew."""
_LEAST_MS = 1
_USUAL_MS = 100
"""How long a picture stands that does not say so, in browsers too."""


class UnreadableError(Exception):
    """The file is no video; `flaw` says in which way."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw: Flaw = flaw


class OverLimitError(Exception):
    """The video takes more than one may: `found` of a quantity, or None where that was not measured."""

    def __init__(self, quantity: Quantity, found: float | None) -> None:
        super().__init__(quantity, found)
        self.quantity: Quantity = quantity
        self.found = found if found is None else min(found, ABSURD)


def keep_within(limits: VideoLimits, quantity: Quantity, found: float) -> None:
    """Raise OverLimitError where more was found than there may be."""
    limit: float = getattr(limits, quantity)
    if found > limit:
        raise OverLimitError(quantity, found)


class _Source:
    """A file as FFmpeg itself would open it: a place that is none is an answer, which it may do without."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell = file.read, file.tell
        self._file = file

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, and return the new place, or a negative error number: headers are often wrong about places."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -errno.EINVAL


def opened_container(file: BinaryIO, limits: VideoLimits) -> InputContainer:
    """Open a file by PyAV. Raises UnreadableError, OverLimitError."""
    if _is_animated_webp(file):
        file = _rewritten(file, limits)
    try:
        return av.open(_Source(file), "r", options=_options(limits), metadata_errors="replace")
    except AVMemoryError as error:
        raise OverLimitError("memory_bytes", None) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnreadableError("not_a_video") from error


def check_size(path: Path, limits: VideoLimits) -> None:
    """Judge a video of which no frame decodes by the size that its container claims. Raises OverLimitError."""
    options = {**_options(limits), "codec_whitelist": "none"}
    with (
        suppress(av.FFmpegError, OSError, ValueError),
        path.open("rb") as file,
        av.open(_Source(file), options=options) as video,
    ):
        for stream in video.streams.video:
            if is_known(stream.codec_context):
                keep_within(limits, "frame_px", stream.width * stream.height)


def _options(limits: VideoLimits) -> dict[str, str]:
    """Keep FFmpeg to plain containers and pictures: nothing in a file may name another file or address."""
    return {"format_whitelist": _FORMATS, "protocol_whitelist": "", **decoder_options(limits)}


def decoder_options(limits: VideoLimits) -> dict[str, str]:
    """Let a decoder refuse gigantic pictures by itself; it counts the margins of its buffers too."""
    return {"max_pixels": str(limits.frame_px + limits.frame_px // 8 + _MARGIN_PX)}


def shown_stream(container: InputContainer) -> VideoStream:
    """Return the stream of moving pictures that players show; a record's cover is none.

    Several that move: the default ones before others, of those a much longer one, of those the largest.
    Raises UnreadableError.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    if not streams:
        raise UnreadableError("no_video_stream")
    decodable = [stream for stream in streams if is_known(stream.codec_context)]
    if not decodable:
        raise UnreadableError("no_frames")
    moving = [stream for stream in decodable if _moves(stream)] or decodable
    default = [stream for stream in moving if stream.disposition & Disposition.default] or moving
    longest_s = max(_length_s(stream) for stream in default)
    long = [stream for stream in default if _length_s(stream) * _MUCH_LONGER >= longest_s]
    return max(long, key=lambda stream: stream.width * stream.height)


def _moves(stream: VideoStream) -> bool:
    """Return whether a stream may have more than one picture, as far as it says."""
    return stream.frames != 1 and not stream.disposition & Disposition.still_image


def is_known(codec_context: object) -> bool:
    """Return whether FFmpeg knows the codec; PyAV's stub forgets that the context may be None."""
    return codec_context is not None


def _length_s(stream: VideoStream) -> float:
    """Return how long a stream says that it is; 0 where it does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    named = _CLOCK.match(stream.metadata.get("DURATION", ""))  # Matroska keeps it in a tag
    return int(named[1]) * 3600 + int(named[2]) * 60 + float(named[3]) if named else 0.0


def _is_animated_webp(file: BinaryIO) -> bool:
    """Return whether a file is a WebP with several pictures; the file is at its start before and after."""
    header = file.read(_HEADER_BYTES)
    file.seek(0)
    extended = len(header) == _HEADER_BYTES and header[:4] == b"RIFF" and header[8:16] == b"WEBPVP8X"
    return extended and bool(header[-1] & _ANIMATED)


def _rewritten(file: BinaryIO, limits: VideoLimits) -> BinaryIO:
    """Return the same pictures at the same times in a container that FFmpeg reads.

    Raises UnreadableError, OverLimitError.
    """
    made = io.BytesIO()
    try:
        with Image.open(file, formats=("WEBP",)) as image:
            keep_within(limits, "frame_px", image.width * image.height)
            _write(made, _pictures(image, limits), image.size, limits)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UnreadableError("not_a_video") from error
    made.seek(0)
    return made


def _pictures(image: Image.Image, limits: VideoLimits) -> Iterator[tuple[av.VideoFrame, int]]:
    """Yield each picture with the milliseconds that it stands."""
    count = getattr(image, "n_frames", 1)
    keep_within(limits, "frames", count)
    for index in range(count):
        image.seek(index)
        rgba = np.asarray(image.convert("RGBA"))
        stands_ms = int(image.info.get("duration") or _USUAL_MS)
        yield av.VideoFrame.from_ndarray(rgba, "rgba"), max(_LEAST_MS, stands_ms)


def _write(
    made: io.BytesIO, pictures: Iterator[tuple[av.VideoFrame, int]], size: tuple[int, int], limits: VideoLimits
) -> None:
    at_ms = 0
    with av.open(made, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "bgra"
        stream.codec_context.time_base = Fraction(1, 1000)
        for frame, stands_ms in pictures:
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            for packet in stream.encode(frame.reformat(format="bgra")):
                packet.duration = stands_ms
                container.mux(packet)
            at_ms += stands_ms
            if made.tell() > _SHARE * limits.memory_bytes:
                raise OverLimitError("memory_bytes", None)
        container.mux(stream.encode(None))
