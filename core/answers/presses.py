"""What a press does to an answer, other than showing it: votes on a moment, and "More like this"."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.errors import AnswerGone, NotInOrder
from core.model import actions
from core.model.answer import Ballot, revised, wish_keys
from core.model.query import Query, Stretch
from core.model.results import nearest_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.answers.browser import Browser
    from core.model.answer import Answer
    from core.model.events import Turn
    from core.model.reply import Reply
    from core.model.requests import JobRef
    from core.model.results import Moment, SearchResult
    from core.ports.library import Library
    from core.refinement.extra_frames import Examples
    from core.refinement.refiner import Refiner
    from core.search.searcher import Searcher


class Presser:
    """Takes votes, and makes questions of moments."""

    def __init__(
        self,
        library: Library,
        searcher: Searcher,
        browser: Browser,
        refiner: Refiner,
        examples: Examples,
        most_moments: int,
    ) -> None:
        self._library = library
        self._searcher = searcher
        self._browser = browser
        self._refiner = refiner
        self._examples = examples
        self._most = most_moments

    async def vote(
        self, turn: Turn, seen: Answer, wish: actions.VoteAction, job: JobRef | None = None
    ) -> AsyncIterator[Reply]:
        """Count a vote and rank the answer anew, for all; show it at what was voted up, or at what is best now.

        What it is ranked to be is refined after that, as a new answer is. `seen` is the answer as whoever votes saw
        it, and may see it; a job votes once, however often it is begun. Raises AnswerGone, OperatorError.
        """
        presses = self._refiner.presses(seen.id)
        moment = _moment(seen, wish.number)
        ballots = await self._ballots(seen.query, moment, turn.user_id, is_up=wish.is_up)
        await self._library.vote(seen.query.view, ballots, job)
        moments, result = await self._ranked(seen)
        curves = result.curves if result else None
        kept = await self._library.amend_answer(seen.id, partial(revised, moments=moments), curves)
        if kept is None:
            raise AnswerGone
        number = _number(moments, moment) if wish.is_up else 1
        show = actions.Show(seen.id, number, wish.style)
        ranked = replace(kept, query=seen.query)
        async for reply in self._browser.show(turn, ranked, show):
            yield reply
        better = await self._refiner.best(ranked, None, number, presses)
        if better is not None:
            async for reply in self._browser.show(turn, better, show):
                yield reply

    async def _ballots(self, query: Query, moment: Moment, user_id: str, *, is_up: bool) -> list[Ballot]:
        """Return the votes on a moment; on a pair there is one for each of the two."""
        wishes = wish_keys(query)
        return [
            Ballot(
                wishes[one.part],
                Stretch(one.video_id, one.start_s, one.end_s),
                await self._sampled(query, one),
                user_id,
                1 if is_up else -1,
            )
            for one in (moment, moment.then)
            if one is not None
        ]

    async def _sampled(self, query: Query, moment: Moment) -> float:
        """Return the time of the embedding that a vote on a moment is about: one within it, not one beyond a cut."""
        index = await self._searcher.index(query.view, moment.video_id)
        if index is None:
            return moment.peak_s
        time_s = float(index.times_s[nearest_within(index.times_s, moment, moment.peak_s)])
        return time_s if moment.start_s <= time_s < moment.end_s else moment.peak_s

    async def _ranked(self, answer: Answer) -> tuple[tuple[Moment, ...], SearchResult | None]:
        try:
            result = await self._searcher.search(answer.query, self._most)
        except NotInOrder:  # what was voted down was all there is
            return answer.moments, None
        # A closer look was at a video, whatever the order of its moments: its verdict does not come and go with votes.
        closer = {one.video_id: one.closer for one in answer.moments if one.closer is not None}
        return tuple(replace(one, closer=closer.get(one.video_id)) for one in result.moments), result

    async def alike(self, answer: Answer, wish: actions.Alike) -> Query:
        """Give the question for more like a moment, or like a frame of its video, in the same view.

        Raises AnswerGone, OperatorError.
        """
        moment = _moment(answer, wish.number)
        at_s = moment.peak_s if wish.at_ms is None else wish.at_ms / 1000
        start_s, end_s = min(moment.start_s, at_s), max(moment.end_s, at_s)
        source = Stretch(moment.video_id, start_s, end_s)
        return Query("", answer.query.view, picture=await self._examples.at(answer.query.view, source, at_s))


def _moment(answer: Answer, number: int) -> Moment:
    if not 1 <= number <= len(answer.moments):
        raise AnswerGone
    return answer.moments[number - 1]


def _number(moments: tuple[Moment, ...], known: Moment) -> int:
    """Give the number of the moment that shows what a known one did, or 1 where none does."""
    fitting = (
        number
        for number, one in enumerate(moments, 1)
        if (one.video_id, one.part) == (known.video_id, known.part) and one.start_s <= known.peak_s < one.end_s
    )
    return next(fitting, 1)
