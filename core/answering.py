"""What an answer shows: the frame and the plot. Owns where they come from; must not know what is said beside them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import AnswerGone, AppError
from core.ports import PlotSpec, Still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Curve, Moment, Query, Video
    from core.ports import Encoder, FrameReader, Library, Media, PlotStyle, Plotter, Theme
    from core.search import Searcher


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One moment of an answer, drawn."""

    number: int
    """From 1."""
    moment: Moment
    curve: Curve
    still: Still | None
    """None where neither the media file nor a thumbnail is left, or where none was wanted."""
    plots: dict[Theme, bytes]
    at_s: float
    """Time of the frame."""


class Answerer:
    """Draws moments of an answer."""

    def __init__(
        self,
        searcher: Searcher,
        library: Library,
        media: Media,
        reader: FrameReader,
        encoder: Encoder,
        plotter: Plotter,
    ) -> None:
        self._searcher = searcher
        self._library = library
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._plotter = plotter

    async def show(
        self,
        query: Query,
        moments: Sequence[Moment],
        number: int,
        style: PlotStyle,
        themes: Sequence[Theme],
        max_px: int,
        curve: Curve | None = None,
        at_s: float | None = None,
        marks_s: tuple[float, ...] = (),
        *,
        with_still: bool = True,
    ) -> Shown:
        """Draw the moment with this number (from 1), at its peak or at another time of its film.

        The curve is worked out anew unless it is given. Raises AnswerGone when there is no such moment any more,
        OperatorError.
        """
        if not 1 <= number <= len(moments):
            raise AnswerGone
        moment = moments[number - 1]
        curve = curve or await self._curve(query, moment)
        spec = replace(await self._spec(query, moments, number, style, curve), marks_s=marks_s)
        at_s = moment.peak_s if at_s is None else at_s
        plotting = self._plots(spec, themes)
        if not with_still:
            return Shown(number, moment, curve, None, await plotting, at_s)
        still, plots = await asyncio.gather(self.still(curve.video, at_s, max_px), plotting)
        return Shown(number, moment, curve, still, plots, at_s)

    async def _plots(self, spec: PlotSpec, themes: Sequence[Theme]) -> dict[Theme, bytes]:
        return {theme: await self._plotter.plot(spec, theme) for theme in themes}

    async def still(self, video: Video, time_s: float, max_px: int) -> Still | None:
        """Cut the frame from the kept file; give the nearest thumbnail where that is gone or unreadable."""
        path = await self._media.path(video.id)
        if path is not None:
            try:
                return await self._reader.still(path, time_s, max_px)
            except AppError:
                pass
        return await self._nearest_thumbnail(video, time_s)

    async def _nearest_thumbnail(self, video: Video, time_s: float) -> Still | None:
        thumbnails = await self._library.thumbnails(video.id)
        if not thumbnails:
            return None
        nearest = min(thumbnails, key=lambda thumbnail: abs(thumbnail.time_s - time_s))
        return Still(nearest.jpeg, nearest.time_s, 0, 0)

    async def _curve(self, query: Query, moment: Moment) -> Curve:
        curve = await self._searcher.curve(query, moment.video_id)
        if curve is None:
            raise AnswerGone
        return curve

    async def _spec(
        self, query: Query, moments: Sequence[Moment], number: int, style: PlotStyle, curve: Curve
    ) -> PlotSpec:
        numbered = tuple((n, moment) for n, moment in enumerate(moments, 1) if moment.video_id == curve.video.id)
        info = await self._encoder.ready()
        return PlotSpec(curve, query.text, numbered, number, style, info.logit_scale)
