"""What an answer shows: the frame and the plot. Owns where they come from; must not know what is said beside them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.closer import seen_closer
from core.errors import AppError
from core.errors.asking import AnswerGone
from core.filling import each_second
from core.film_ports import Still
from core.found import SAME_FRAME_S, nearest_within
from core.ordering import probabilities
from core.plot_ports import PlotSpec, heights
from core.telling import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.film_ports import FrameReader
    from core.found import Curve, Moment, Query
    from core.glancing import Glances
    from core.model import EncoderInfo, Video
    from core.plot_ports import PlotStyle, Plotter, Theme
    from core.ports import Encoder, Library, Media
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
    second: Still | None = None
    """Of what follows in a sequence."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of texts side by side: each with its probability among them for the frame that is shown, 0 to 1."""
    plot_range: tuple[float, float] = (0.0, 0.0)
    """The lowest and the highest value that the plot shows of the moment's curve."""


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
        glances: Glances,
    ) -> None:
        self._searcher = searcher
        self._library = library
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._plotter = plotter
        self._glances = glances

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
        info = await self._encoder.ready()
        curve = seen_closer(curve or await self._curve(query, moment), moments, info).of(moment.part)
        spec = replace(_spec(query, moments, number, style, curve, info), marks_s=marks_s)
        second_s = moment.then.peak_s if moment.then and at_s is None else None
        at_s = moment.peak_s if at_s is None else at_s
        plotting, span = self._plots(spec, themes), _range(spec, moment)
        if not with_still:
            among = await self._shares(query, curve, moment, at_s, spec.logit_scale)
            return Shown(number, moment, curve, None, await plotting, at_s, shares=among, plot_range=span)
        still, second, plots = await asyncio.gather(
            self.still(curve.video, at_s, max_px, moment), self._second(curve.video, second_s, max_px, moment), plotting
        )
        frame_s = at_s if still is None or still.width_px else still.time_s
        among = await self._shares(query, curve, moment, frame_s, spec.logit_scale)
        return Shown(number, moment, curve, still, plots, at_s, second, among, span)

    async def _shares(
        self, query: Query, curve: Curve, moment: Moment, time_s: float, logit_scale: float
    ) -> tuple[tuple[str, float], ...]:
        """Return each of several texts with its probability among them for the very frame at a time."""
        if query.asked.form != "comparison":
            return ()
        known = curve.exactly_at(time_s)
        if abs(time_s - moment.peak_s) <= SAME_FRAME_S and moment.among:
            among = moment.among
        elif known is not None:
            among = curve.among(known)
        else:
            nearest = curve.among(nearest_within(curve.times_s, moment, time_s))
            among = await self._seen(query, curve.video, time_s) or nearest
        return shares(query, among, logit_scale)

    async def _seen(self, query: Query, video: Video, time_s: float) -> tuple[float, ...] | None:
        try:
            return await self._glances.scores(query, video, time_s)
        except AppError:
            return None

    async def _second(self, video: Video, time_s: float | None, max_px: int, moment: Moment) -> Still | None:
        return None if time_s is None else await self.still(video, time_s, max_px, moment.then)

    async def _plots(self, spec: PlotSpec, themes: Sequence[Theme]) -> dict[Theme, bytes]:
        return {theme: await self._plotter.plot(spec, theme) for theme in themes}

    async def still(self, video: Video, time_s: float, max_px: int, moment: Moment | None = None) -> Still | None:
        """Cut the frame from the kept file; where that is gone or unreadable give a thumbnail, of the moment if any."""
        path = await self._media.path(video.id)
        if path is not None:
            try:
                return await self._reader.still(path, time_s, max_px)
            except AppError:
                pass
        return await self.thumbnail(video, time_s, moment)

    async def thumbnail(self, video: Video, time_s: float, moment: Moment | None = None) -> Still | None:
        """Give the small picture nearest to a time, where one is left: at once, and of films that are gone.

        One within the moment comes first, if the time is: the nearest may lie beyond a cut.
        """
        thumbnails = await self._library.thumbnails(video.id)
        if not thumbnails:
            return None
        times_s = np.array([thumbnail.time_s for thumbnail in thumbnails])
        is_inside = moment is not None and moment.start_s <= time_s < moment.end_s
        at = nearest_within(times_s, moment, time_s) if moment and is_inside else int(np.abs(times_s - time_s).argmin())
        return Still(thumbnails[at].jpeg, thumbnails[at].time_s, 0, 0)

    async def _curve(self, query: Query, moment: Moment) -> Curve:
        curve = await self._searcher.curve(query, moment.video_id)
        if curve is None:
            raise AnswerGone
        return curve


def _range(spec: PlotSpec, moment: Moment) -> tuple[float, float]:
    values = heights(spec)[moment.part]
    return float(values.min()), float(values.max())


def _spec(
    query: Query, moments: Sequence[Moment], number: int, style: PlotStyle, curve: Curve, info: EncoderInfo
) -> PlotSpec:
    numbered = tuple((n, moment) for n, moment in enumerate(moments, 1) if moment.video_id == curve.video.id)
    return PlotSpec(each_second(curve, moments), title(query), numbered, number, style, info.logit_scale)


def shares(query: Query, among: Sequence[float], logit_scale: float) -> tuple[tuple[str, float], ...]:
    """Return each of several texts side by side with its probability among them, of one frame's similarity to each."""
    if query.asked.form != "comparison":
        return ()
    texts = [wish.words for wish in query.asked.wishes]
    return tuple((text, float(share)) for text, share in zip(texts, probabilities(among, logit_scale), strict=True))
