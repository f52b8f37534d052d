"""From what somebody typed to a query. Owns what filters and refinements come to; must not search or say anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core import asking, filters
from core.errors.asking import AnswerGone, NothingToRefine, NotUnderstood, UnknownChannel, UnknownPoster, UnknownVideo
from core.found import Query
from core.naming import pick
from core.question import Posted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.filters import Filters
    from core.found import Answer
    from core.model import View
    from core.ports import Library
    from core.question import Example
    from core.talk import Find, Turn

_ME = "me"
_HERE = "here"


class Inquiry:
    """Makes queries."""

    def __init__(self, library: Library, now: Callable[[], datetime]) -> None:
        self._library = library
        self._now = now

    async def query(self, event: Find, picture: Example | None = None) -> Query:
        """Give the query that somebody's words ask for, with the picture that came with them.

        Raises UnknownVideo, AmbiguousVideo, UnknownChannel, UnknownPoster, NotUnderstood, NothingToRefine, AnswerGone.
        """
        last = await self._last(event)
        if last is None:
            return _clear(await self._fresh(event, picture))
        added = await self._fresh(replace(event, text=_added(event)), picture)
        asked = _clear(_refined(within(last, event.turn), added))
        return replace(asked, view=added.view) if event.filters.channel else asked

    async def _last(self, event: Find) -> Answer | None:
        """Give the answer whose question is refined, or None for a question of its own."""
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


def within(answer: Answer, turn: Turn) -> Query:
    """Narrow an answer's question to what somebody may see; raises AnswerGone where it does not belong."""
    view, theirs = answer.query.view, turn.view
    channels = view.channels & theirs.channels
    if answer.scope != turn.scope or (view.platform, view.space) != (theirs.platform, theirs.space) or not channels:
        raise AnswerGone
    return replace(answer.query, view=replace(view, channels=channels))


def _clear(query: Query) -> Query:
    """Return a question as it is; raises NotUnderstood where a mark in it means nothing."""
    if doubt := asking.unclear(query.text):
        raise NotUnderstood(*doubt)
    return query


def _added(event: Find) -> str:
    added = asking.refinement(event.text)
    return event.text if added is None else added


def _refined(last: Query, added: Query) -> Query:
    """Give the last question with what was added to it; filters and pictures stay where none came new."""
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
    """Give the view, narrowed to the channel that `in:` names; raises UnknownChannel."""
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
