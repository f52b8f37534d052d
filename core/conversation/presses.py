"""What a press under an answer does: it shows something of it, votes on a moment, or asks a question of its own."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, assert_never

from core.errors import AnswerGone, NotInOrder
from core.model import actions
from core.model.answer import Ballot, as_of, revised, term_keys, within
from core.model.query import Stretch
from core.model.results import nearest_within
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.answers.browser import Browser
    from core.concurrency import ForegroundPriority
    from core.conversation.channels import Invitations
    from core.conversation.questions import Questions
    from core.model.answer import Answer
    from core.model.events import Action, Turn
    from core.model.query import Query
    from core.model.reply import Reply
    from core.model.requests import JobRef
    from core.model.results import Moment, SearchResult
    from core.ports.library import Library
    from core.refinement.refiner import Refiner
    from core.search.searcher import Searcher

UnderAnswer: TypeAlias = actions.Show | actions.VoteAction | actions.Alike | actions.Refine | actions.Details


class PressHandler:
    """Carries out presses under answers."""

    def __init__(
        self,
        library: Library,
        searcher: Searcher,
        browser: Browser,
        refiner: Refiner,
        questions: Questions,
        invitations: Invitations,
        priority: ForegroundPriority,
        most_moments: int,
    ) -> None:
        self._library = library
        self._searcher = searcher
        self._browser = browser
        self._refiner = refiner
        self._questions = questions
        self._invitations = invitations
        self._priority = priority
        self._most_moments = most_moments

    async def press(self, event: Action, wish: UnderAnswer) -> AsyncIterator[Reply]:
        """Yield what a button asks for. Raises AppError: AnswerGone where the answer may not be seen there now."""
        self._refiner.presses.note(wish.answer_id)
        answer = await self._library.answer(wish.answer_id)
        if answer is None:
            raise AnswerGone
        revision = 0 if isinstance(wish, actions.Refine) else wish.revision
        mine, under_way = await self._allowed(as_of(answer, revision), event.turn)
        if not isinstance(wish, actions.Refine) and mine.moment(wish.number).video_id in under_way:
            yield replies.not_indexed_yet()
            return
        match wish:
            case actions.Show():
                shown = self._shown(event.turn, mine, wish)
            case actions.VoteAction():
                shown = self._voted(event.turn, mine, wish, event.job)
            case actions.Alike():
                shown = self._questions.alike(event.turn, mine, wish)
            case actions.Refine():
                shown = self._invited(event, mine)
            case actions.Details():
                shown = self._detailed(event.turn, mine, wish)
            case _:
                assert_never(wish)
        async for reply in shown:
            yield reply

    async def _allowed(self, answer: Answer, turn: Turn) -> tuple[Answer, set[str]]:
        """Narrow an answer to what may be seen there now; raises AnswerGone where that lacks any of its videos.

        Return with it the ids of those that are still being indexed.
        """
        narrowed = replace(answer, query=within(answer, turn))
        shown = {moment.video_id for moment in answer.moments}
        hidden = {one for one in shown if await self._library.posting(one, narrowed.query.view) is None}
        if hidden and hidden - {video.id for video, _ in await self._searcher.under_way(narrowed.query)}:
            raise AnswerGone
        return narrowed, hidden

    async def _shown(self, turn: Turn, answer: Answer, wish: actions.Show) -> AsyncIterator[Reply]:
        mark, is_provisional = self._refiner.presses.mark(answer.id), False
        with nullcontext() if wish.mode == "file" else self._priority.asking():
            async for reply in self._browser.show(turn, answer, wish):
                is_provisional = reply.provisional
                yield reply
        if not is_provisional:
            return
        await self._refiner.settled(answer.id)
        known = await self._library.answer(answer.id)
        if known is not None and not mark.has_passed:
            checked = replace(as_of(known, answer.revision), query=answer.query)
            async for reply in self._browser.show(turn, checked, wish):
                yield reply

    async def _invited(self, event: Action, answer: Answer) -> AsyncIterator[Reply]:
        await self._invitations.invite(event.turn.scope, event.turn.user_id, answer.id, event.under)
        yield replies.refining()

    async def _detailed(self, turn: Turn, answer: Answer, wish: actions.Details) -> AsyncIterator[Reply]:
        yield await self._browser.details(turn, answer, wish)

    async def _voted(
        self, turn: Turn, seen: Answer, wish: actions.VoteAction, job: JobRef | None
    ) -> AsyncIterator[Reply]:
        """Count a vote and rank the answer anew, for all; show it at what was voted up, or at what is best now.

        What it is ranked to be is refined after that, as a new answer is. `seen` is the answer as the voter saw it; a
        job votes once, however often it is begun.
        """
        mark = self._refiner.presses.mark(seen.id)
        moment = seen.moment(wish.number)
        await self._library.vote(seen.query.view, await self._ballots(seen.query, moment, turn.user_id, wish), job)
        result = await self._ranked(seen)
        moments = _still_closer(seen, result.moments) if result else seen.moments
        change = partial(revised, moments=moments)
        kept = await self._library.amend_answer(seen.id, change, result.curves if result else None)
        if kept is None:
            raise AnswerGone
        number = _number(moments, moment) if wish.is_up else 1
        show = actions.Show(seen.id, number, wish.style)
        ranked = replace(kept, query=seen.query)
        async for reply in self._browser.show(turn, ranked, show):
            yield reply
        better = await self._refiner.best(ranked, None, mark, number)
        if better is not None:
            async for reply in self._browser.show(turn, better, show):
                yield reply

    async def _ballots(self, query: Query, moment: Moment, user_id: str, wish: actions.VoteAction) -> list[Ballot]:
        """Return the votes on a moment; on a pair there is one for each of the two."""
        keys = term_keys(query)
        return [
            Ballot(
                keys[one.part],
                Stretch(one.video_id, one.start_s, one.end_s),
                await self._sampled(query, one),
                user_id,
                1 if wish.is_up else -1,
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

    async def _ranked(self, answer: Answer) -> SearchResult | None:
        try:
            return await self._searcher.search(answer.query, self._most_moments)
        except NotInOrder:  # what was voted down was all there is
            return None


def _still_closer(answer: Answer, moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """Return moments with what close-ups at their videos came to: such a verdict does not change with the order."""
    closer = {one.video_id: one.closer for one in answer.moments if one.closer is not None}
    return tuple(replace(one, closer=closer.get(one.video_id)) for one in moments)


def _number(moments: tuple[Moment, ...], known: Moment) -> int:
    """Return the number of the moment that shows what a known one did, or 1 where none does."""
    fitting = (
        number
        for number, one in enumerate(moments, 1)
        if (one.video_id, one.part) == (known.video_id, known.part) and one.start_s <= known.peak_s < one.end_s
    )
    return next(fitting, 1)
