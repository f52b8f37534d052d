"""The decoding child's program: one request on stdin, frames, stills or a clip on stdout.

It starts often, so it imports no torch.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import av
import numpy as np
from PIL import Image, ImageOps

from core.engines.sandbox import forkserver, protocol
from core.engines.sandbox import limits as sandbox
from core.engines.sandbox.protocol import NOT_A_PICTURE
from core.engines.video import frame as pictures
from core.engines.video import seek
from core.engines.video.clip import send_clip
from core.engines.video.container import OverLimitError, UnreadableError, check_size, keep_within
from core.engines.video.open_video import opened, scanned_length_s
from core.engines.video.sampler import FellBackError, KeyframeSampler, SampleSender
from core.limits import VideoLimits
from core.model.video import Preprocess, Sampling
from core.ports.video import Framing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.engines.video.open_video import OpenVideo
    from core.engines.video.seek import SoughtFrame
    from core.model.video import Pixels

_STILL_QUALITY, _STILLS_QUALITY = 90, 88
_MISSING_S, _MISSING_SHARE = 2.0, 0.05
"""A video that ends earlier than it declares, by more than both, has broken off."""
_OPEN_FILES = 64
_PATIENT = frozenset({"frames", "frames_at", "framed"})
"""Requests of jobs in the background."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Of pictures. None of them opens other files or runs other programs."""


def prepare() -> None:
    """Give up for good what no child of this module needs."""
    sandbox.isolate()


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up all but decoding the one video that a request names; return the request with the path to open it by."""
    limits = _limits(request)
    if request["kind"] in _PATIENT:
        os.nice(10)  # stills and the chat come first
    sandbox.bound(sandbox.Bounds(limits.decode_s, limits.memory_bytes, file_bytes=0, open_files=_OPEN_FILES))
    return {**request, "path": str(sandbox.shut_in(Path(str(request["path"]))))}


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Answer one request; a file that is no video is an answer too."""
    limits = _limits(request)
    try:
        _attempt(request, limits, out)
    except UnreadableError as error:
        protocol.send(out, {"kind": "error", "code": error.flaw})
    except OverLimitError as error:
        tell_over_limit(error, out)
    except MemoryError:
        tell_over_limit(OverLimitError("memory_bytes", None), out)
    except av.FFmpegError:  # what it cannot even convert or encode
        protocol.send(out, {"kind": "error", "code": "no_frames"})


def tell_over_limit(error: OverLimitError, out: BinaryIO) -> None:
    """Answer that the video takes more than one may."""
    protocol.send(out, {"kind": "error", "code": "over_limit", "quantity": error.quantity, "found": error.found})


def _attempt(request: Mapping[str, object], limits: VideoLimits, out: BinaryIO) -> None:
    path = Path(str(request["path"]))
    try:
        _work(request)(path, request, out)
    except UnreadableError:
        check_size(path, limits)
        raise


def _work(request: Mapping[str, object]) -> Callable[[Path, Mapping[str, object], BinaryIO], None]:

    works = {"frames": send_frames, "frames_at": send_frames_at, "framed": send_framed, "picture": send_picture}
    works |= {"still": send_still, "stills": send_stills, "clip": send_clip, "sandbox": send_sandbox}
    return works[str(request["kind"])]


def _limits(request: Mapping[str, object]) -> VideoLimits:
    return VideoLimits(**request["limits"])  # type: ignore[arg-type] # our own parent wrote it


def _preprocess(request: Mapping[str, object]) -> Preprocess:
    return Preprocess(**request["preprocess"])  # type: ignore[arg-type] # likewise


def _times_s(request: Mapping[str, object]) -> list[float]:
    return [float(time_s) for time_s in request["times_s"]]  # type: ignore[attr-defined]


def send_sandbox(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send what the sandbox is made of."""
    del path, request
    protocol.send(out, {"kind": "sandbox", **sandbox.describe()})


def send_frames(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send "opened", then each sampled "frame", then "ended". Raises UnreadableError, OverLimitError."""
    limits, preprocess = _limits(request), _preprocess(request)
    sampling = Sampling(**request["sampling"])  # type: ignore[arg-type] # our own parent wrote it
    with ExitStack() as stack:
        video = stack.enter_context(opened(path, limits))
        length_s = video.declared_s or scanned_length_s(path, limits)
        keep_within(limits, "duration_s", length_s)
        sender = SampleSender(out, video.stream.sample_aspect_ratio, preprocess, sampling, length_s)
        until_s = float(str(request["until_s"])) if request.get("until_s") is not None else None
        sender.last_s, sender.sent = until_s, int(str(request.get("sent", 0)))
        sampler = KeyframeSampler.of(video, length_s, sampling)
        try:
            frames = sender.started(sampler.frames())
            if until_s is not None:
                next(frames)
                video = seek.video_at(path, video, until_s, stack)
                sampler = KeyframeSampler.of(video, length_s, sampling, until_s)
                frames = sampler.frames()
            sender.send_all(frames)
        except FellBackError:
            video = stack.enter_context(opened(path, limits))
            sampler = KeyframeSampler.of(video, length_s, replace(sampling, keyframe_gap=0.0), sender.last_s)
            sender.send_all(sender.started(sampler.frames()))
        last_s = sampler.reached_s
        protocol.send(out, {"kind": "ended", "truncated": _truncated(video, last_s), "reached_s": last_s})


def send_frames_at(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "frame" for each of some times, without thumbnails, then "ended". Raises as `frames_at` does."""
    preprocess = _preprocess(request)
    reached_s, converter = 0.0, None
    for found in seek.frames_at(path, _times_s(request), _limits(request)):
        reached_s = found.time_s
        converter = converter or pictures.FrameConverter(found.pixel_aspect)
        pixels = converter.for_encoder(found.frame, preprocess)
        protocol.send(out, {"kind": "frame", "time_s": reached_s}, pixels.tobytes(), b"")
    protocol.send(out, {"kind": "ended", "truncated": False, "reached_s": reached_s})


def send_still(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "still". Raises UnreadableError, OverLimitError."""
    found = seek.frame_at(path, max(0.0, float(str(request["time_s"]))), _limits(request))
    _send_still(found, request, out, _STILL_QUALITY)


def send_stills(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "still" for each time. Raises UnreadableError, OverLimitError."""
    for found in seek.each_at(path, [max(0.0, time_s) for time_s in _times_s(request)], _limits(request)):
        _send_still(found, request, out, _STILLS_QUALITY)


def _send_still(found: SoughtFrame, request: Mapping[str, object], out: BinaryIO, quality: int) -> None:
    rgb = pictures.FrameConverter(found.pixel_aspect).small(found.frame, int(str(request["max_px"])))
    header = {"kind": "still", "time_s": found.time_s, "width_px": rgb.shape[1], "height_px": rgb.shape[0]}
    protocol.send(out, header, pictures.jpeg(rgb, quality))


def _truncated(video: OpenVideo, last_s: float) -> bool:
    """Judge whether the video broke off: unreadable, or ending well before the length that it declares.

    The slack covers a last frame that stands for longer than it says.
    """
    declared_s = video.declared_s or video.read_s
    slack_s = max(_MISSING_S, _MISSING_SHARE * declared_s)
    undecoded_s = video.pictures_s - last_s
    return video.broken or declared_s - video.read_s > slack_s or undecoded_s > slack_s


def send_framed(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "framed" for each of some times, then "ended". Raises UnreadableError, OverLimitError."""
    limits, preprocess = _limits(request), _preprocess(request)
    framings = [Framing(*framing) for framing in request["framings"]]  # type: ignore[attr-defined]
    for time_s in _times_s(request):
        for found in seek.frames_at(path, [time_s], limits):
            rgb = pictures.FrameConverter(found.pixel_aspect).rgb(found.frame)
            parts = [pictures.encoder_input(part(rgb, framing), preprocess) for framing in framings]
            protocol.send(out, {"kind": "framed", "time_s": time_s}, np.stack(parts).tobytes())
    protocol.send(out, {"kind": "ended"})


def part(rgb: Pixels, framing: Framing) -> Pixels:
    """Return a part of a picture (H, W, 3), one pixel wide and high at least."""
    height, width = rgb.shape[:2]
    left, top, right, bottom, mirrored = framing
    if height > width:
        left, top, right, bottom = top, left, bottom, right
    x, y = min(round(left * width), width - 1), min(round(top * height), height - 1)
    piece = rgb[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))]
    return np.ascontiguousarray(piece[:, ::-1] if mirrored else piece)


def send_picture(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "picture". Raises OverLimitError."""
    limits, preprocess = _limits(request), _preprocess(request)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            keep_within(limits, "frame_px", image.width * image.height)
            pixels = _upright(image, preprocess)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        protocol.send(out, {"kind": "error", "code": NOT_A_PICTURE})
    else:
        protocol.send(out, {"kind": "picture"}, pixels.tobytes())


def _upright(image: Image.Image, preprocess: Preprocess) -> Pixels:
    """Return the picture upright, alpha over white, as the encoder wants it. Raises ValueError."""
    if max(image.size) > pictures.MOST_STRETCH * min(image.size):
        raise ValueError(f"{image.size} is a line, no picture")
    upright = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", upright.size, "white")
    rgb = Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")
    return pictures.encoder_input(np.asarray(rgb), preprocess)


if __name__ == "__main__":
    prepare()
    forkserver.run(serve, shut_in)
