"""Draws a moment of an answer: its frame from the kept file, and its plot.

The plot's curve is interpolated to one value a second. Moments and verdicts come from the sampled frames alone.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from core.errors import AnswerGone, AppError
from core.model.answer import AnswerView
from core.model.reply import LivePlot, PlotLine, PlotMark
from core.model.results import SAME_FRAME_S, alone, nearest_within
from core.model.video import Recipe, Still
from core.ports.video import PlotSpec, heights
from core.search.moments import probabilities
from core.search.verdict import seen_closer
from core.wording.answers import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from core.answers.buttons import Cursor
    from core.model.actions import Show
    from core.model.answer import Answer
    from core.model.query import Query
    from core.model.reply import PlotStyle, Theme
    from core.model.results import Curve, Moment
    from core.model.video import EncoderInfo, Floats, Sampling, Seconds, Video
    from core.ports.library import Encoder, Library, Media
    from core.ports.video import FrameReader, Plotter
    from core.refinement.extra_frames import ExtraFrames
    from core.search.searcher import Searcher


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
        extra_frames: ExtraFrames,
        sampling: Sampling,
    ) -> None:
        self._searcher = searcher
        self._library = library
        self._media = media
        self._reader = reader
        self._encoder = encoder
        self._plotter = plotter
        self._extra_frames = extra_frames
        self._sampling = sampling

    async def show(
        self,
        query: Query,
        moments: Sequence[Moment],
        number: int,
        style: PlotStyle,
        themes: Sequence[Theme],
        max_px: int,
        curve: Curve,
        at_s: float | None = None,
        marks_s: tuple[float, ...] = (),
        *,
        with_still: bool = True,
    ) -> AnswerView:
        """Draw the moment with this number (from 1), at its peak or at another time of its video.

        The curve is drawn as it is kept, whether it was or not: the same answer gives the same picture. Raises
        AnswerGone where there is no such moment, OperatorError.
        """
        if not 1 <= number <= len(moments):
            raise AnswerGone
        moment = moments[number - 1]
        info = await self._encoder.ready()
        curve = seen_closer(curve.rounded(), moments, info).of(moment.part)
        spec = replace(_spec(query, moments, number, style, curve, info), marks_s=marks_s)
        second_s = moment.then.peak_s if moment.then and at_s is None else None
        at_s = moment.peak_s if at_s is None else at_s
        plotting, span, live = self._plots(spec, themes), _range(spec, moment), live_plot(spec)
        if not with_still:
            among = await self._shares(query, curve, moment, at_s, spec.logit_scale)
            return AnswerView(
                number, moment, curve, None, await plotting, at_s, shares=among, plot_range=span, plot=live
            )
        still, second, plots = await asyncio.gather(
            self.still(curve.video, at_s, max_px, moment), self._second(curve.video, second_s, max_px, moment), plotting
        )
        frame_s = at_s if still is None or still.width_px else still.time_s
        among = await self._shares(query, curve, moment, frame_s, spec.logit_scale)
        return AnswerView(number, moment, curve, still, plots, at_s, second, among, span, live)

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
            return await self._extra_frames.scores(query, video, time_s)
        except AppError:
            return None

    async def _second(self, video: Video, time_s: float | None, max_px: int, moment: Moment) -> Still | None:
        return None if time_s is None else await self.still(video, time_s, max_px, moment.then)

    async def _plots(self, spec: PlotSpec, themes: Sequence[Theme]) -> dict[Theme, bytes]:
        return {theme: await self._plotter.plot(spec, theme) for theme in themes}

    async def still(self, video: Video, time_s: float, max_px: int, moment: Moment | None = None) -> Still | None:
        """Cut the frame from the kept file; where that cannot be, return a thumbnail, of the moment if any."""
        path = await self._media.path(video.id)
        if path is not None:
            try:
                return await self._reader.still(path, time_s, max_px)
            except AppError:
                pass
        return await self.thumbnail(video, time_s, moment)

    async def thumbnail(self, video: Video, time_s: float, moment: Moment | None = None) -> Still | None:
        """Return the small picture nearest to a time, where one is left: at once, and of videos that are gone.

        One within the moment comes first, if the time is: the nearest may lie beyond a cut.
        """
        thumbnails = await self._library.thumbnails(video.id)
        if not thumbnails:
            return None
        times_s = np.array([thumbnail.time_s for thumbnail in thumbnails])
        is_inside = moment is not None and moment.start_s <= time_s < moment.end_s
        at = nearest_within(times_s, moment, time_s) if moment and is_inside else int(np.abs(times_s - time_s).argmin())
        return Still(thumbnails[at].jpeg, thumbnails[at].time_s, 0, 0)

    async def curve(self, answer: Answer, video: Video) -> Curve:
        """Return the curve of a video that an answer was made of: the kept one, or else from a search.

        Raises AnswerGone where the video does not belong to the answer any more, OperatorError.
        """
        query, info = answer.query, await self._encoder.ready()
        if query.posted and video.id not in await self._library.posted(query.view, query.posted):
            raise AnswerGone
        kept = await self._library.kept_curve(answer.id, video.id, Recipe.of(info, self._sampling).key)
        if kept is not None:
            return replace(kept, video=video)
        found = await self._searcher.curve(query, video.id)
        if found is None:
            raise AnswerGone
        return found

    async def judged(self, answer: Answer, curve: Curve) -> Curve:
        """Return the curve of a video of an answer as it is kept, drawn and judged by now; raises OperatorError."""
        return seen_closer(curve.rounded(), answer.moments, await self._encoder.ready())


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
    texts = [wish.words for wish in query.asked.terms]
    return tuple((text, float(share)) for text, share in zip(texts, probabilities(among, logit_scale), strict=True))


EACH_S = 1.0
_SLACK = 0.1
"""Samples lie on frames, so two of one second may be a little more than a second apart."""
_SAME_S = 1e-3


def each_second(curve: Curve, moments: Iterable[Moment] = ()) -> Curve:
    """Return the curve with values at most a second apart, from its first frame to its video's end.

    Between two frames it is the straight line from one to the other, so that no value lies above both or below both;
    after the last frame its value stays, for as long as frames may lie apart. The curve also goes through the peaks of
    moments that were refined. It has no vectors: those are of frames alone.
    """
    peaks = [_peaks(curve, moments, part) for part in range(max(1, len(curve.lines)))]
    times_s = np.unique(np.concatenate([_times(curve), *(np.array([*some], np.float64) for some in peaks)]))
    scores = [line.scores for line in curve.lines] or [curve.scores]
    filled = [_line(curve.times_s, one, some, times_s) for one, some in zip(scores, peaks, strict=True)]
    shown = next((new for old, new in zip(scores, filled, strict=True) if old is curve.scores), filled[0])
    lines = tuple(replace(line, scores=one) for line, one in zip(curve.lines, filled, strict=False))
    return replace(curve, times_s=times_s, scores=shown, lines=lines, vectors=None)


def _times(curve: Curve) -> Seconds:
    """Return the times of the frames and those between them."""
    frames = curve.times_s
    apart_s = float(np.diff(frames).max()) if len(frames) > 1 else EACH_S
    end_s = min(curve.video.duration_s, float(frames[-1]) + apart_s)
    after = np.arange(float(frames[-1]) + EACH_S, end_s, EACH_S)
    wide = np.flatnonzero(np.diff(frames) > EACH_S * (1 + _SLACK))
    between = [time_s for at in wide for time_s in _between(float(frames[at]), float(frames[at + 1]))]
    return np.concatenate([frames, np.array(between, np.float64), after])


def _between(start_s: float, end_s: float) -> Iterator[float]:
    """Return times within an interval that part it evenly into pieces of a second or a little more or less."""
    pieces = math.ceil((end_s - start_s) / EACH_S - _SLACK)
    return (start_s + (end_s - start_s) * piece / pieces for piece in range(1, pieces))


def _peaks(curve: Curve, moments: Iterable[Moment], part: int) -> dict[float, float]:
    """Return time and score of the peaks for a text; those of the frames are at their very times.

    Of texts side by side each has its own score at each peak: the nearest frame may lie beyond a cut.
    """
    return {
        _at(curve, one.peak_s): one.among[part] if part < len(one.among) else one.score
        for moment in moments
        for one in alone(moment)
        if one.video_id == curve.video.id and (one.part == part or part < len(one.among))
    }


def _at(curve: Curve, time_s: float) -> float:
    """Return the time of the frame that lies there, or else that time."""
    frame_s = float(curve.times_s[curve.at(time_s)])
    return frame_s if abs(frame_s - time_s) <= _SAME_S else time_s


def _line(frames_s: Seconds, scores: Floats, peaks: dict[float, float], times_s: Seconds) -> Floats:
    known = {**dict(zip(frames_s.tolist(), scores.tolist(), strict=True)), **peaks}
    known_s = sorted(known)
    values: Floats = np.interp(times_s, known_s, [known[time_s] for time_s in known_s]).astype(np.float32)
    return values


MOST_POINTS: Final = 800
"""Of one curve: more than there are pixels to draw it on."""
_HERE: Final = 987654321
_START, _END = 987654322, 987654323
"""Stand in a button's id for the times that a click puts there."""


def live_plot(spec: PlotSpec) -> LivePlot:
    """Return the figures that a plot shows."""
    values = heights(spec)
    kept = thinned(values, MOST_POINTS)
    several = len(spec.curve.lines) > 1
    texts = [line.text for line in spec.curve.lines] if several else [""]
    known = spec.curve.baseline if spec.style == "similarity" and not several else None
    return LivePlot(
        spec.curve.video.id,
        spec.curve.video.duration_s,
        spec.style,
        tuple(np.round(spec.curve.times_s[kept], 3).tolist()),
        tuple(PlotLine(text, tuple(_rounded(line[kept]))) for text, line in zip(texts, values, strict=True)),
        (round(known.usual, 4), round(known.weak_from, 4)) if known else None,
        tuple(_marks(spec, values)),
    )


def leading(plot: LivePlot, wish: Show, cursor: Cursor) -> LivePlot:
    """Return a plot with what its clicks and drags lead to."""
    here = replace(wish, mode="frame", at_ms=_HERE, in_ms=None, out_ms=None)
    cut = replace(wish, mode="cut", in_ms=_START, out_ms=_END)
    cut_id = cut.id("c").replace(str(_START), "{start}").replace(str(_END), "{end}")
    return replace(
        plot,
        at_s=cursor.at_s,
        cut_s=cursor.ends_s if wish.mode == "cut" else None,
        go_id=here.id().replace(str(_HERE), "{at}"),
        cut_id=cut_id if cursor.kept else "",
    )


def thinned(values: Floats, most: int) -> npt.NDArray[np.intp]:
    """Return which of the columns of values (T, N) are kept so that at most about `most` are; each peak is."""
    count = values.shape[1]
    if count <= most:
        return np.arange(count)
    bins = np.array_split(np.arange(count), max(1, most // (1 + len(values))))
    highest = [part[values[line, part].argmax()] for part in bins for line in range(len(values))]
    return np.unique(np.array([0, *(part[0] for part in bins), *highest, count - 1], np.intp))


def _marks(spec: PlotSpec, values: Floats) -> list[PlotMark]:
    some = [(number, one) for number, moment in spec.numbered for one in (moment, moment.then) if one]
    return [
        PlotMark(
            number,
            one.part,
            one.start_s,
            one.end_s,
            one.peak_s,
            round(float(values[one.part, spec.curve.at(one.peak_s)]), 4),
            current=number == spec.current,
        )
        for number, one in some
    ]


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
