"""The parent's side of decoding: `core.film_ports.FrameReader` over child processes.

Owns the trust boundary: what the child says is checked, and its errors become Keaton's. Must not decode anything.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines import jpegs
from core.engines.allowance import SLACK_S, Allowance, bounded, checked_jpeg
from core.engines.wire import GarbledError, Message
from core.errors.films import DecoderDied, FileMissing, NoFrames, NotAVideo, NoVideoStream, OverLimit
from core.film_ports import FilmEnded, Look, Still
from core.limits import FilmLimits, quantity
from core.words import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from core.engines.children import Child, Children
    from core.errors import AppError
    from core.film_ports import Reading, Seen
    from core.model import Preprocess, Sampling

_LONGEST_DETAIL = 300


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
            allowance = Allowance(self.limits, preprocess.size_px, sampling)
            if seen is not None:
                allowance.last, allowance.before = seen.until_s, seen.looks
            while True:
                event = await self._next(child, path, allowance)
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
            allowance = Allowance(self.limits, preprocess.size_px, most_looks=len(times_s))
            while isinstance(event := await self._next(child, path, allowance), Look):
                found.append(event)
            return tuple(found)

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut the frame with this very PTS time (the nearest at or before it), at most max_px wide or high.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request: Mapping[str, object] = {"kind": "still", "time_s": time_s, "max_px": max_px}
        async with self.children.child() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            return still_of(await self.hear(child, path, jpegs.most_bytes(max_px)), path, self.limits, max_px)

    async def cage(self) -> Mapping[str, object]:
        """Give what `core.engines.cage.describe` says in a child. Raises DecoderDied."""
        async with self.children.child() as child:
            await child.ask({"kind": "cage", "path": "", "limits": asdict(self.limits)})
            return (await self.hear(child, Path("cage"))).header

    async def hear(self, child: Child, path: Path, most_bytes: int = 0) -> Message:
        """Give the child's next message, with so many bytes after its header. Raises DecoderDied, OverLimit."""
        try:
            message = await child.receive(self.patience_s, most_bytes)
        except TimeoutError as error:
            raise DecoderDied(path.name, f"silent for {self.patience_s:g} s") from error
        except GarbledError as error:
            raise nonsense(path, error) from error
        if message is None:
            raise self._died(path, await child.ending())
        return message

    async def _next(self, child: Child, path: Path, allowance: Allowance) -> Reading:
        """Give what the child says next of a film; how long that took counts."""
        began_s = time.monotonic()
        message = await self.hear(child, path, allowance.most_bytes)
        allowance.waited_s += time.monotonic() - began_s
        return reading_of(message, path, allowance)

    def _died(self, path: Path, ending: str) -> AppError:
        if ending.endswith("SIGXCPU"):
            return OverLimit(path.name, "decode_s", self.limits.decode_s)
        return DecoderDied(path.name, ending)


def nonsense(path: Path, error: GarbledError) -> DecoderDied:
    """Give the error for a child that says what it may not; what it said is cut short, for it ends in a log."""
    return DecoderDied(path.name, one_line(str(error)[:_LONGEST_DETAIL]))


def reading_of(message: Message, path: Path, allowance: Allowance) -> Reading:
    """Give what a message says, if that is allowed. Raises the error that it tells of, DecoderDied."""
    try:
        event = allowance.reading(message)
        if event is None:
            raise error_of(message, path, allowance.limits, message.kind)
    except GarbledError as error:
        raise nonsense(path, error) from error
    return event


def still_of(message: Message, path: Path, limits: FilmLimits, max_px: int) -> Still:
    """Give the still that the child sends, at most so wide or high.

    Raises the error that it sends instead, DecoderDied.
    """
    try:
        if message.kind != "still":
            raise error_of(message, path, limits, message.kind)
        time_s = bounded(message.number("time_s"), limits.duration_s + SLACK_S, -SLACK_S)
        return Still(message.part(0), time_s, *checked_jpeg(message.part(0), max_px))
    except GarbledError as error:
        raise nonsense(path, error) from error


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
            return DecoderDied(path.name, one_line((message.maybe_text("detail") or code)[:_LONGEST_DETAIL]))


def _over(message: Message, path: Path, limits: FilmLimits) -> OverLimit:
    what = quantity(message.text("quantity"))
    if what is None or what == "size_bytes":
        raise GarbledError("a limit that films do not have")
    return OverLimit(path.name, what, getattr(limits, what), message.maybe_number("found"))
