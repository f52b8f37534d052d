"""From what somebody typed to a query: filters, refinements, pictures, and which video a name means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import (
    AmbiguousVideo,
    AnswerGone,
    NothingToRefine,
    NotUnderstood,
    UnknownChannel,
    UnknownPoster,
    UnknownVideo,
)
from core.model import filters
from core.model import query as asking
from core.model.query import Example, Posted, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from core.model.answer import Answer
    from core.model.events import Find, Turn
    from core.model.filters import Filters
    from core.model.video import PostedVideo, View
    from core.ports.library import Library


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


_LEAST_PREFIX = 4


def names(posted: Sequence[PostedVideo]) -> Mapping[str, str]:
    """Return by its id the name that each video is shown under and can be asked for by.

    That is its title; of several with one title each has a number behind it, the one that was posted first "(1)".
    """
    same = Counter(one.video.title.casefold() for one in posted)
    counted: Counter[str] = Counter()
    called = {}
    for one in reversed(posted):
        title = one.video.title
        counted[title.casefold()] += 1
        called[one.video.id] = f"{title} ({counted[title.casefold()]})" if same[title.casefold()] > 1 else title
    return called


def pick(posted: Sequence[PostedVideo], name: str) -> PostedVideo:
    """Give the video that goes by that id, title or name (see `names`), or by a part of one that fits no other.

    `posted` is newest first. Raises UnknownVideo, AmbiguousVideo.
    """
    wanted = name.strip().casefold()
    called = names(posted)
    for fits in _ways(wanted, called):
        hits = [one for one in posted if fits(one)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise AmbiguousVideo(name, tuple(called[hit.video.id] for hit in hits))
    raise UnknownVideo(name)


def _ways(wanted: str, called: Mapping[str, str]) -> tuple[Callable[[PostedVideo], bool], ...]:
    """From the strictest to the most lenient."""
    return (
        lambda one: one.video.id.casefold() == wanted,
        lambda one: one.video.title.casefold() == wanted,
        lambda one: called[one.video.id].casefold() == wanted,
        lambda one: len(wanted) >= _LEAST_PREFIX and _short_id(one).startswith(wanted),
        lambda one: bool(wanted) and wanted in one.video.title.casefold(),
    )


def _short_id(one: PostedVideo) -> str:
    return one.video.id.casefold().removeprefix("sha256:")
