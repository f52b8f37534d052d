"""The decoding child's program: one request on stdin, looks or a still on stdout.

Owns the order of the work; imports no torch, for it starts often.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import av

from core.engines import cage, childhood, clipping, decode, framing, pictures, picturing, resuming, seeking, wire
from core.engines.flaws import OverLimitError, UnreadableError, keep_within
from core.engines.sending import LookSender
from core.engines.skimming import FellBackError, Skimmer
from core.limits import FilmLimits
from core.model import Preprocess, Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from av import VideoFrame


_STILL_QUALITY = 90
_MISSING_S = 2.0
_MISSING_SHARE = 0.05
_OPEN_FILES = 64
_PATIENT = frozenset({"looks", "glances", "framed"})
"""What nobody waits for."""

TimedFrames: TypeAlias = "Iterator[tuple[float, VideoFrame]]"


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Answer one request; a file that is no film is an answer too."""
    limits = _limits(request)
    try:
        _attempt(request, limits, out)
    except UnreadableError as error:
        wire.send(out, {"kind": "error", "code": error.flaw})
    except OverLimitError as error:
        tell_over_limit(error, out)
    except MemoryError:
        tell_over_limit(OverLimitError("memory_bytes", None), out)
    except av.FFmpegError:  # what it cannot even convert or encode
        wire.send(out, {"kind": "error", "code": "no_frames"})


def tell_over_limit(error: OverLimitError, out: BinaryIO) -> None:
    """Answer that the film takes more than one may."""
    wire.send(out, {"kind": "error", "code": "over_limit", "quantity": error.quantity, "found": error.found})


def _attempt(request: Mapping[str, object], limits: FilmLimits, out: BinaryIO) -> None:
    path = Path(str(request["path"]))
    try:
        _work(request)(path, request, out)
    except UnreadableError:
        decode.check_size(path, limits)
        raise


def _work(request: Mapping[str, object]) -> Callable[[Path, Mapping[str, object], BinaryIO], None]:
    works = {"looks": send_looks, "glances": send_glances, "still": send_still, "cage": send_cage}
    works |= {"clip": clipping.send_clip, "stills": clipping.send_stills, "picture": picturing.send_picture}
    works |= {"framed": framing.send_framed}
    return works[str(request["kind"])]


def _limits(request: Mapping[str, object]) -> FilmLimits:
    return FilmLimits(**request["limits"])  # type: ignore[arg-type] # our own parent wrote it


def send_cage(_path: Path, _request: Mapping[str, object], out: BinaryIO) -> None:
    """Send what the cage is made of."""
    wire.send(out, {"kind": "cage", **cage.describe()})


def send_looks(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send "opened", then each "look", then "ended". Raises UnreadableError, OverLimitError."""
    limits = _limits(request)
    sampling = Sampling(**request["sampling"])  # type: ignore[arg-type] # our own parent wrote it
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type]
    with ExitStack() as opened:
        film = opened.enter_context(decode.opened(path, limits))
        length_s = film.declared_s or decode.scanned_length_s(path, limits)
        keep_within(limits, "duration_s", length_s)
        sender = LookSender(out, film.stream.sample_aspect_ratio, preprocess, sampling, length_s)
        until_s = float(str(request["until_s"])) if request.get("until_s") is not None else None
        sender.last_s, sender.sent = until_s, int(str(request.get("sent", 0)))
        skimmer = Skimmer.of(film, length_s, sampling)
        try:
            looks = sender.started(skimmer.looks())
            if until_s is not None:
                next(looks)
                film = resuming.film_at(path, film, until_s, opened)
                skimmer = Skimmer.of(film, length_s, sampling, until_s)
                looks = skimmer.looks()
            sender.send_all(looks)
        except FellBackError:
            film = opened.enter_context(decode.opened(path, limits))
            skimmer = Skimmer.of(film, length_s, replace(sampling, keyframe_gap=0.0), sender.last_s)
            sender.send_all(sender.started(skimmer.looks()))
        last_s = skimmer.reached_s
        wire.send(out, {"kind": "ended", "truncated": _truncated(skimmer.film, last_s), "reached_s": last_s})


def send_glances(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "look" for each of some times, without thumbnails, then "ended". Raises as `frames_at` does."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    times_s = [float(time_s) for time_s in request["times_s"]]  # type: ignore[attr-defined]
    reached_s, developer = 0.0, None
    for reached_s, frame, aspect in seeking.frames_at(path, times_s, _limits(request)):
        developer = developer or pictures.Developer(aspect)
        pixels = developer.look(frame, preprocess)
        wire.send(out, {"kind": "look", "time_s": reached_s}, pixels.tobytes(), b"")
    wire.send(out, {"kind": "ended", "truncated": False, "reached_s": reached_s})


def send_still(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "still". Raises UnreadableError, OverLimitError."""
    time_s, frame, aspect = seeking.frame_at(path, max(0.0, float(str(request["time_s"]))), _limits(request))
    rgb = pictures.Developer(aspect).small(frame, int(str(request["max_px"])))
    header = {"kind": "still", "time_s": time_s, "width_px": rgb.shape[1], "height_px": rgb.shape[0]}
    wire.send(out, header, pictures.jpeg(rgb, _STILL_QUALITY))


def _truncated(film: decode.Film, last_s: float) -> bool:
    """Judge whether the film broke off: unreadable, or ending well before the length that it declares.

    The slack covers a last frame that stands for longer than it says.
    """
    declared_s = film.declared_s or film.read_s
    slack_s = max(_MISSING_S, _MISSING_SHARE * declared_s)
    undecoded_s = film.pictures_s - last_s
    return film.broken or declared_s - film.read_s > slack_s or undecoded_s > slack_s


def prepare() -> None:
    """Give up for good what no child of this module needs."""
    cage.isolate()


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Give up all but decoding the one film that a request names; return the request with the path to open it by."""
    limits = _limits(request)
    if request["kind"] in _PATIENT:
        os.nice(10)  # stills and the chat come first
    cage.bound(cage.Bounds(limits.decode_s, limits.memory_bytes, file_bytes=0, open_files=_OPEN_FILES))
    return {**request, "path": str(cage.shut_in(Path(str(request["path"]))))}


if __name__ == "__main__":
    prepare()
    childhood.run(serve, shut_in)
