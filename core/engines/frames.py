"""The parent's side of decoding: `core.film_ports.FrameReader` over child processes.

Owns the trust boundary: what the child says is checked, and its errors become Keaton's. Must not decode anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.engines.wire import GarbledError, Message
from core.errors.films import DecoderDied, FileMissing, NoFrames, NotAVideo, NoVideoStream, OverLimit
from core.film_ports import FilmEnded, FilmOpened, Look, Still
from core.limits import FilmLimits, quantity

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from core.engines.children import Child, Children
    from core.errors import AppError
    from core.film_ports import Reading, Seen
    from core.model import Preprocess, Sampling


@dataclass(frozen=True, slots=True)
class ChildFrameReader:
    """Decodes each film in a child of its own."""

    children: Children
    """Of `core.engines.decoder`."""
    limits: FilmLimits = field(default_factory=FilmLimits)
    patience_s: float = 180.0
    """How long a child may say nothing before it is taken for dead."""

    async def looks(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: Seen | None = None
    ) -> AsyncGenerator[Reading, None]:
        """Stream one FilmOpened, then Looks in the order of time, then one FilmEnded; memory stays flat.

        With `seen`, the looks are those after what an earlier reading gave.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        how = {"sampling": asdict(sampling), "preprocess": asdict(preprocess)}
        known = {"until_s": seen.until_s, "sent": seen.looks} if seen else {}
        request: Mapping[str, object] = {"kind": "looks", **how, **known}
        async with self.children.giving_way() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            last: Look | float | None = seen.until_s if seen else None
            while True:
                event = _reading(await self.hear(child, path), path, preprocess.size_px, last, self.limits)
                if isinstance(event, Look):
                    last = event
                yield event
                if isinstance(event, FilmEnded):
                    return

    async def glances(
        self, path: Path, times_s: Sequence[float], preprocess: Preprocess, *, at_once: bool = False
    ) -> tuple[Look, ...]:
        """Look at these rising times: the frame with each, or else the nearest before it; each frame once.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "glances", "times_s": list(times_s), "preprocess": asdict(preprocess)}
        found: list[Look] = []
        async with self.children.child() if at_once else self.children.giving_way() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            while True:
                last_s = found[-1].time_s if found else -1.0
                event = _reading(await self.hear(child, path), path, preprocess.size_px, last_s, self.limits)
                if not isinstance(event, Look) or len(found) > len(times_s):
                    return tuple(found)
                found.append(event)

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut the frame with this very PTS time (the nearest at or before it), at most max_px wide or high.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request: Mapping[str, object] = {"kind": "still", "time_s": time_s, "max_px": max_px}
        async with self.children.child() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            return still_of(await self.hear(child, path), path, self.limits)

    async def cage(self) -> Mapping[str, object]:
        """Give what `core.engines.cage.describe` says in a child. Raises DecoderDied."""
        async with self.children.child() as child:
            await child.ask({"kind": "cage", "path": "", "limits": asdict(self.limits)})
            return (await self.hear(child, Path("cage"))).header

    async def hear(self, child: Child, path: Path) -> Message:
        """Give the child's next message, unless it is an error, nonsense or silence."""
        try:
            message = await child.receive(self.patience_s)
        except TimeoutError as error:
            raise DecoderDied(path.name, f"silent for {self.patience_s:g} s") from error
        except GarbledError as error:
            raise DecoderDied(path.name, str(error)) from error
        if message is None:
            raise self._died(path, await child.ending())
        return message

    def _died(self, path: Path, ending: str) -> AppError:
        if ending.endswith("SIGXCPU"):
            return OverLimit(path.name, "decode_s", self.limits.decode_s)
        return DecoderDied(path.name, ending)


def _reading(message: Message, path: Path, size_px: int, last: Look | float | None, limits: FilmLimits) -> Reading:
    """Give what a message says that came after a look, or after the time of one which an earlier reading gave."""
    try:
        match message.kind:
            case "opened":
                return _opened(message)
            case "look":
                return _look(message, size_px, last)
            case "ended":
                return FilmEnded(message.header.get("truncated") is True, message.number("reached_s"))
            case kind:
                raise error_of(message, path, limits, kind)
    except GarbledError as error:
        raise DecoderDied(path.name, str(error)) from error


def _opened(message: Message) -> FilmOpened:
    return FilmOpened(
        duration_s=message.number("duration_s"),
        width_px=int(message.number("width_px")),
        height_px=int(message.number("height_px")),
        expected_looks=int(message.number("expected_looks")),
    )


def _look(message: Message, size_px: int, last: Look | float | None) -> Look:
    time_s, thumbnail = message.number("time_s"), message.part(1) or None
    last_s = last.time_s if isinstance(last, Look) else last
    if last_s is not None and time_s <= last_s:
        raise GarbledError(f"a look at {time_s} s comes after one at {last_s} s")
    data = message.part(0)
    if not data and isinstance(last, Look):
        return Look(time_s, last.pixels, thumbnail, repeats=True)
    if len(data) != size_px * size_px * 3:
        raise GarbledError(f"a look of {len(data)} bytes is not {size_px} px square")
    return Look(time_s, np.frombuffer(data, dtype=np.uint8).reshape(size_px, size_px, 3), thumbnail)


def still_of(message: Message, path: Path, limits: FilmLimits) -> Still:
    """Give the still that the child sends. Raises the error that it sends instead, DecoderDied."""
    try:
        if message.kind != "still":
            raise error_of(message, path, limits, message.kind)
        size = int(message.number("width_px")), int(message.number("height_px"))
        return Still(message.part(0), message.number("time_s"), *size)
    except GarbledError as error:
        raise DecoderDied(path.name, str(error)) from error


def error_of(message: Message, path: Path, limits: FilmLimits, kind: str) -> AppError:
    """Give the error that the child reports."""
    if kind != "error":
        raise GarbledError(f"a message of the kind {kind[:40]!r}")
    match message.text("code"):
        case "missing":
            return FileMissing(str(path))
        case "not_a_video":
            return NotAVideo(path.name)
        case "no_video_stream":
            return NoVideoStream(path.name)
        case "no_frames":
            return NoFrames(path.name)
        case "over_limit":
            return _over(message, path, limits)
        case code:
            return DecoderDied(path.name, message.maybe_text("detail") or code)


def _over(message: Message, path: Path, limits: FilmLimits) -> OverLimit:
    what = quantity(message.text("quantity"))
    if what is None or what == "size_bytes":
        raise GarbledError("a limit that films do not have")
    return OverLimit(path.name, what, getattr(limits, what), message.maybe_number("found"))
