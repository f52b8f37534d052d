"""Engines whose work is timed for the metrics port."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.engines.clip.encoder import RememberingEncoder, ThreadedEncoder
from core.engines.download.fetcher import ChildFetcher
from core.engines.video.reader import ChildFrameReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from core.concurrency import ForegroundPriority
    from core.engines.clip.model import ClipModel
    from core.model.video import Floats, Pixels, Preprocess, Sampling, Still
    from core.ports.library import Encoder
    from core.ports.metrics import Watch
    from core.ports.video import Fetched, Fetching, Reading, ResumePoint


@dataclass(frozen=True, slots=True)
class WatchedFetcher(ChildFetcher):
    """A fetcher whose fetches are timed."""

    watch: Watch = field(kw_only=True)

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncGenerator[Fetching | Fetched, None]:
        """Download into the folder; the last item is the Fetched."""
        with self.watch.stage("fetch"):
            async with aclosing(ChildFetcher.fetch(self, url, folder, bearer)) as events:
                async for event in events:
                    yield event


@dataclass(frozen=True, slots=True)
class WatchedReader(ChildFrameReader):
    """A reader that is timed: of a reading only the time that somebody waited for it."""

    watch: Watch = field(kw_only=True)
    clock_s: Callable[[], float] = field(kw_only=True)

    async def looks(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncGenerator[Reading, None]:
        """Stream what the video holds."""
        waited_s, began_s = 0.0, self.clock_s()
        async with aclosing(ChildFrameReader.looks(self, path, sampling, preprocess, seen)) as events:
            async for event in events:
                waited_s += self.clock_s() - began_s
                yield event
                began_s = self.clock_s()
        self.watch.took("read", waited_s)

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut a frame."""
        with self.watch.stage("still"):
            return await ChildFrameReader.still(self, path, time_s, max_px)


class WatchedEncoder(ThreadedEncoder):
    """An encoder that is timed."""

    def __init__(
        self,
        load: Callable[[], ClipModel],
        pool: Executor,
        videos: Executor,
        courtesy: ForegroundPriority,
        watch: Watch,
        clock_s: Callable[[], float],
    ) -> None:
        super().__init__(load, pool, videos, courtesy)
        self._watch = watch
        self._clock_s = clock_s

    async def looks(self, pixels: Pixels) -> Floats:
        """Give unit vectors of a video's frames."""
        began_s = self._clock_s()
        with self._watch.stage("encode"):
            vectors = await super().looks(pixels)
        self._watch.looked(len(pixels), self._clock_s() - began_s)
        return vectors

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Give unit vectors of texts."""
        with self._watch.stage("words"):
            return await super().texts(texts)


class WatchedTexts(RememberingEncoder):
    """Vectors of texts; how often they were known is counted."""

    def __init__(self, encoder: Encoder, most: int, watch: Watch) -> None:
        super().__init__(encoder, most)
        self._watch = watch

    def _looked_up(self, *, hit: bool) -> None:
        self._watch.cache("texts", hit=hit)
