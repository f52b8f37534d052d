"""People's votes on moments, and how they are counted. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model.query import Query, Stretch, Term
    from core.model.results import Moment

Value: TypeAlias = Literal[-1, 1]


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's vote on a moment that was found for a wish."""

    wish: str
    """Of `wish_key`."""
    moment: Stretch
    at_s: float
    """The moment's best look when the vote was cast."""
    user_id: str
    value: Value


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote, without the voter."""

    wish: str
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


def wish_keys(query: Query) -> tuple[str, ...]:
    """Give the key of each wish of a question, under which votes count: the same for all who ask for the same."""
    picture = query.picture.data if query.picture else b""
    return tuple(_key(wish, picture) for wish in query.asked.wishes)


def tally(votes: Iterable[Vote], wish: str, moment: Moment) -> Tally:
    """Count the votes on a moment that was found for a wish, and all there are."""
    known = list(votes)
    here = Counter(vote.value for vote in known if vote.wish == wish and _is_on(vote, moment))
    return Tally(here[1], here[-1], len(known))


def sums(votes: Iterable[Vote], wish: str) -> dict[tuple[str, float], int]:
    """Give for each video and time that were voted on for a wish the votes up less those down; nothing where even."""
    counted: Counter[tuple[str, float]] = Counter()
    for vote in votes:
        if vote.wish == wish:
            counted[vote.video_id, vote.at_s] += vote.value
    return {place: total for place, total in counted.items() if total}


def _is_on(vote: Vote, moment: Moment) -> bool:
    return vote.video_id == moment.video_id and moment.start_s <= vote.at_s < moment.end_s


def _key(wish: Term, picture: bytes) -> str:
    """Give a digest: what people ask for is theirs, and need not be read where votes are kept."""
    return hashlib.sha256(wish.key.encode() + b"\0" + picture).hexdigest()[:32]
