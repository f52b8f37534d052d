"""Stand-ins for what is slow, which tell all that they know: whatever they are shown ends up in an answer.

A video is a small text file. Its pictures, plots and sheets name it, so that a leak can be read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FetchFailed
from core.model.video import Sampling, Still
from core.ports.video import Clip, Fetched, SampledFrame, VideoEnded, VideoOpened
from tests.support.fakes import CopyFetcher, NotingPlotter
from tests.walls.reading import read_by_yt_dlp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from core.concurrency import ForegroundPriority
    from core.model.reply import Theme
    from core.model.results import Moment
    from core.model.video import Pixels, Preprocess, Thumbnail
    from core.ports.video import ClipWish, Fetching, Framing, PlotSpec, Reading, ResumePoint

_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0), (0, 255, 0))


class Childless:
    """No process decodes here, so none makes way for who asks."""

    priority: ForegroundPriority | None = None


@dataclass
class PaintedReader:
    """Reads videos that are words; those that are held stay half read until they are let go."""

    held: dict[bytes, asyncio.Event] = field(default_factory=dict)
    children: Childless = field(default_factory=Childless)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where a reading has come to the middle of a held video."""

    async def frames(
        self, path: Path, _sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncIterator[Reading]:
        words, size = await asyncio.to_thread(path.read_bytes), preprocess.size_px
        yield VideoOpened(float(len(_COLOURS)), 64, 36, len(_COLOURS))
        for at, colour in enumerate(_COLOURS):
            pixels = np.full((size, size, 3), np.array(colour) * (0.5 + words[-1] % 7 / 14), np.uint8)
            if at == 3 and words in self.held:
                self.reached.set()
                await self.held[words].wait()
            if seen is None or at > seen.until_s:
                yield SampledFrame(float(at), pixels, words if at % 2 == 0 else None)
        yield VideoEnded(truncated=False, reached_s=float(len(_COLOURS)))

    async def frames_at(
        self,
        path: Path,
        times_s: Sequence[float],
        preprocess: Preprocess,
        *,
        at_once: bool = False,  # noqa: ARG002 - the port's
    ) -> tuple[SampledFrame, ...]:
        free = PaintedReader()
        looks = [one async for one in free.frames(path, Sampling(), preprocess) if isinstance(one, SampledFrame)]
        return tuple(replace(looks[min(int(at), len(looks) - 1)], time_s=at) for at in times_s)

    async def still(self, path: Path, time_s: float, _max_px: int) -> Still:
        return Still(await asyncio.to_thread(path.read_bytes), time_s, 64, 36)


class PaintedFramer:
    """Returns parts of painted frames."""

    async def framed(
        self, path: Path, times_s: Sequence[float], framings: Sequence[Framing], preprocess: Preprocess
    ) -> tuple[Pixels, ...]:
        looks = await PaintedReader().frames_at(path, times_s, preprocess)
        return tuple(np.stack([look.pixels] * len(framings)) for look in looks)


class TellingClipper:
    """Cuts words."""

    async def clip(self, path: Path, wish: ClipWish, report: Callable[[float], None]) -> Clip:
        report(0.5)
        return Clip(await asyncio.to_thread(path.read_bytes), wish.form, 64, 36)

    async def stills(self, path: Path, times_s: Sequence[float], max_px: int) -> tuple[Still, ...]:
        return tuple([await PaintedReader().still(path, at, max_px) for at in times_s])


@dataclass
class TellingPlotter(NotingPlotter):
    """Draws all names of a video, and its pictures."""

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        return f"{theme} {spec.curve.video}".encode()

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        return b" ".join(one.jpeg for one in thumbnails[:most]) + f" {numbered}".encode()

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        return b" ".join([first.jpeg, last.jpeg, repr(labels).encode()])

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        return b" ".join(one.jpeg for one in thumbnails)


@dataclass(frozen=True)
class Page:
    """What a server answers with."""

    words: bytes
    """What the video is."""
    title: str
    site_id: str | None = None
    """What the server says that the video is."""
    address: str = ""
    """What it says that its own address is, or where it redirects to; "" for the address that was asked."""


@dataclass
class TellingFetcher(CopyFetcher):
    """A web of videos that are words, each with a title and an uploader. Its sites read links as yt-dlp does."""

    pages: dict[str, Page] = field(default_factory=dict)
    """By address, to the letter; those of sites by what yt-dlp reads in a link ("youtube:ID", "vimeo:ID/KEY")."""

    def page(self, url: str) -> Page | None:
        """Return what is at an address."""
        return self.pages.get(url) or self.pages.get(read_by_yt_dlp(url))

    def names(self, url: str) -> bytes:
        """Return what is said there of the video."""
        page = self.page(url)
        return f"{page.title} {page.address}".encode() if page else b""

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        del bearer
        self.fetched.append(url)
        page = self.page(url)
        if page is None:
            raise FetchFailed(url, "dns")
        path = folder / "film.mp4"
        await asyncio.to_thread(path.write_bytes, page.words)
        yield Fetched(path, page.site_id, page.title, page.address or url, uploader=f"by {page.title}")
