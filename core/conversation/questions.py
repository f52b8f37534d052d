"""From a question to its answer: which query is meant, what is found, and how it is shown.

An answer is shown first and refined after; it is shown again where its frame or its verdict has become another.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from core.errors import AnswerGone, NothingToRefine, NotUnderstood, UnknownChannel, UnknownPoster, UnknownVideo
from core.model import actions, filters
from core.model import query as asking
from core.model.answer import Answer, within
from core.model.query import Posted, Query, Stretch
from core.model.reply import Progress
from core.model.video import pick
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from core.answers.browser import Browser
    from core.concurrency import ForegroundPriority
    from core.indexing.reindex import Renewal
    from core.model.events import Find, Turn
    from core.model.filters import Filters
    from core.model.query import Example
    from core.model.reply import Reply
    from core.model.video import View
    from core.ports.library import Encoder, Library
    from core.ports.metrics import Watch
    from core.rate_limit import RateLimit
    from core.refinement.extra_frames import Examples
    from core.refinement.refiner import Refiner
    from core.search.searcher import Searcher

_MOST_NOTES: Final = 3


class Questions:
    """Answers questions in words, with pictures, and for more like a moment."""

    def __init__(
        self,
        inquiry: Inquiry,
        renewal: Renewal,
        searcher: Searcher,
        maker: AnswerMaker,
        encoder: Encoder,
        rate_limit: RateLimit,
        priority: ForegroundPriority,
    ) -> None:
        self._inquiry = inquiry
        self._renewal = renewal
        self._searcher = searcher
        self._maker = maker
        self._encoder = encoder
        self._rate_limit = rate_limit
        self._priority = priority

    async def find(self, event: Find) -> AsyncIterator[Reply]:
        """Yield what is told while videos are indexed for the present model, then the answer. Raises AppError."""
        turn = event.turn
        self._rate_limit.start(turn)
        if not self._encoder.loaded:
            yield replies.working(Progress("loading", None))
        with self._priority.asking():
            query = await self._inquiry.query(event)
            stale = await self._renewal.stale(query)
            is_ready = await self._searcher.can_answer(query)
        if is_ready:
            self._renewal.start(stale)
        else:
            async for posted, progress in self._renewal.until_one(stale):
                yield replies.renewing(posted.video, progress)
            stale = await self._renewal.stale(query)
        async for reply in self._maker.of(query, turn, len(stale)):
            yield reply

    async def alike(self, turn: Turn, answer: Answer, wish: actions.Alike) -> AsyncIterator[Reply]:
        """Yield the answer to "More like this", as a message of its own. Raises AppError."""
        self._rate_limit.press(turn)
        async for reply in self._maker.of(await self._inquiry.alike(answer, wish), turn):
            yield reply


class AnswerMaker:
    """Makes answers: searches, remembers, shows and refines."""

    def __init__(
        self,
        library: Library,
        searcher: Searcher,
        browser: Browser,
        refiner: Refiner,
        priority: ForegroundPriority,
        watch: Watch,
        most_moments: int,
    ) -> None:
        self._library = library
        self._searcher = searcher
        self._browser = browser
        self._refiner = refiner
        self._priority = priority
        self._watch = watch
        self._most_moments = most_moments

    async def of(self, query: Query, turn: Turn, left_out: int = 0) -> AsyncIterator[Reply]:
        """Yield the answer to a query, and once more where refining it changed what it shows. Raises AppError.

        `left_out` videos are yet to be indexed for the present model.
        """
        answer_id = secrets.token_urlsafe(12)
        try:
            with self._priority.asking():
                under_way = await self._searcher.under_way(query)
                with self._watch.stage("search"):
                    result = await self._searcher.search(query, self._most_moments)
                answer = Answer(answer_id, query, turn.scope, result.moments, turn.user_id)
                mark = self._refiner.presses.mark(answer_id)
                await self._library.save_answer(answer, result.curves)
                notes = [replies.so_far(*video) for video in under_way[:_MOST_NOTES]]
                notes += [replies.still_renewing(left_out)] if left_out else []
                notes += [replies.from_storage(result.from_storage)] if result.from_storage else []
                await self._refiner.begin_check(answer, result.curve)
                wish, note = actions.Show(answer_id, 1), "\n".join(notes)
                first = await self._browser.first(turn, answer, wish, result, note)
            yield first
            better = await self._refiner.best(answer, result.curve, mark)
        finally:  # an answer that could not be drawn or shown is not checked, and nobody may wait for it
            self._refiner.end_check(answer_id)
        if better is not None:
            yield await self._browser.first(turn, better, wish, result, note)


_ME = "me"
_HERE = "here"


class Inquiry:
    """Makes queries: of words and filters, of pictures, and of moments of answers."""

    def __init__(self, library: Library, examples: Examples, now: Callable[[], datetime]) -> None:
        self._library = library
        self._examples = examples
        self._now = now

    async def query(self, event: Find) -> Query:
        """Return the query that words ask for, with the picture that came with them.

        Raises UnknownVideo, AmbiguousVideo, UnknownChannel, UnknownPoster, NotUnderstood, NothingToRefine, AnswerGone,
        and what `Examples.of` raises.
        """
        picture = await self._examples.of(event.picture) if event.picture else None
        last = await self._last(event)
        if last is None:
            return _clear(await self._fresh(event, picture))
        added = await self._fresh(replace(event, text=_added(event)), picture)
        asked = _clear(_refined(within(last, event.turn), added))
        return replace(asked, view=added.view) if event.filters.channel else asked

    async def alike(self, answer: Answer, wish: actions.Alike) -> Query:
        """Return the query for more like a moment, or like a frame of its video, in the same view.

        Raises AnswerGone, OperatorError.
        """
        moment = answer.moment(wish.number)
        at_s = moment.peak_s if wish.at_ms is None else wish.at_ms / 1000
        source = Stretch(moment.video_id, min(moment.start_s, at_s), max(moment.end_s, at_s))
        return Query("", answer.query.view, picture=await self._examples.at(answer.query.view, source, at_s))

    async def _last(self, event: Find) -> Answer | None:
        """Return the answer whose question is refined, or None for a question of its own."""
        if event.refines:
            answer = await self._library.answer(event.refines)
            if answer is None:
                raise AnswerGone
            return answer
        if asking.refinement(event.text) is None:
            return None
        answer = await self._library.last_answer(event.turn.scope, event.turn.user_id)
        if answer is None:
            raise NothingToRefine
        return answer

    async def _fresh(self, event: Find, picture: Example | None) -> Query:
        view = _view(event)
        video_id = pick(await self._library.videos(view), _name(event.video)).video.id if event.video else None
        posted = await self._posted(event.turn, view, event.filters)
        return Query(event.text, view, video_id, picture, posted)

    async def _posted(self, turn: Turn, view: View, written: Filters) -> Posted:
        by = await self._posters(turn, view, written.poster) if written.poster else frozenset[str]()
        return Posted(by, self._since("after", written.after), self._since("before", written.before))

    def _since(self, name: str, word: str) -> datetime | None:
        if not word:
            return None
        try:
            return filters.since(word, self._now())
        except ValueError as error:
            raise NotUnderstood(f"{name}:{word}", "date") from error

    async def _posters(self, turn: Turn, view: View, name: str) -> frozenset[str]:
        if name.casefold() == _ME:
            return frozenset({turn.user_id})
        wanted = name.casefold()
        known = await self._library.posters(view)
        for fits in (str.__eq__, str.startswith):
            found = frozenset(one for one, called in known if one == name or fits(called.casefold(), wanted))
            if found:
                return found
        raise UnknownPoster(name)


def _clear(query: Query) -> Query:
    """Return a question as it is; raises NotUnderstood where a mark in it means nothing."""
    if doubt := asking.unclear(query.text):
        raise NotUnderstood(*doubt)
    return query


def _added(event: Find) -> str:
    added = asking.refinement(event.text)
    return event.text if added is None else added


def _refined(last: Query, added: Query) -> Query:
    """Return the last question with what was added to it; filters and pictures stay where none came new."""
    return replace(
        last,
        text=asking.refined(last.text, added.text),
        video_id=added.video_id or last.video_id,
        picture=added.picture or last.picture,
        posted=Posted(
            added.posted.by or last.posted.by,
            added.posted.after or last.posted.after,
            added.posted.before or last.posted.before,
        ),
    )


def _view(event: Find) -> View:
    """Return the view, narrowed to the channel that `in:` names; raises UnknownChannel."""
    name, view = event.filters.channel.casefold(), event.turn.view
    if not name or name == _HERE:
        return replace(view, channels=frozenset({event.turn.scope.channel})) if name else view
    called = {channel for channel, known in event.rooms if name in {channel.casefold(), known.casefold()}}
    named = called or {channel for channel in view.channels if channel.casefold() == name}
    if not named:
        raise UnknownChannel(event.filters.channel)
    return replace(view, channels=frozenset(named))


def _name(name: str) -> str:
    if not name.strip():
        raise UnknownVideo("")
    return name
