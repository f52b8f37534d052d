"""The decoding child's program: one request on stdin, frames, stills or a clip on stdout.

It starts often, so it imports no torch.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import av
import numpy as np
from PIL import Image, ImageOps

from core.engines.sandbox import forkserver, protocol
from core.engines.sandbox import limits as cage
from core.engines.sandbox.protocol import NOT_A_PICTURE
from core.engines.video import clip as clipping
from core.engines.video import frame as pictures
from core.engines.video import open_video as decode
from core.engines.video import seek
from core.engines.video import seek as seeking
from core.engines.video.flaws import OverLimitError, UnreadableError, keep_within
from core.engines.video.sampler import FellBackError, Skimmer
from core.engines.video.samples import LookSender
from core.limits import VideoLimits
from core.model.video import Preprocess, Sampling
from core.ports.video import Framing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from av import VideoFrame

    from core.model.video import Pixels

_STILL_QUALITY = 90


_MISSING_S = 2.0


_MISSING_SHARE = 0.05


_OPEN_FILES = 64


_PATIENT = frozenset({"looks", "glances", "framed"})
"""What nobody waits for."""


TimedFrames: TypeAlias = "Iterator[tuple[float, VideoFrame]]"


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
        decode.check_size(path, limits)
        raise


def _work(request: Mapping[str, object]) -> Callable[[Path, Mapping[str, object], BinaryIO], None]:
    works = {"looks": send_looks, "glances": send_glances, "still": send_still, "cage": send_cage}
    works |= {"clip": clipping.send_clip, "stills": clipping.send_stills, "picture": send_picture}
    works |= {"framed": send_framed}
    return works[str(request["kind"])]


def _limits(request: Mapping[str, object]) -> VideoLimits:
    return VideoLimits(**request["limits"])  # type: ignore[arg-type] # our own parent wrote it


def send_cage(_path: Path, _request: Mapping[str, object], out: BinaryIO) -> None:
    """Send what the cage is made of."""
    protocol.send(out, {"kind": "cage", **cage.describe()})


def send_looks(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send "opened", then each "look", then "ended". Raises UnreadableError, OverLimitError."""
    limits = _limits(request)
    sampling = Sampling(**request["sampling"])  # type: ignore[arg-type] # our own parent wrote it
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type]
    with ExitStack() as opened:
        video = opened.enter_context(decode.opened(path, limits))
        length_s = video.declared_s or decode.scanned_length_s(path, limits)
        keep_within(limits, "duration_s", length_s)
        sender = LookSender(out, video.stream.sample_aspect_ratio, preprocess, sampling, length_s)
        until_s = float(str(request["until_s"])) if request.get("until_s") is not None else None
        sender.last_s, sender.sent = until_s, int(str(request.get("sent", 0)))
        skimmer = Skimmer.of(video, length_s, sampling)
        try:
            looks = sender.started(skimmer.looks())
            if until_s is not None:
                next(looks)
                video = seek.video_at(path, video, until_s, opened)
                skimmer = Skimmer.of(video, length_s, sampling, until_s)
                looks = skimmer.looks()
            sender.send_all(looks)
        except FellBackError:
            video = opened.enter_context(decode.opened(path, limits))
            skimmer = Skimmer.of(video, length_s, replace(sampling, keyframe_gap=0.0), sender.last_s)
            sender.send_all(sender.started(skimmer.looks()))
        last_s = skimmer.reached_s
        protocol.send(out, {"kind": "ended", "truncated": _truncated(video, last_s), "reached_s": last_s})


def send_glances(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "look" for each of some times, without thumbnails, then "ended". Raises as `frames_at` does."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    times_s = [float(time_s) for time_s in request["times_s"]]  # type: ignore[attr-defined]
    reached_s, developer = 0.0, None
    for reached_s, frame, aspect in seeking.frames_at(path, times_s, _limits(request)):
        developer = developer or pictures.Developer(aspect)
        pixels = developer.look(frame, preprocess)
        protocol.send(out, {"kind": "look", "time_s": reached_s}, pixels.tobytes(), b"")
    protocol.send(out, {"kind": "ended", "truncated": False, "reached_s": reached_s})


def send_still(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "still". Raises UnreadableError, OverLimitError."""
    time_s, frame, aspect = seeking.frame_at(path, max(0.0, float(str(request["time_s"]))), _limits(request))
    rgb = pictures.Developer(aspect).small(frame, int(str(request["max_px"])))
    header = {"kind": "still", "time_s": time_s, "width_px": rgb.shape[1], "height_px": rgb.shape[0]}
    protocol.send(out, header, pictures.jpeg(rgb, _STILL_QUALITY))


def _truncated(video: decode.OpenVideo, last_s: float) -> bool:
    """Judge whether the video broke off: unreadable, or ending well before the length that it declares.

    The slack covers a last frame that stands for longer than it says.
    """
    declared_s = video.declared_s or video.read_s
    slack_s = max(_MISSING_S, _MISSING_SHARE * declared_s)
    undecoded_s = video.pictures_s - last_s
    return video.broken or declared_s - video.read_s > slack_s or undecoded_s > slack_s


def prepare() -> None:
    """Give up for good what no child of this module needs."""
    cage.isolate()


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up all but decoding the one video that a request names; return the request with the path to open it by."""
    limits = _limits(request)
    if request["kind"] in _PATIENT:
        os.nice(10)  # stills and the chat come first
    cage.bound(cage.Bounds(limits.decode_s, limits.memory_bytes, file_bytes=0, open_files=_OPEN_FILES))
    return {**request, "path": str(cage.shut_in(Path(str(request["path"]))))}


def send_framed(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "framed" for each of some times, then "ended", in the child. Raises UnreadableError, OverLimitError."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    limits = VideoLimits(**request["limits"])  # type: ignore[arg-type]
    framings = [Framing(*framing) for framing in request["framings"]]  # type: ignore[attr-defined]
    for time_s in request["times_s"]:  # type: ignore[attr-defined]
        for _, frame, aspect in seek.frames_at(path, [float(time_s)], limits):
            rgb = pictures.Developer(aspect).rgb(frame)
            parts = [pictures.encoder_input(part(rgb, framing), preprocess) for framing in framings]
            protocol.send(out, {"kind": "framed", "time_s": time_s}, np.stack(parts).tobytes())
    protocol.send(out, {"kind": "ended"})


def part(rgb: Pixels, framing: Framing) -> Pixels:
    """Give a part of a picture (H, W, 3), one pixel wide and high at least."""
    height, width = rgb.shape[:2]
    left, top, right, bottom, mirrored = framing
    if height > width:
        left, top, right, bottom = top, left, bottom, right
    x, y = min(round(left * width), width - 1), min(round(top * height), height - 1)
    piece = rgb[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))]
    return np.ascontiguousarray(piece[:, ::-1] if mirrored else piece)


_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""None of them opens other files or runs other programs."""


def send_picture(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "picture", in the child. Raises OverLimitError."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    limits = VideoLimits(**request["limits"])  # type: ignore[arg-type]
    try:
        with Image.open(path, formats=_FORMATS) as image:
            keep_within(limits, "frame_px", image.width * image.height)
            pixels = _developed(image, preprocess)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        protocol.send(out, {"kind": "error", "code": NOT_A_PICTURE})
    else:
        protocol.send(out, {"kind": "picture"}, pixels.tobytes())


def _developed(image: Image.Image, preprocess: Preprocess) -> Pixels:
    """Give the picture upright, alpha over white, as the encoder wants it. Raises ValueError."""
    if max(image.size) > pictures.MOST_STRETCH * min(image.size):
        raise ValueError(f"{image.size} is a line, no picture")
    upright = ImageOps.exif_transpose(image)
    white = Image.new("RGBA", upright.size, "white")
    rgb = Image.alpha_composite(white, upright.convert("RGBA")).convert("RGB")
    return pictures.encoder_input(np.asarray(rgb), preprocess)


if __name__ == "__main__":
    prepare()
    forkserver.run(serve, shut_in)
