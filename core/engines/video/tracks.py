"""Which stream of a file is the one that players show? Runs in the child."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from av.stream import Disposition

from core.engines.video.flaws import UnreadableError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_MUCH_LONGER = 1.25
"""Tracks whose lengths differ by less than this factor are as long: then the larger pictures are better."""
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


def pictures(container: InputContainer) -> VideoStream:
    """Give the stream of moving pictures that players show; a record's cover is none.

    Several that move: the default ones before others, of those a much longer one, of those the largest.
    Raises UnreadableError.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    if not streams:
        raise UnreadableError("no_video_stream")
    decodable = [stream for stream in streams if known(stream.codec_context)]
    if not decodable:
        raise UnreadableError("no_frames")
    moving = [stream for stream in decodable if _moves(stream)] or decodable
    default = [stream for stream in moving if stream.disposition & Disposition.default] or moving
    longest_s = max(_length_s(stream) for stream in default)
    long = [stream for stream in default if _length_s(stream) * _MUCH_LONGER >= longest_s]
    return max(long, key=lambda stream: stream.width * stream.height)


def _moves(stream: VideoStream) -> bool:
    """Tell whether a stream may have more than one picture, as far as it says."""
    return stream.frames != 1 and not stream.disposition & Disposition.still_image


def known(codec_context: object) -> bool:
    """Tell whether FFmpeg knows the codec; PyAV's stub forgets that the context may be None."""
    return codec_context is not None


def _length_s(stream: VideoStream) -> float:
    """Give how long a stream says that it is; 0 where it does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    named = _CLOCK.match(stream.metadata.get("DURATION", ""))  # Matroska keeps it in a tag
    return int(named[1]) * 3600 + int(named[2]) * 60 + float(named[3]) if named else 0.0
