"""Animated WebP, which FFmpeg's builds do not read: rewritten by Pillow, losslessly and in memory.

Runs in the child.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import av
import numpy as np
from PIL import Image

from core.engines.video.flaws import OverLimitError, UnreadableError, keep_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.limits import VideoLimits

_HEADER_BYTES = 21
_ANIMATED = 0x02
_SHARE = 0.25
"""Of the memory that a video may take, for what is written anew."""
_LEAST_MS = 1
_USUAL_MS = 100
"""How long a picture stands that does not say so, in browsers too."""


def is_animated(file: BinaryIO) -> bool:
    """Tell whether a file is a WebP with several pictures; the file is at its start before and after."""
    header = file.read(_HEADER_BYTES)
    file.seek(0)
    extended = len(header) == _HEADER_BYTES and header[:4] == b"RIFF" and header[8:16] == b"WEBPVP8X"
    return extended and bool(header[-1] & _ANIMATED)


def rewritten(file: BinaryIO, limits: VideoLimits) -> BinaryIO:
    """Give the same pictures at the same times in a container that FFmpeg reads.

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
    """Give each picture with the milliseconds that it stands."""
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
