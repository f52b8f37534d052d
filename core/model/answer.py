"""An answer as it is remembered, with each order that its moments stood in, and people's votes on moments. Pure.

A button means a moment in the order that it was drawn with; a vote or a better frame may have changed the order since.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from core.errors import AnswerGone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.model.events import Turn
    from core.model.query import Query, Stretch, Term
    from core.model.reply import LivePlot, Theme
    from core.model.results import Curve, Moment
    from core.model.video import Scope, Still


@dataclass(frozen=True, slots=True, eq=False)
class AnswerView:
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
    plot: LivePlot | None = None
    """The same plot as figures, without what its clicks lead to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A search result as it is remembered, so that its buttons work after a restart."""

    id: str
    query: Query
    scope: Scope
    """Where it was shown."""
    moments: tuple[Moment, ...]
    asked_by: str = ""
    """User id of the asker."""
    revision: int = 0
    """How often its moments came to stand in another order."""
    earlier: tuple[tuple[Moment, ...], ...] = ()
    """The orders before, newest last, as far as they are remembered."""

    def moment(self, number: int) -> Moment:
        """Return the moment with a number, from 1; raises AnswerGone where there is none."""
        if not 1 <= number <= len(self.moments):
            raise AnswerGone
        return self.moments[number - 1]


ASIDE_S = 0.5
"""A frame that is further off is another one to people."""
MOST_EARLIER: Final = 20
"""Each redraws the message, unless people browse there: older orders stand nowhere any more."""


def revised(answer: Answer, moments: Sequence[Moment]) -> Answer:
    """Return an answer with these moments: as a new revision, unless each number means to people what it meant."""
    now = replace(answer, moments=tuple(moments))
    if len(now.moments) == len(answer.moments) and all(map(_is_same, now.moments, answer.moments)):
        return now
    earlier = (*answer.earlier, answer.moments)[-MOST_EARLIER:]
    return replace(now, revision=answer.revision + 1, earlier=earlier)


def finer(answer: Answer, known: Moment, refined: Moment) -> Answer:
    """Return an answer with a moment indexed further, where it stands by now and where it stood."""

    def with_it(moments: Sequence[Moment]) -> tuple[Moment, ...]:
        return tuple(refined if one == known else one for one in moments)

    return replace(answer, moments=with_it(answer.moments), earlier=tuple(map(with_it, answer.earlier)))


def judged_closer(answer: Answer, video_id: str, odds: float) -> Answer:
    """Return an answer whose moments of a video know what a close-up at it came to, as odds."""

    def with_it(moments: Sequence[Moment]) -> tuple[Moment, ...]:
        return tuple(replace(one, closer=odds) if one.video_id == video_id else one for one in moments)

    return replace(answer, moments=with_it(answer.moments), earlier=tuple(map(with_it, answer.earlier)))


def as_of(answer: Answer, revision: int) -> Answer:
    """Return an answer as it stood in that revision; raises AnswerGone where that is not known any more."""
    ago = answer.revision - revision
    if ago == 0:
        return answer
    if not 0 < ago <= len(answer.earlier):
        raise AnswerGone
    return replace(answer, moments=answer.earlier[-ago], revision=revision, earlier=answer.earlier[:-ago])


def within(answer: Answer, turn: Turn) -> Query:
    """Narrow an answer's question to what a turn may see; raises AnswerGone where it does not belong."""
    view, theirs = answer.query.view, turn.view
    channels = view.channels & theirs.channels
    if answer.scope != turn.scope or (view.platform, view.space) != (theirs.platform, theirs.space) or not channels:
        raise AnswerGone
    return replace(answer.query, view=replace(view, channels=channels))


def _is_same(one: Moment | None, other: Moment | None) -> bool:
    """Tell whether two moments are the same to people; of pairs both must be."""
    if one is None or other is None:
        return one is other
    same_place = (one.video_id, one.part) == (other.video_id, other.part)
    return same_place and abs(one.peak_s - other.peak_s) <= ASIDE_S and _is_same(one.then, other.then)


Value: TypeAlias = Literal[-1, 1]


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's vote on a moment that was found for a term."""

    term: str
    """Of `term_keys`."""
    moment: Stretch
    at_s: float
    """The moment's best frame when the vote was cast."""
    user_id: str
    value: Value


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote, without the voter."""

    term: str
    video_id: str
    at_s: float
    value: Value


@dataclass(frozen=True, slots=True)
class Tally:
    """How people voted, as a card tells it."""

    ups: int = 0
    """For the moment that is shown."""
    downs: int = 0
    total: int = 0
    """For all moments of the question, in view."""


def term_keys(query: Query) -> tuple[str, ...]:
    """Return the key of each term of a query, under which votes count: the same for all who ask for the same."""
    picture = query.picture.data if query.picture else b""
    return tuple(_key(term, picture) for term in query.asked.terms)


def tally(votes: Iterable[Vote], term: str, moment: Moment) -> Tally:
    """Count the votes on a moment that was found for a term, and all there are."""
    known = list(votes)
    here = Counter(vote.value for vote in known if vote.term == term and _is_on(vote, moment))
    return Tally(here[1], here[-1], len(known))


def sums(votes: Iterable[Vote], term: str) -> dict[tuple[str, float], int]:
    """Return for each video and time that were voted on for a term the votes up less those down; nothing where even."""
    counted: Counter[tuple[str, float]] = Counter()
    for vote in votes:
        if vote.term == term:
            counted[vote.video_id, vote.at_s] += vote.value
    return {place: total for place, total in counted.items() if total}


def _is_on(vote: Vote, moment: Moment) -> bool:
    return vote.video_id == moment.video_id and moment.start_s <= vote.at_s < moment.end_s


def _key(term: Term, picture: bytes) -> str:
    """Return a digest: what people ask for is theirs, and need not be read where votes are kept."""
    return hashlib.sha256(term.key.encode() + b"\0" + picture).hexdigest()[:32]
