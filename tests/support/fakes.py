"""Hand-written stand-ins for what is slow or outside: an encoder that knows colours, a fetcher that copies."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FetchFailed
from core.model.video import EncoderInfo, Preprocess
from core.ports.metrics import begin_turn
from core.ports.video import Fetched, Fetching

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from core.model.reply import Theme
    from core.model.results import Curve, Moment
    from core.model.video import Floats, Pixels, Still, Thumbnail
    from core.ports.metrics import Stage
    from core.ports.video import PlotSpec

COLOURS = ("red", "green", "blue")


@dataclass
class ColourEncoder:
    """Knows three colours: a frame's vector is its mean RGB, a text's is the colours that it names."""

    weights: str = "eyes"
    batches: list[int] = field(default_factory=list)
    loaded: bool = True
    gate: asyncio.Event | None = None
    """While it is not set, nobody gets further than to the model."""

    async def ready(self) -> EncoderInfo:
        if self.gate is not None:
            await self.gate.wait()
        preprocess = Preprocess(16, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        return EncoderInfo("colours", self.weights, 4, preprocess, "fp32", 100.0, 0.0, "cpu")

    async def frames(self, pixels: Pixels) -> Floats:
        return await self.images(pixels)

    async def images(self, pixels: Pixels) -> Floats:
        self.batches.append(len(pixels))
        means = pixels.reshape(len(pixels), -1, 3).mean(axis=1)
        return _unit(np.concatenate([means, np.full((len(pixels), 1), 20.0)], axis=1))

    async def texts(self, texts: Sequence[str]) -> Floats:
        named = [[float(colour in text) for colour in COLOURS] + [0.05] for text in texts]
        return _unit(np.array(named))


def _unit(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Floats:
    unit: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@dataclass
class CopyFetcher:
    """A web of files: what is not in it cannot be found."""

    web: dict[str, Path]
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        self.fetched.append(f"{url} {bearer}".strip())
        if url not in self.web:
            raise FetchFailed(url, "dns")
        size = self.web[url].stat().st_size
        yield Fetching(size // 2, size, 1.0)
        path = folder / self.web[url].name
        shutil.copy(self.web[url], path)
        yield Fetched(path, None, "A linked video", url, uploader="Buster")


@dataclass
class NotingPlotter:
    """Draws nothing, but notes what it was asked to draw."""

    specs: list[PlotSpec] = field(default_factory=list)

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        self.specs.append(spec)
        return f"plot:{theme}".encode()

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        numbers = ", ".join(str(number) for number, _ in numbered)
        return f"sheet of {min(len(thumbnails), most)} with {numbers}".encode()

    async def strip(self, plot: bytes, tiles: Sequence[tuple[int, Thumbnail]]) -> bytes:
        return plot + b"".join(thumbnail.jpeg for _, thumbnail in tiles)

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        return f"{first.time_s:.2f} {labels[0]} | {last.time_s:.2f} {labels[1]}".encode()

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        return f"slides of {[one.time_s for one in thumbnails]}".encode()


@dataclass
class Drawer:
    """Keepsakes in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def put(self, name: str, data: bytes) -> None:
        self.kept[name] = data


@dataclass
class NotingWatch:
    """Notes what it is told."""

    turns: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)

    @contextmanager
    def turn(self, kind: str, platform: str) -> Iterator[None]:
        begin_turn()
        self.turns.append(f"{kind} {platform}")
        yield

    def problem(self, kind: str) -> None:
        self.problems.append(kind)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        self.stages.append(stage)
        yield

    def took(self, stage: Stage, _seconds: float) -> None:
        self.stages.append(stage)

    def encoded(self, frames: int, seconds: float) -> None:
        """Note nothing: the encoder does."""

    def cache(self, name: str, *, hit: bool) -> None:
        self.stages.append(f"{name} {hit}")


def rises_at(curve: Curve, time_s: float) -> bool:
    """Tell whether the curve is highest there."""
    return abs(float(curve.times_s[int(curve.scores.argmax())]) - time_s) < 1.0
