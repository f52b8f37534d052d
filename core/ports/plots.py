"""Drawing the plot of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.reply import PlotStyle, Theme
    from core.model.results import Curve, Moment
    from core.model.video import Floats, Thumbnail
    from core.ports.video import Still


@dataclass(frozen=True, slots=True, eq=False)
class PlotSpec:
    """All that a plot shows."""

    curve: Curve
    """With lines, each of these is drawn, in a colour of its own."""
    query: str
    numbered: tuple[tuple[int, Moment], ...]
    """The moments of this video with the numbers that their buttons have."""
    current: int | None
    """Number of the moment that is being shown."""
    style: PlotStyle
    logit_scale: float
    """For the softmax style: the notebook's softmax(logit_scale * similarity)."""
    marks_s: tuple[float, ...] = ()
    """Times of the video to be pointed at: of a frame beside a peak, or the two ends of a cut."""


def heights(spec: PlotSpec) -> Floats:
    """Return the (T, N) float32 values that a plot shows of its T curves.

    These are cosine similarities, or softmax(logit_scale * similarity): of one curve and of a sequence over time, as
    the notebook did; of texts side by side among them.
    """
    curves = spec.curve.lines or (spec.curve,)
    scores = np.array([one.scores for one in curves], np.float64)
    if spec.style == "similarity":
        return scores.astype(np.float32)
    is_sequence = any(moment.then for _, moment in spec.numbered)
    axis = 0 if len(curves) > 1 and not is_sequence else 1
    powers = np.exp(spec.logit_scale * (scores - scores.max(axis=axis, keepdims=True)))
    shares: Floats = (powers / powers.sum(axis=axis, keepdims=True)).astype(np.float32)
    return shares


class Plotter(Protocol):
    """Draws the curve of an answer, off the event loop."""

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        """Give a PNG."""
        ...

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        """Give a JPEG contact sheet of at most that many tiles, each with its time; at least one thumbnail.

        The best frame of each numbered moment is among the tiles and bears its number.
        """
        ...

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        """Give a JPEG of two frames side by side, each with its label."""
        ...

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        """Give a GIF that shows small pictures one after the other, for ever; at least one."""
        ...
