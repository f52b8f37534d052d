"""The parent's side of cutting: `core.clips.Clipper` over child processes.

Owns how many cuts are made at once, and when one is given up. Must not decode anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from core.clips import Clip
from core.engines import jpegs
from core.engines.allowance import messages, whole_size_px
from core.engines.frames import error_of, nonsense, still_of
from core.engines.wire import GarbledError
from core.errors.films import ClipTooLarge, DecoderDied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.clips import ClipWish
    from core.engines.children import Child
    from core.engines.frames import ChildFrameReader
    from core.engines.wire import Message
    from core.film_ports import Still


_SHORT_S = 5.0
_MOST_REPORTS = 10_000
"""A child that works tells of it seven times a second, for a few minutes at most."""


@dataclass(frozen=True, slots=True)
class ChildClipper:
    """Makes each clip in a child of its own, as films are read."""

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
            heard = [await self.reader.hear(child, path, jpegs.most_bytes(max_px)) for _ in times_s]
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

    def _checked(self, message: Message, path: Path, wish: ClipWish) -> Clip:
        if message.kind == "error" and message.text("code") == "too_large":
            raise ClipTooLarge(wish.max_bytes)
        if message.kind != "clip":
            raise error_of(message, path, self.reader.limits, message.kind)
        return _clip(message, wish)


def _clip(message: Message, wish: ClipWish) -> Clip:
    data = message.part(0)
    if len(data) > wish.max_bytes or not _looks_like(data, wish):
        raise GarbledError(f"{len(data)} bytes that are no clip")
    size_px = whole_size_px(message, (wish.max_px + 1) ** 2)
    return Clip(data, wish.form, *size_px, sound=message.header.get("sound") is True)


def _looks_like(data: bytes, wish: ClipWish) -> bool:
    """Tell whether the bytes begin as such a file does: people are told that it is one."""
    return data[4:8] == b"ftyp" if wish.form == "mp4" else data.startswith(b"GIF89a")
