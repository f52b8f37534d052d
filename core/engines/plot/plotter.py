"""The `Plotter` port: draws on a thread of its own. matplotlib is imported with the first plot: that takes a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from core.engines.plot.sheets import contact_sheet, slideshow, two_ends, with_strip
from core.model.results import Curve
from core.model.video import Video
from core.ports.video import PlotSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from core.engines.plot.figures import PlotFigures
    from core.model.reply import Theme
    from core.model.results import Moment
    from core.model.video import Still, Thumbnail

_THEMES: tuple[Theme, ...] = ("light", "dark")


class MatplotlibPlotter:
    """Implements ports.Plotter on a pool of one thread: neither matplotlib nor a figure is made for two."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._figures: PlotFigures | None = None

    async def warm(self) -> None:
        """Draw once in each theme, which reads the fonts and takes a second."""
        curve = Curve(Video("", "", "", 2.0, 1, 1), np.array([0.0, 1.0]), np.array([0.1, 0.2], np.float32))
        spec = PlotSpec(curve, "", (), None, "similarity", 1.0)
        for theme in _THEMES:
            await self.plot(spec, theme)

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        """Return a PNG of 800 x 450 px."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._png, spec, theme)

    def _png(self, spec: PlotSpec, theme: Theme) -> bytes:
        if self._figures is None:
            from core.engines.plot.figures import PlotFigures  # noqa: PLC0415 - a search without a plot needs none

            self._figures = PlotFigures()
        return self._figures.png(spec, theme)

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        """Return a JPEG contact sheet."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, contact_sheet, thumbnails, numbered, most)

    async def strip(self, plot: bytes, tiles: Sequence[tuple[int, Thumbnail]]) -> bytes:
        """Return a plot with a row of numbered moments above it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, with_strip, plot, tiles)

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        """Return a JPEG of two frames side by side."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, two_ends, first, last, labels)

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        """Return a GIF that shows thumbnails one after the other, for ever."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, slideshow, thumbnails)
