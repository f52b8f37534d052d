"""What comes of one person's presses: what would have come of them in order, whatever order they are counted in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pytest

from core.errors import AnswerGone
from core.model.answer import Ballot
from core.model.query import Stretch
from core.model.requests import MessageKey
from storage import answers
from storage.library import SqliteLibrary
from tests.support.ledgers import REQUEST, SCOPE, VIEW, Clock, born, clock, taken

__all__ = ["clock"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import aiosqlite

    from core.model.answer import Value
    from core.model.requests import JobRef
    from tests.storage.conftest import PostingMaker, VideoMaker

VIDEO, WISH = "sha256:x", "a wish"
UP: Final = 1
DOWN: Final = -1
WAYS: tuple[Value, ...] = (UP, DOWN)


@dataclass(frozen=True)
class Press:
    value: Value
    start_s: float = 0.0
    end_s: float = 2.0
    at_s: float = 1.0

    def ballot(self, who: str) -> Ballot:
        return Ballot(WISH, Stretch(VIDEO, self.start_s, self.end_s), self.at_s, who, self.value)


Case: TypeAlias = "tuple[tuple[Press, ...], tuple[int, ...]]"
CUTS = ((0.0, 2.0, 1.0), (2.0, 4.0, 3.0), (0.0, 4.0, 1.0), (0.0, 4.0, 3.0), (1.0, 3.0, 2.0))
"""Moments as they may be cut anew between two presses."""


def in_order(presses: Sequence[Press]) -> dict[float, int]:
    """Return what one person has voted for each time, by the rule as people know it."""
    stand: dict[float, int] = {}
    for press in presses:
        before = {at_s for at_s in stand if press.start_s <= at_s < press.end_s}
        is_same = press.value in {stand.pop(at_s) for at_s in before}
        stand |= {} if is_same else {press.at_s: press.value}
    return stand


def orders_of_one_moment() -> Iterator[Case]:
    """Return all ways to press four times, in all orders; those of fewer presses are how these begin."""
    for ways in product(WAYS, repeat=4):
        for order in permutations(range(4)):
            yield tuple(Press(way) for way in ways), order


def orders_of_moments_cut_anew() -> Iterator[Case]:
    """Return some of those under which the moment is another one each time."""
    rng = np.random.default_rng(6)
    for _ in range(120):
        ways, cuts = rng.integers(len(WAYS), size=4), rng.integers(len(CUTS), size=4)
        presses = tuple(Press(WAYS[way], *CUTS[cut]) for way, cut in zip(ways, cuts, strict=True))
        yield presses, tuple(rng.permutation(4).tolist())


async def jobs_of(library: SqliteLibrary, clock: Clock, count: int) -> list[JobRef]:
    """Write presses down."""
    asked = replace(REQUEST, kind="press", source="vote:a:1:m:u")
    numbered = [replace(asked, key=MessageKey(SCOPE, "", f"press {number}")) for number in range(count)]
    return [(await taken(born(library, clock), request)).ref for request in numbered]


async def stand(db: aiosqlite.Connection, who: str) -> dict[float, int]:
    found = await db.execute_fetchall("SELECT at_s, value FROM votes WHERE user_id = ?", (who,))
    return dict(map(tuple, found))


@pytest.fixture
async def voted(library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker) -> SqliteLibrary:
    """A library with a video that can be voted on."""
    await library.save(make_video(VIDEO), make_posting(VIDEO, scope=SCOPE), [])
    return library


@pytest.mark.slow
@pytest.mark.parametrize("cases", [orders_of_one_moment, orders_of_moments_cut_anew])
async def test_presses_come_to_the_same_in_whatever_order_they_are_counted(
    voted: SqliteLibrary, clock: Clock, cases: Callable[[], Iterator[Case]]
) -> None:
    jobs = await jobs_of(voted, clock, 4)
    async with voted.connections.writing() as db:
        for number, (presses, order) in enumerate(cases()):
            await db.execute("UPDATE jobs SET done_once = 0")
            who = f"u{number}"
            for reached, one in enumerate(order, 1):
                await answers.cast(db, VIEW, [presses[one].ballot(who)], jobs[one])
                counted = [presses[known] for known in sorted(order[:reached])]
                assert await stand(db, who) == in_order(counted), (counted, order[:reached])


async def test_a_vote_left_at_a_kill_counts_before_those_that_came_after_it(
    voted: SqliteLibrary, clock: Clock, tmp_path: Path
) -> None:
    up, down, again = await jobs_of(voted, clock, 3)
    await voted.vote(VIEW, [Press(DOWN).ballot("u1")], down)
    await voted.vote(VIEW, [Press(UP).ballot("u1")], again)
    await voted.close()
    reborn = await SqliteLibrary.open(tmp_path / "keaton.db")
    await reborn.vote(VIEW, [Press(UP).ballot("u1")], up)
    await reborn.vote(VIEW, [Press(UP).ballot("u1")], up)
    found = await reborn.votes(VIEW, [WISH])
    await reborn.close()
    assert [vote.value for vote in found] == [UP]


async def test_votes_of_others_and_on_other_wishes_stand_as_they_are(voted: SqliteLibrary, clock: Clock) -> None:
    first, second, third = await jobs_of(voted, clock, 3)
    other = replace(Press(UP).ballot("u1"), term="another")
    await voted.vote(VIEW, [Press(UP).ballot("u2")], second)
    await voted.vote(VIEW, [Press(DOWN).ballot("u1"), other], third)
    await voted.vote(VIEW, [Press(DOWN).ballot("u1")], first)
    found = [(vote.term, vote.value) for vote in await voted.votes(VIEW, [WISH, "another"])]
    assert sorted(found) == [(WISH, DOWN), (WISH, UP), ("another", UP)]


async def test_a_vote_that_nobody_wrote_down_counts_when_it_comes(voted: SqliteLibrary, clock: Clock) -> None:
    older, newer = await jobs_of(voted, clock, 2)
    await voted.vote(VIEW, [Press(UP).ballot("u1")], newer)
    await voted.vote(VIEW, [Press(DOWN).ballot("u1")])
    await voted.vote(VIEW, [Press(DOWN).ballot("u1")], older)
    assert await voted.votes(VIEW, [WISH]) == ()


async def test_a_vote_that_is_done_again_brings_back_nothing_that_was_forgotten(
    voted: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    older, newer = await jobs_of(voted, clock, 2)
    await voted.vote(VIEW, [Press(UP).ballot("u1")], newer)
    assert await voted.forget(VIDEO, VIEW)
    with pytest.raises(AnswerGone):
        await voted.vote(VIEW, [Press(UP).ballot("u1")], older)
    await voted.save(make_video(VIDEO), make_posting(VIDEO, scope=SCOPE, message="again"), [])
    assert await voted.votes(VIEW, [WISH]) == ()
    assert await voted.connections.rows("SELECT 1 FROM ballots", {}) == []


async def test_given_a_video_not_posted_yet_when_voted_on_then_it_counts_later(
    library: SqliteLibrary, clock: Clock, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    (job,) = await jobs_of(library, clock, 1)
    with pytest.raises(AnswerGone):
        await library.vote(VIEW, [Press(UP).ballot("u1")], job)
    await library.save(make_video(VIDEO), make_posting(VIDEO, scope=SCOPE), [])
    await library.vote(VIEW, [Press(UP).ballot("u1")], job)
    assert [vote.value for vote in await library.votes(VIEW, [WISH])] == [UP]


async def test_what_a_press_voted_is_known_as_long_as_the_press(voted: SqliteLibrary, clock: Clock) -> None:
    jobs = born(voted, clock)
    older, newer = await jobs_of(voted, clock, 2)
    await voted.vote(VIEW, [Press(UP).ballot("u1")], newer)
    await jobs.settle(newer.id)
    clock.now_s += 2 * 86400
    await jobs.needed()
    await voted.vote(VIEW, [Press(DOWN).ballot("u1")], older)
    assert [vote.value for vote in await voted.votes(VIEW, [WISH])] == [UP]
    await jobs.settle(older.id)
    clock.now_s += 2 * 86400
    await jobs.needed()
    assert await voted.connections.rows("SELECT 1 FROM ballots", {}) == []
    assert [vote.value for vote in await voted.votes(VIEW, [WISH])] == [UP]
