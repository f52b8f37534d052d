"""What a press shows of an answer: another moment, a second nearby, a preview, a cut, the whole video."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np

from core.answers import card as cards
from core.answers.buttons import Cursor, first_shown
from core.answers.card import Card
from core.concurrency import watched
from core.errors import AnswerGone, AppError, VideoGone, called
from core.formatting import tenths
from core.model.actions import Show
from core.model.answer import tally, term_keys
from core.model.reply import Progress, Reply, SourceFrame
from core.model.results import nearest_within
from core.model.video import Thumbnail
from core.ports.video import Clip, ClipWish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from core.answers.view import Answerer
    from core.limits import BrowsingLimits
    from core.model.actions import Details
    from core.model.answer import Answer
    from core.model.events import Door, Turn
    from core.model.reply import Picture, Theme
    from core.model.results import Curve, Moment, SearchResult
    from core.model.video import Posting, Video
    from core.ports.library import Library, Media
    from core.ports.video import Clipper, Plotter
    from core.rate_limit import RateLimit

_JUST_BEFORE_S: Final = 0.002
_NONE: Final[Mapping[str, Curve]] = MappingProxyType({})
_END_PX: Final = 640


class Browser:
    """Shows an answer in all the ways that its buttons ask for."""

    def __init__(
        self,
        library: Library,
        media: Media,
        answerer: Answerer,
        clipper: Clipper,
        plotter: Plotter,
        rate_limit: RateLimit,
        limits: BrowsingLimits,
        is_checking: Callable[[str], bool],
    ) -> None:
        """Take, among others, what tells by an answer's id whether its verdict may still change."""
        self._library = library
        self._media = media
        self._answerer = answerer
        self._clipper = clipper
        self._plotter = plotter
        self._rate_limit = rate_limit
        self._limits = limits
        self._is_checking = is_checking

    async def first(self, turn: Turn, answer: Answer, wish: Show, result: SearchResult, note: str) -> Reply:
        """Return the card of a new answer, drawn from the curves that the search gave."""
        known = {curve.video.id: curve for curve in (result.curve, *(result.curves.curves if result.curves else ()))}
        made = await self._card(turn, answer, wish, known, with_still=True)
        return cards.card(replace(made, note=note, updates=False))

    async def show(self, turn: Turn, answer: Answer, wish: Show) -> AsyncIterator[Reply]:
        """Yield what a button asks for: in place of the card that it stands under, but for a cut's file.

        Raises AnswerGone when there is no such moment any more, VideoGone when there is nothing to cut from, UserError,
        TryLater, OperatorError.
        """
        match wish.mode:
            case "frame" | "sheet" | "cut":
                async for reply in self._at_once(turn, answer, wish):
                    yield reply
            case "preview":
                async for reply in self._preview(turn, answer, wish):
                    yield reply
            case "file":
                async for reply in self._file(turn, answer, wish):
                    yield reply
            case _:
                assert_never(wish.mode)

    async def _at_once(self, turn: Turn, answer: Answer, wish: Show) -> AsyncIterator[Reply]:
        """Show what takes a moment; where it takes longer, first the small picture of its place."""
        async for made in watched(lambda _: self._whole(turn, answer, wish), self._limits.patience_s, None):
            yield made or await self._meanwhile(await self._card(turn, answer, wish, with_still=False))

    async def _whole(self, turn: Turn, answer: Answer, wish: Show) -> Reply:
        if wish.mode == "cut":
            return await self._cut(turn, answer, wish)
        made = await self._card(turn, answer, wish, with_still=wish.mode == "frame")
        return cards.card(made, await self._sheet(made) if wish.mode == "sheet" else None)

    async def _meanwhile(self, made: Card, share: float | None = None) -> Reply:
        """Return a card while its own picture is being made."""
        still = await self._answerer.thumbnail(made.shown.curve.video, made.shown.at_s, made.shown.moment)
        return cards.card(replace(made, shown=replace(made.shown, still=still), progress=Progress("cutting", share)))

    async def _card(
        self, turn: Turn, answer: Answer, wish: Show, known: Mapping[str, Curve] = _NONE, *, with_still: bool = False
    ) -> Card:
        """Draw what every card shows; wish and moment decide which frame. Its buttons count in the answer's order."""
        moment, wish = answer.moment(wish.number), replace(wish, revision=answer.revision)
        postings, curve = await self._postings(answer), known.get(moment.video_id)
        video = curve.video if curve else await self._named(moment.video_id, postings.get(moment.video_id))
        curve = curve or await self._answerer.curve(answer, video)
        kept = await self._media.path(video.id) is not None
        cursor = Cursor.of(wish, moment, video.duration_s, self._limits.cut_s, kept=kept)
        shown = await self._answerer.show(
            answer.query,
            answer.moments,
            wish.number,
            wish.style,
            () if turn.door.draws_plots else turn.door.themes,
            turn.door.max_picture_px,
            curve,
            None if wish.at_ms is None else cursor.at_s,
            _marks_s(wish, cursor),
            with_still=with_still,
        )
        if turn.door.shared and len(answer.moments) > 1:
            shown = replace(shown, plots=await self._stripped(turn.door, answer, wish, shown.plots))
        span_s = _span_s(cursor, self._limits.preview_s)
        terms = term_keys(answer.query)
        counted = tally(await self._library.votes(answer.query.view, terms), terms[moment.part], moment)
        is_one = len({one.video_id for one in answer.moments}) == 1
        names = {} if is_one else {one: posting.title for one, posting in postings.items()}
        posting, checking = postings.get(video.id), self._is_checking(answer.id)
        drawn = Card(answer, wish, cursor, shown, turn.door, posting, span_s=span_s, tally=counted, names=names)
        is_checked = not (checking and moment.video_id == answer.moments[0].video_id)
        return replace(
            drawn,
            is_checked=is_checked,
            curves=await self._curves(answer, video.id, postings, known),
            like=await self._like(answer),
        )

    async def _like(self, answer: Answer) -> SourceFrame | None:
        """Return what more is wanted like, where that may be seen."""
        source = answer.query.picture.source if answer.query.picture else None
        posting = await self._library.posting(source.video_id, answer.query.view) if source else None
        if source is None or posting is None:
            return None
        return SourceFrame(source.video_id, posting.title, (source.start_s + source.end_s) / 2)

    async def _stripped(
        self, door: Door, answer: Answer, wish: Show, plots: Mapping[Theme, bytes]
    ) -> dict[Theme, bytes]:
        """Return plots with the moments above them, numbered as the buttons that the door shows."""
        first = first_shown(wish.number, door.max_moments)
        shown = list(enumerate(answer.moments, 1))[first : first + door.max_moments]
        kept = {one: await self._library.thumbnails(one) for one in {moment.video_id for _, moment in shown}}
        tiles = []
        for number, moment in shown:
            thumbnails = kept[moment.video_id]
            times_s = np.array([one.time_s for one in thumbnails])
            if len(thumbnails):
                jpeg = thumbnails[nearest_within(times_s, moment, moment.peak_s)].jpeg
                tiles.append((number, Thumbnail(moment.peak_s, jpeg)))
        return {theme: await self._plotter.strip(plot, tiles) for theme, plot in plots.items()}

    async def _curves(
        self, answer: Answer, shown: str, postings: Mapping[str, Posting], known: Mapping[str, Curve]
    ) -> dict[str, Curve]:
        """Return the curves of an answer's videos other than the one that is shown, as far as they are there."""
        curves = {}
        for video_id in dict.fromkeys(moment.video_id for moment in answer.moments if moment.video_id != shown):
            with suppress(AnswerGone):
                curve = known.get(video_id)
                if curve is None:
                    curve = await self._answerer.curve(answer, await self._named(video_id, postings.get(video_id)))
                curves[video_id] = await self._answerer.judged(answer, curve)
        return curves

    async def _postings(self, answer: Answer) -> dict[str, Posting]:
        """Return the newest posting in view of each of an answer's videos that has one there, by the video's id."""
        videos = dict.fromkeys(moment.video_id for moment in answer.moments)
        found = [await self._library.posting(video_id, answer.query.view) for video_id in videos]
        return {posting.video_id: posting for posting in found if posting}

    async def details(self, turn: Turn, answer: Answer, wish: Details) -> Reply:
        """Return the figures behind a moment, for the eyes of who asks; raises AnswerGone, OperatorError."""
        shown = Show(answer.id, wish.number, revision=answer.revision)
        made = cards.card(await self._card(turn, answer, shown))
        return Reply(made.details, title="Details", private=True)

    async def _sheet(self, made: Card) -> Picture | None:
        thumbnails = await self._library.thumbnails(made.shown.curve.video.id)
        if not thumbnails:
            return None
        tiles = await self._with_peaks(made, thumbnails)
        return cards.sheet(made, await self._plotter.sheet(tiles, made.numbered, self._limits.sheet_tiles))

    async def _with_peaks(self, made: Card, thumbnails: Sequence[Thumbnail]) -> Sequence[Thumbnail]:
        """Return small pictures with the very frames of the moments among them; as they are where the file is gone."""
        known_s = {round(one.time_s, 3) for one in thumbnails}
        peaks_s = sorted({moment.peak_s for _, moment in made.numbered if round(moment.peak_s, 3) not in known_s})
        path = await self._media.path(made.shown.curve.video.id)
        if path is None or not peaks_s:
            return thumbnails
        try:
            stills = await self._clipper.stills(path, peaks_s, self._limits.tile_px)
        except AppError:
            return thumbnails
        frames = [Thumbnail(time_s, still.jpeg) for time_s, still in zip(peaks_s, stills, strict=True)]
        return sorted([*thumbnails, *frames], key=lambda one: one.time_s)

    async def _cut(self, turn: Turn, answer: Answer, wish: Show) -> Reply:
        """Return the card of a cut that may be trimmed: its first frame and its last, side by side."""
        moment = answer.moment(wish.number)
        video = await self._video(answer, moment)
        path = await self._path(video)
        in_s, out_s = Cursor.of(wish, moment, video.duration_s, self._limits.cut_s).ends_s
        times_s = (in_s, out_s - _JUST_BEFORE_S)
        with called(video.title):
            made, stills = await asyncio.gather(
                self._card(turn, answer, wish), self._clipper.stills(path, times_s, _END_PX)
            )
        first, last = stills
        return cards.card(
            made, cards.cut_ends(made, await self._plotter.ends(first, last, (tenths(in_s), tenths(out_s))))
        )

    async def _preview(self, turn: Turn, answer: Answer, wish: Show) -> AsyncIterator[Reply]:
        moment = answer.moment(wish.number)
        video = await self._video(answer, moment)
        path = await self._media.path(video.id)
        if path is None:
            small = await self._card(turn, answer, wish)
            yield cards.card(small, await self._slides(small))
            return
        span_s = _span_s(Cursor.of(wish, moment, video.duration_s, self._limits.cut_s), self._limits.preview_s)
        clip_wish = self._preview_wish(turn, span_s)
        drawing = asyncio.ensure_future(self._card(turn, answer, wish))
        try:
            async for made in self._making(video, path, clip_wish):
                drawn = await drawing
                if isinstance(made, Clip):
                    yield cards.card(drawn, cards.preview(drawn, made.data, made.form))
                else:
                    yield await self._meanwhile(drawn, made)
        finally:
            drawing.cancel()

    def _preview_wish(self, turn: Turn, span_s: tuple[float, float]) -> ClipWish:
        form = turn.door.moving
        max_bytes = min(self._limits.preview_bytes, turn.max_upload_bytes // 3)
        max_px, max_fps = (320, 10.0) if form == "gif" else (480, 30.0)
        return ClipWish(*span_s, form, max_px, max_fps, max_bytes)

    async def _slides(self, made: Card) -> Picture | None:
        """Return the small pictures around the moment, where the video itself is gone."""
        thumbnails = await self._library.thumbnails(made.shown.curve.video.id)
        near = sorted(thumbnails, key=lambda one: abs(one.time_s - made.cursor.at_s))[: self._limits.slides]
        if not near:
            return None
        slides = sorted(near, key=lambda one: one.time_s)
        gif = await self._plotter.slideshow(slides)
        return cards.preview(replace(made, span_s=(slides[0].time_s, slides[-1].time_s)), gif, "gif")

    async def _file(self, turn: Turn, answer: Answer, wish: Show) -> AsyncIterator[Reply]:
        """Yield a cut as a file, in a message of its own: it stays when people browse on."""
        self._rate_limit.press(turn)
        moment = answer.moment(wish.number)
        video = await self._video(answer, moment)
        path = await self._path(video)
        cursor = Cursor.of(wish, moment, video.duration_s, self._limits.cut_s)
        max_bytes = min(self._limits.cut_bytes, turn.max_upload_bytes)
        clip_wish = ClipWish(*cursor.ends_s, "mp4", self._limits.cut_px, 60.0, max_bytes, sound=True)
        async for made in self._making(video, path, clip_wish):
            if isinstance(made, Clip):
                yield cards.cut(video, cursor, made, turn)
            else:
                yield cards.cutting(video, cursor, made)

    async def _making(self, video: Video, path: Path, wish: ClipWish) -> AsyncIterator[float | Clip]:
        """Make a clip; yield the share that is done, now and then where it takes long, and the clip."""
        with called(video.title):
            async for made in watched(
                lambda report: self._clipper.clip(path, wish, report), self._limits.patience_s, 0.0
            ):
                yield made

    async def _path(self, video: Video) -> Path:
        path = await self._media.path(video.id)
        if path is None:
            raise VideoGone(video.title)
        return path

    async def _video(self, answer: Answer, moment: Moment) -> Video:
        """Return the video of a moment as it is called in the answer's view; raises AnswerGone."""
        return await self._named(moment.video_id, await self._library.posting(moment.video_id, answer.query.view))

    async def _named(self, video_id: str, posting: Posting | None) -> Video:
        video = await self._library.video(video_id) if posting else None
        if video is None or posting is None:
            raise AnswerGone
        return posting.named(video)


def _marks_s(wish: Show, cursor: Cursor) -> tuple[float, ...]:
    if wish.mode == "cut":
        return cursor.ends_s
    return () if wish.at_ms is None else (cursor.at_s,)


def _span_s(cursor: Cursor, length_s: float) -> tuple[float, float]:
    """Return the stretch that a preview shows: from a little before the frame, within the video."""
    video_s = cursor.video_ms / 1000
    start_s = max(0.0, min(cursor.at_s - length_s / 3, video_s - length_s))
    return start_s, min(video_s, start_s + length_s)
