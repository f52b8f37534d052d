"""Refines the moments of an answer: which need further frames, what that may cost, and which results count.

A video is sampled about once a second; its best frame may lie between two samples. Only kept files are decoded.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from core.errors import AppError
from core.model.answer import finer, judged_closer, revised
from core.model.results import ends, paired
from core.model.video import FrameIndex
from core.refinement.best_frame import WORTH_DECODING, cuts_around, gap, led, sharpened, worth_showing
from core.search.shots import LEAST_FRAMES, Likeness
from core.search.verdict import seen_closer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.concurrency import ForegroundPriority
    from core.model.answer import Answer
    from core.model.query import Query
    from core.model.results import Curve, Moment
    from core.model.video import EncoderInfo
    from core.ports.library import Encoder, Library
    from core.refinement.best_frame import BestFrameFinder
    from core.refinement.close_up import CloseUp
    from core.refinement.extra_frames import ExtraFrames
    from core.search.searcher import Searcher

log = logging.getLogger(__name__)
_PATIENCE_S = 10.0
"""Where no turn comes for so long after a lull, a frame stays as it is."""
_LATELY = 256
"""So many answers' presses are counted."""
_Shots: TypeAlias = tuple[FrameIndex, Likeness]
"""A video's embeddings, and how alike those of one shot are."""


class PressLog:
    """Counts the presses under each of the newest answers, so that none changes under the hands of who browses it."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def note(self, answer_id: str) -> None:
        """Note that a button under an answer was pressed."""
        self._counts[answer_id] = self._counts.get(answer_id, 0) + 1
        self._counts.move_to_end(answer_id)
        if len(self._counts) > _LATELY:
            self._counts.popitem(last=False)

    def mark(self, answer_id: str) -> PressMark:
        """Return a mark behind the presses so far."""
        return PressMark(self._counts, answer_id, self._counts.get(answer_id, 0))


@dataclass(frozen=True, slots=True)
class PressMark:
    """The presses under an answer at one time."""

    counts: Mapping[str, int]
    answer_id: str
    count: int

    @property
    def has_passed(self) -> bool:
        """Tell whether anyone has acted since: then the answer is theirs, and is not shown anew."""
        return self.counts.get(self.answer_id, 0) != self.count


_MOST_OTHERS: Final = 4
"""Moments that are refined beside the one that is shown: each costs seconds, and few people go further."""


class Refiner:
    """Refines the moments of answers."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        searcher: Searcher,
        extra_frames: ExtraFrames,
        finder: BestFrameFinder,
        close_up: CloseUp,
        priority: ForegroundPriority,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._searcher = searcher
        self._extra_frames = extra_frames
        self._finder = finder
        self._close_up = close_up
        self._priority = priority
        self._tasks: set[asyncio.Task[None]] = set()
        self.presses = PressLog()
        self._checks: dict[str, asyncio.Event] = {}
        self._one = asyncio.Semaphore(1)

    async def best(self, answer: Answer, curve: Curve | None, mark: PressMark, number: int = 1) -> Answer | None:
        """Refine an answer that was just shown at the moment with this number: that at once, the others later.

        Return the answer where it should be shown anew: its frame is another, and nobody has pressed a button since
        the mark. Raises OperatorError.
        """
        try:
            return await self._best(answer, curve, mark, number)
        finally:
            self.end_check(answer.id)

    async def _best(self, answer: Answer, curve: Curve | None, mark: PressMark, number: int) -> Answer | None:
        is_checking, is_calm = self.is_checking(answer.id), await self._priority.calm()
        if not is_calm and not is_checking:
            return None
        known, info = answer.moments[number - 1], await self._encoder.ready()
        curve = curve or await self._searcher.curve(answer.query, known.video_id)
        if curve is None:
            return None
        moments = await self._refined(answer, curve, number, further=is_calm)
        shown = moments[number - 1]
        untouched = not mark.has_passed
        kept = await self._keep(answer, moments, number, untouched=untouched)
        self._start(answer, [moment for moment in moments if moment is not shown][:_MOST_OTHERS])
        better = worth_showing(known, shown, info.logit_scale, WORTH_DECODING)
        better = better or is_checking or _judged_anew(curve, known, shown, info)
        is_kept = kept is not None and kept.moments[number - 1 : number] == (shown,)
        is_news = better and (is_kept or is_checking)
        return replace(kept, query=answer.query) if kept and untouched and is_news else None

    async def _refined(self, answer: Answer, curve: Curve, number: int, *, further: bool) -> tuple[Moment, ...]:
        """Return an answer's moments with the one of this number checked and, if `further`, refined."""
        moments = answer.moments
        if further and number == 1:
            moments = await self.leading(answer.query, moments, curve)
        refined = moments[number - 1]
        if further and number > 1:
            refined = await self.moment(answer.query, refined, curve)
        refined = await self.close_up(answer.query, refined, curve)
        return (*moments[: number - 1], refined, *moments[number:])

    async def begin_check(self, answer: Answer, curve: Curve) -> bool:
        """Tell whether `best` will check a close-up, which may change the verdict on an answer's first moment.

        If so, the answer counts as being checked until `best` ends.
        """
        if not await self._close_up.is_wanted(answer.query, answer.moments[0], curve):
            return False
        self._checks[answer.id] = asyncio.Event()
        return True

    async def is_doubtful(self, query: Query, moment: Moment, curve: Curve) -> bool:
        """Tell whether a close-up may change the verdict on a moment."""
        return await self._close_up.is_wanted(query, moment, curve)

    def is_checking(self, answer_id: str) -> bool:
        """Tell whether the verdict on an answer may still change."""
        return answer_id in self._checks

    async def settled(self, answer_id: str) -> None:
        """Wait until it does not change any more."""
        if check := self._checks.get(answer_id):
            await check.wait()

    def end_check(self, answer_id: str) -> None:
        """Let go of an answer's check, if it has one: whoever waits for it goes on."""
        if check := self._checks.pop(answer_id, None):
            check.set()

    async def close_up(self, query: Query, moment: Moment, curve: Curve) -> Moment:
        """Check a doubtful verdict on a close-up; return the moment with its odds. Raises OperatorError."""
        async with self._one:
            await self._priority.idle()
            return await self._close_up.at(query, moment, curve)

    async def leading(self, query: Query, moments: Sequence[Moment], curve: Curve | None = None) -> tuple[Moment, ...]:
        """Return the moments with the best frame of the first one's video in the first of them, wherever in it that is.

        The others stay in their order. Where several texts are asked for, the first moment is refined by itself.
        """
        first = moments[0]
        if query.asked.form != "one":
            return (await self.moment(query, first, curve), *moments[1:])
        try:
            curve = curve or await self._searcher.curve(query, first.video_id)
            if curve is None:
                return tuple(moments)
            await asyncio.wait_for(self._one.acquire(), _PATIENCE_S)
            try:
                found = await self._finder.best(query, curve)
            finally:
                self._one.release()
            best, *others = led(moments, curve, found) if found else moments
            shots = await self._shots(query, best)
            return (await self._within_shot(best, shots, found.frames if found else None), *others)
        except (AppError, TimeoutError) as error:
            log.info("no extra frames of %s: %s", first.video_id, type(error).__name__)
            return tuple(moments)

    async def moment(self, query: Query, moment: Moment, curve: Curve | None = None) -> Moment:
        """Return a moment with its peak where it is highest; as it is where the video is gone or cannot be read.

        Of two moments in order both are refined, and stay in order.
        """
        try:
            curve = curve or await self._searcher.curve(query, moment.video_id)
            if curve is None:
                return moment
            async with self._one:
                if moment.then is None:
                    return await self._sharpened(query, moment, curve)
                first, then = ends(moment, moment.then)
                then = await self._sharpened(query, then, curve, after_s=first.peak_s)
                return paired(await self._sharpened(query, first, curve, before_s=then.peak_s), then)
        except AppError as error:
            log.info("no extra frames of %s: %s", moment.video_id, type(error).__name__)
            return moment

    async def moments(self, query: Query, moments: Iterable[Moment]) -> tuple[Moment, ...]:
        """Return all of them so, in their order."""
        return tuple([await self.moment(query, moment) for moment in moments])

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, answer: Answer, others: Sequence[Moment]) -> None:
        """Refine the moments that are not shown in the background, so that the buttons show them so."""
        if not others:
            return
        task = asyncio.create_task(self._rest(answer, others))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rest(self, answer: Answer, others: Sequence[Moment]) -> None:
        try:
            for known in others:
                await self._priority.lull()
                await self._remember(answer.id, known, await self.moment(answer.query, known))
        except Exception:
            log.exception("moments could not be refined")

    async def _keep(self, answer: Answer, moments: Sequence[Moment], number: int, *, untouched: bool) -> Answer | None:
        """Remember refined moments: in their new order, unless the answer is being browsed in the old one.

        Return the answer as it is remembered by now.
        """
        refined = moments[number - 1]
        known = [one for one in answer.moments if one not in moments]

        def change(stored: Answer) -> Answer:
            if untouched and stored.revision == answer.revision:
                since = dict(zip(answer.moments, stored.moments, strict=True))
                return revised(stored, [since.get(one, one) for one in moments])
            if len(known) == 1 and known[0].video_id == refined.video_id and _overlap(known[0], refined):
                return finer(stored, known[0], refined)
            return stored if refined.closer is None else judged_closer(stored, refined.video_id, refined.closer)

        return await self._library.amend_answer(answer.id, change)

    async def _remember(self, answer_id: str, known: Moment, refined: Moment) -> None:
        """Put a refined moment into the answer as it is remembered by now."""
        if refined != known:
            await self._library.amend_answer(answer_id, partial(finer, known=known, refined=refined))

    async def _sharpened(
        self, query: Query, moment: Moment, curve: Curve, after_s: float = -math.inf, before_s: float = math.inf
    ) -> Moment:
        """Return one moment so, with its peak within the open interval (after_s, before_s), and within one shot."""
        info, line, shots = await self._encoder.ready(), curve.of(moment.part), await self._shots(query, moment)
        around = gap(line, moment, info.logit_scale)
        seen = None
        if around is not None:
            around = replace(around, start_s=max(around.start_s, after_s), end_s=min(around.end_s, before_s))
            seen = await self._extra_frames.at(query, curve.video, around.times_s())
        if seen is None:
            return await self._within_shot(moment, shots, None)
        refined = sharpened(moment, seen.of(moment.part), shots[1] if shots else None)
        frames = None if seen.vectors is None else FrameIndex(seen.times_s, seen.vectors)
        return await self._within_shot(refined, shots, frames)

    async def _within_shot(self, moment: Moment, shots: _Shots | None, frames: FrameIndex | None) -> Moment:
        """Return a refined moment without what lies beyond a cut; `frames` were indexed beside those of the index."""
        if shots is None:
            return moment
        index, likeness = shots
        cuts = await asyncio.to_thread(cuts_around, moment, index.merged(frames) if frames else index, likeness)
        start_s = await self._extra_frames.cut(moment.video_id, *cuts.before) if cuts.before else moment.start_s
        end_s = await self._extra_frames.cut(moment.video_id, *cuts.after) if cuts.after else moment.end_s
        return replace(moment, start_s=start_s, end_s=end_s)

    async def _shots(self, query: Query, moment: Moment) -> _Shots | None:
        """Return what tells the shots of a moment's video apart, or None; raises OperatorError."""
        index = await self._searcher.index(query.view, moment.video_id)
        if index is None or len(index) < LEAST_FRAMES:
            return None
        return index, await asyncio.to_thread(Likeness, index.vectors)


def _overlap(one: Moment, other: Moment) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


def _judged_anew(curve: Curve, known: Moment, refined: Moment, info: EncoderInfo) -> bool:
    """Tell whether a close-up has changed what is said of a video, or of a moment."""
    before, after = seen_closer(curve, [known], info), seen_closer(curve, [refined], info)
    return (before.verdict, before.verdict_of(known)) != (after.verdict, after.verdict_of(known))
