"""The decoding child's program: one request on stdin, looks or a still on stdout.

Owns the order of the work; imports no torch, for it starts often.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from core.engines import cage, childhood, clipping, decode, pictures, picturing, resuming, seeking, wire
from core.engines.flaws import OverLimitError, UnreadableError
from core.limits import FilmLimits
from core.model import Preprocess, Sampling
from core.sampling import Grid, expected_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from av import VideoFrame

    from core.model import Pixels

_THUMBNAIL_PX = 240
_THUMBNAIL_QUALITY = 75
_MOST_THUMBNAILS = 600
_STILL_QUALITY = 90
_MISSING_S = 2.0
_MISSING_SHARE = 0.05
_OPEN_FILES = 64

TimedFrames: TypeAlias = "Iterator[tuple[float, VideoFrame]]"


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Answer one request; a file that is no film is an answer too."""
    limits = _limits(request)
    cage.bound(cage.Bounds(limits.decode_s, limits.memory_bytes, file_bytes=0, open_files=_OPEN_FILES))
    if request["kind"] == "looks":
        os.nice(5)  # stills and the chat come first
    try:
        _attempt(request, limits, out)
    except UnreadableError as error:
        wire.send(out, {"kind": "error", "code": error.flaw})
    except OverLimitError as error:
        tell_over_limit(error, out)
    except MemoryError:
        tell_over_limit(OverLimitError("memory_bytes", None), out)


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
    return works[str(request["kind"])]


def _limits(request: Mapping[str, object]) -> FilmLimits:
    return FilmLimits(**request["limits"])  # type: ignore[arg-type] # our own parent wrote it


def send_cage(_path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send what the cage is made of."""
    wire.send(out, {"kind": "cage", **cage.describe(int(str(request["asker"])))})


def send_looks(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send "opened", then each "look", then "ended". Raises UnreadableError, OverLimitError."""
    limits = _limits(request)
    sampling = Sampling(**request["sampling"])  # type: ignore[arg-type] # our own parent wrote it
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type]
    with ExitStack() as opened:
        film = opened.enter_context(decode.opened(path, limits))
        length_s = film.declared_s or decode.scanned_length_s(path, limits)
        developer = pictures.Developer(film.stream.sample_aspect_ratio)
        frames = _started(film, developer, length_s, sampling, out)
        looks = _Looks(out, developer, preprocess, Grid(length_s, sampling), expected_looks(length_s, sampling))
        if (until_s := request.get("until_s")) is not None:
            next(frames)
            film, frames = resuming.frames_after(path, film, float(str(until_s)), opened)
            looks.go_on(float(str(until_s)), int(str(request["sent"])))
        last_s = looks.send_all(frames)
        wire.send(out, {"kind": "ended", "truncated": _truncated(film, last_s), "reached_s": last_s})


def send_glances(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "look" for each of some times, without thumbnails, then "ended". Raises as `frames_at` does."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    times_s = [float(time_s) for time_s in request["times_s"]]  # type: ignore[attr-defined]
    found = seeking.frames_at(path, times_s, _limits(request))
    for time_s, frame, aspect in found:
        pixels = pictures.encoder_input(pictures.Developer(aspect).rgb(frame), preprocess)
        wire.send(out, {"kind": "look", "time_s": time_s}, pixels.tobytes(), b"")
    wire.send(out, {"kind": "ended", "truncated": False, "reached_s": found[-1].time_s if found else 0.0})


def send_still(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send the one "still". Raises UnreadableError, OverLimitError."""
    time_s, frame, aspect = seeking.frame_at(path, max(0.0, float(str(request["time_s"]))), _limits(request))
    rgb = pictures.shrunk(pictures.Developer(aspect).rgb(frame), int(str(request["max_px"])))
    header = {"kind": "still", "time_s": time_s, "width_px": rgb.shape[1], "height_px": rgb.shape[0]}
    wire.send(out, header, pictures.jpeg(rgb, _STILL_QUALITY))


def _started(
    film: decode.Film, developer: pictures.Developer, length_s: float, sampling: Sampling, out: BinaryIO
) -> TimedFrames:
    """Send "opened", which needs the first frame for its size; give all frames. Raises UnreadableError."""
    frames = film.frames()
    first = next(frames, None)
    if first is None:
        raise UnreadableError("no_frames")
    height_px, width_px = developer.rgb(first[1]).shape[:2]
    header = {"kind": "opened", "duration_s": length_s, "width_px": width_px, "height_px": height_px}
    wire.send(out, {**header, "expected_looks": expected_looks(length_s, sampling)})
    yield first
    yield from frames


def _truncated(film: decode.Film, last_s: float) -> bool:
    """Judge whether the film broke off: unreadable, or ending well before the length that it declares.

    The slack covers a last frame that stands for longer than it says.
    """
    declared_s = film.declared_s or film.read_s
    slack_s = max(_MISSING_S, _MISSING_SHARE * declared_s)
    undecoded_s = film.pictures_s - last_s
    return film.broken or declared_s - film.read_s > slack_s or undecoded_s > slack_s


class _Looks:
    """Develops and sends the frames that the grid wants."""

    def __init__(
        self, out: BinaryIO, developer: pictures.Developer, preprocess: Preprocess, grid: Grid, expected: int
    ) -> None:
        self._out = out
        self._developer = developer
        self._preprocess = preprocess
        self._grid = grid
        self._stride = -(-expected // _MOST_THUMBNAILS)
        self._sent = 0
        self._until_s = 0.0

    def go_on(self, until_s: float, sent: int) -> None:
        """Go on after a look at this time, the last of those that an earlier reading sent."""
        self._grid.wants(until_s)
        self._until_s, self._sent = until_s, sent

    def send_all(self, frames: TimedFrames) -> float:
        """Send the looks; give how far the frames went."""
        last_s = self._until_s
        for time_s, frame in frames:
            last_s = max(last_s, time_s)
            if self._grid.wants(time_s):
                self._send(time_s, self._developer.rgb(frame))
        return last_s

    def _send(self, time_s: float, rgb: Pixels) -> None:
        pixels = pictures.encoder_input(rgb, self._preprocess)
        wire.send(self._out, {"kind": "look", "time_s": time_s}, pixels.tobytes(), self._thumbnail(rgb))
        self._sent += 1

    def _thumbnail(self, rgb: Pixels) -> bytes:
        """Give a small JPEG for every n-th look and nothing for the others; n grows should a film not end."""
        if self._sent >= 2 * _MOST_THUMBNAILS * self._stride:
            self._stride *= 2
        if self._sent % self._stride:
            return b""
        return pictures.jpeg(pictures.shrunk(rgb, _THUMBNAIL_PX), _THUMBNAIL_QUALITY)


def prepare() -> None:
    """Give up for good what no child of this module needs."""
    cage.isolate()


if __name__ == "__main__":
    prepare()
    childhood.run(serve)
