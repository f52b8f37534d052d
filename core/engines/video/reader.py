"""The parent's side of decoding: reading, cutting, cropping frames and decoding pictures, each in a child.

The child is not trusted: its messages are checked, and its errors become those of `core.errors`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.engines.sandbox.protocol import NOT_A_PICTURE, ChildMessage, GarbledError
from core.engines.video.allowance import (
    SLACK_S,
    Allowance,
    bounded,
    checked_jpeg,
    messages,
    most_jpeg_bytes,
    whole_size_px,
)
from core.errors import (
    ClipTooLarge,
    DecoderDied,
    FileMissing,
    NoFrames,
    NotAPicture,
    NotAVideo,
    NoVideoStream,
    OverLimit,
)
from core.formatting import one_line
from core.limits import VideoLimits, quantity
from core.model.video import Preprocess, Still
from core.ports.video import Clip, Framing, SampledFrame, VideoEnded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from core.engines.sandbox import protocol
    from core.engines.sandbox.pool import Child, ChildPool
    from core.engines.sandbox.protocol import ChildMessage
    from core.errors import AppError
    from core.model.video import Pixels, Preprocess, Sampling
    from core.ports.metrics import Watch
    from core.ports.video import ClipWish, Reading, ResumePoint

_SHORT_S = 5.0


_MOST_REPORTS = 10_000
"""A child that works tells of it seven times a second, for a few minutes at most."""


@dataclass(frozen=True, slots=True)
class ChildClipper:
    """Makes each clip in a child of its own, as videos are read."""

    reader: ChildFrameReader
    most_s: float = 240.0
    """How long one clip may take."""
    short: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Places for previews. Encoding takes all cores; more at once would only make each later."""
    long: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Places for cuts, so that previews need not wait for these."""

    async def clip(self, path: Path, wish: ClipWish, report: Callable[[float], None]) -> Clip:
        """Encode a stretch anew, made coarser and smaller until it fits; `report` is told shares of 0 to 1.

        Raises ClipTooLarge, FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "clip", "wish": asdict(wish)}
        place = self.short if wish.end_s - wish.start_s <= _SHORT_S else self.long
        try:
            async with place, asyncio.timeout(self.most_s), self.reader.children.child() as child:
                await child.ask({**request, "path": str(path), "limits": asdict(self.reader.limits)})
                return await self._made(child, path, wish, report)
        except TimeoutError as error:
            raise DecoderDied(path.name, f"no clip within {self.most_s:g} s") from error

    async def stills(self, path: Path, times_s: Sequence[float], max_px: int) -> tuple[Still, ...]:
        """Cut the frame that stands at each time.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "stills", "times_s": list(times_s), "max_px": max_px}
        async with self.reader.children.child() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.reader.limits)})
            heard = [await self.reader.hear(child, path, most_jpeg_bytes(max_px)) for _ in times_s]
        return tuple(still_of(message, path, self.reader.limits, max_px) for message in heard)

    async def _made(self, child: Child, path: Path, wish: ClipWish, report: Callable[[float], None]) -> Clip:
        try:
            for _ in messages(_MOST_REPORTS):
                message = await self.reader.hear(child, path, wish.max_bytes)
                if message.kind != "making":
                    return self._checked(message, path, wish)
                report(min(1.0, max(0.0, message.number("share"))))
        except GarbledError as error:
            raise nonsense(path, error) from error
        raise DecoderDied(path.name)  # `messages` ends by raising

    def _checked(self, message: ChildMessage, path: Path, wish: ClipWish) -> Clip:
        if message.kind == "error" and message.text("code") == "too_large":
            raise ClipTooLarge(wish.max_bytes)
        if message.kind != "clip":
            raise error_of(message, path, self.reader.limits, message.kind)
        return _clip(message, wish)


def _clip(message: ChildMessage, wish: ClipWish) -> Clip:
    data = message.part(0)
    if len(data) > wish.max_bytes or not _looks_like(data, wish):
        raise GarbledError(f"{len(data)} bytes that are no clip")
    size_px = whole_size_px(message, (wish.max_px + 1) ** 2)
    return Clip(data, wish.form, *size_px, sound=message.header.get("sound") is True)


def _looks_like(data: bytes, wish: ClipWish) -> bool:
    """Return whether the bytes begin as such a file does: people are told that it is one."""
    return data[4:8] == b"ftyp" if wish.form == "mp4" else data.startswith(b"GIF89a")


_LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class ChildFrameReader:
    """Decodes each video in a child of its own."""

    children: ChildPool
    """Of `core.engines.video.worker`."""
    limits: VideoLimits = field(default_factory=VideoLimits)
    patience_s: float = 180.0
    """How long a child may say nothing before it is taken for dead."""
    watch: Watch = field(kw_only=True)

    async def frames(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncGenerator[Reading, None]:
        """Stream one VideoOpened, then SampledFrames in the order of time, then one VideoEnded; memory stays flat.

        With `seen`, the frames are those after what an earlier reading gave.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        how = {"sampling": asdict(sampling), "preprocess": asdict(preprocess)}
        known = {"until_s": seen.until_s, "sent": seen.frames} if seen else {}
        request: Mapping[str, object] = {"kind": "frames", **how, **known}
        async with self.children.giving_way() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            allowance = Allowance(self.limits, preprocess.size_px, sampling)
            if seen is not None:
                allowance.last, allowance.before = seen.until_s, seen.frames
            while True:
                event = await self._next(child, path, allowance)
                yield event
                if isinstance(event, VideoEnded):
                    self.watch.took("read", allowance.waited_s)
                    return

    async def frames_at(
        self, path: Path, times_s: Sequence[float], preprocess: Preprocess, *, at_once: bool = False
    ) -> tuple[SampledFrame, ...]:
        """Return the frame with each of these rising times, or else the nearest before it; each frame once.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "frames_at", "times_s": list(times_s), "preprocess": asdict(preprocess)}
        found: list[SampledFrame] = []
        async with self.children.child() if at_once else self.children.giving_way() as child:
            await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
            allowance = Allowance(self.limits, preprocess.size_px, most_frames=len(times_s))
            while isinstance(event := await self._next(child, path, allowance), SampledFrame):
                found.append(event)
            return tuple(found)

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut the frame with this very PTS time (the nearest at or before it), at most max_px wide or high.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request: Mapping[str, object] = {"kind": "still", "time_s": time_s, "max_px": max_px}
        with self.watch.stage("still"):
            async with self.children.child() as child:
                await child.ask({**request, "path": str(path), "limits": asdict(self.limits)})
                return still_of(await self.hear(child, path, most_jpeg_bytes(max_px)), path, self.limits, max_px)

    async def sandbox(self) -> Mapping[str, object]:
        """Return what `core.engines.sandbox.limits.describe` says in a child. Raises DecoderDied."""
        async with self.children.child() as child:
            await child.ask({"kind": "sandbox", "path": "", "limits": asdict(self.limits)})
            return (await self.hear(child, Path("sandbox"))).header

    async def hear(self, child: Child, path: Path, most_bytes: int = 0) -> ChildMessage:
        """Return the child's next message, with so many bytes after its header. Raises DecoderDied, OverLimit."""
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
        """Return what the child says next of a video; how long that took counts."""
        began_s = time.monotonic()
        message = await self.hear(child, path, allowance.most_bytes)
        allowance.waited_s += time.monotonic() - began_s
        return reading_of(message, path, allowance)

    def _died(self, path: Path, ending: str) -> AppError:
        if ending.endswith("SIGXCPU"):
            return OverLimit(path.name, "decode_s", self.limits.decode_s)
        return DecoderDied(path.name, ending)


def nonsense(path: Path, error: GarbledError) -> DecoderDied:
    """Return the error for a child that says what it may not; what it said is cut short, for it ends in a log."""
    return DecoderDied(path.name, one_line(str(error)[:_LONGEST_DETAIL]))


def reading_of(message: ChildMessage, path: Path, allowance: Allowance) -> Reading:
    """Return what a message says, if that is allowed. Raises the error that it tells of, DecoderDied."""
    try:
        event = allowance.reading(message)
        if event is None:
            raise error_of(message, path, allowance.limits, message.kind)
    except GarbledError as error:
        raise nonsense(path, error) from error
    return event


def still_of(message: ChildMessage, path: Path, limits: VideoLimits, max_px: int) -> Still:
    """Return the still that the child sends, at most so wide or high.

    Raises the error that it sends instead, DecoderDied.
    """
    try:
        if message.kind != "still":
            raise error_of(message, path, limits, message.kind)
        time_s = bounded(message.number("time_s"), limits.duration_s + SLACK_S, -SLACK_S)
        return Still(message.part(0), time_s, *checked_jpeg(message.part(0), max_px))
    except GarbledError as error:
        raise nonsense(path, error) from error


def error_of(message: ChildMessage, path: Path, limits: VideoLimits, kind: str) -> AppError:
    """Return the error that the child reports."""
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


def _over(message: ChildMessage, path: Path, limits: VideoLimits) -> OverLimit:
    what = quantity(message.text("quantity"))
    if what is None or what == "size_bytes":
        raise GarbledError("a limit that videos do not have")
    return OverLimit(path.name, what, getattr(limits, what), message.maybe_number("found"))


@dataclass(frozen=True, slots=True)
class ChildFramer:
    """Cuts the frames of each video in a child of its own: `core.ports.video.Framer`."""

    videos: ChildFrameReader
    """Whose children these are, with the limits that videos have."""

    async def framed(
        self, path: Path, times_s: Sequence[float], framings: Sequence[Framing], preprocess: Preprocess
    ) -> tuple[Pixels, ...]:
        """Return the parts of the frame at each time, (F, S, S, 3) uint8 RGB; what cannot be sought is left out.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "framed", "times_s": list(times_s), "framings": list(framings), "path": str(path)}
        shape = (len(framings), preprocess.size_px, preprocess.size_px, 3)
        found: list[Pixels] = []
        async with self.videos.children.giving_way() as child:
            await child.ask({**request, "preprocess": asdict(preprocess), "limits": asdict(self.videos.limits)})
            for _ in range(len(times_s) + 1):
                message = await self.videos.hear(child, path, int(np.prod(shape)))
                parts = _parts(message, path, shape, self.videos.limits)
                if parts is None:
                    return tuple(found)
                found.append(parts)
        raise DecoderDied(path.name, f"more than {len(times_s)} frames")


def _parts(
    message: protocol.ChildMessage, path: Path, shape: tuple[int, int, int, int], limits: VideoLimits
) -> Pixels | None:
    """Return the parts of one frame, or None where there are no more. Raises what the child reports, DecoderDied."""
    try:
        if message.kind == "ended":
            return None
        if message.kind != "framed":
            raise error_of(message, path, limits, message.kind)
        data = message.part(0)
    except GarbledError as error:
        raise nonsense(path, error) from error
    if len(data) != np.prod(shape):
        raise DecoderDied(path.name, f"{len(data)} bytes are not {shape}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


@dataclass(frozen=True, slots=True)
class ChildPictureReader:
    """Decodes each picture in a child of its own: `core.ports.video.PictureReader`."""

    videos: ChildFrameReader
    """Whose children these are, with the limits that videos have."""

    async def picture(self, path: Path, preprocess: Preprocess) -> Pixels:
        """Return (S, S, 3) uint8 RGB as the encoder wants it; raises NotAPicture, OverLimit, DecoderDied."""
        request = {"kind": "picture", "preprocess": asdict(preprocess), "limits": asdict(self.videos.limits)}
        async with self.videos.children.child() as child:
            await child.ask({**request, "path": str(path)})
            message = await self.videos.hear(child, path, preprocess.size_px**2 * 3)
            return _pixels(message, path, preprocess.size_px, self.videos.limits)


def _pixels(message: protocol.ChildMessage, path: Path, size_px: int, limits: VideoLimits) -> Pixels:
    try:
        if message.kind == "error":
            raise _error(message, path, limits)
        data = message.part(0)
    except GarbledError as error:
        raise nonsense(path, error) from error
    if message.kind != "picture" or len(data) != size_px * size_px * 3:
        raise DecoderDied(path.name, f"{message.kind[:40]!r} of {len(data)} bytes is no picture")
    return np.frombuffer(data, dtype=np.uint8).reshape(size_px, size_px, 3)


def _error(message: protocol.ChildMessage, path: Path, limits: VideoLimits) -> AppError:
    code = message.text("code")
    if code == NOT_A_PICTURE:
        return NotAPicture(path.name)
    if code == "over_limit" and message.text("quantity") == "frame_px":
        return OverLimit(path.name, "frame_px", limits.frame_px, message.maybe_number("found"))
    if code == "over_limit" and message.text("quantity") == "memory_bytes":
        return OverLimit(path.name, "memory_bytes", limits.memory_bytes)
    return error_of(message, path, limits, "error")
