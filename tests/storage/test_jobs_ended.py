"""What was written down and is outdone since, by forgetting or by an opposite press, is not done again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.ledger import Errand
from core.question import Stretch
from core.votes import Ballot
from storage.works import SqliteWorks
from tests.storage.ledgers import REQUEST, SCOPE, VIEW, WORK, Clock, born, clock, taken

__all__ = ["clock"]

if TYPE_CHECKING:
    from storage.library import SqliteLibrary
    from tests.storage.conftest import FilmMaker, PostingMaker


@pytest.mark.parametrize("forgetter", ["u1", None])
async def test_a_film_that_was_shown_and_not_noted_is_not_fetched_again_once_it_was_forgotten(
    library: SqliteLibrary, clock: Clock, make_film: FilmMaker, make_posting: PostingMaker, forgetter: str | None
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs)
    await SqliteWorks(library.connections).begin(job.id, WORK, "recipe")
    await library.save(make_film("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="77"), [])
    assert await library.forget("sha256:x", VIEW, forgetter)
    reborn = born(library, clock)
    assert await reborn.left("discord") == ()
    assert await reborn.accept(REQUEST) is None


async def test_what_somebody_else_waits_for_goes_on_where_one_person_takes_a_film_back(
    library: SqliteLibrary, clock: Clock, make_film: FilmMaker, make_posting: PostingMaker
) -> None:
    jobs = born(library, clock)
    job = await taken(jobs, replace(REQUEST, user_id="u2"))
    await SqliteWorks(library.connections).begin(job.id, WORK, "recipe")
    await library.save(make_film("sha256:x"), make_posting("sha256:x", scope=SCOPE, message="1"), [])
    assert await library.forget("sha256:x", VIEW, "u1")
    assert [one.id for one in await born(library, clock).left("discord")] == [job.id]


async def test_of_opposite_votes_the_one_that_was_written_down_last_stands(
    library: SqliteLibrary, clock: Clock, make_film: FilmMaker, make_posting: PostingMaker
) -> None:
    jobs = born(library, clock)
    await library.save(make_film("sha256:x"), make_posting("sha256:x", scope=SCOPE), [])
    up, down = [
        await taken(jobs, replace(REQUEST, errand=Errand(SCOPE, "", way), kind="press", source=f"vote:a:1:m:{way}"))
        for way in "ud"
    ]
    moment = Stretch("sha256:x", 0.0, 2.0)
    await library.vote(VIEW, [Ballot("a wish", moment, 1.0, "u1", -1)], down.ref)
    await library.vote(VIEW, [Ballot("a wish", moment, 1.0, "u1", 1)], up.ref)
    assert [vote.value for vote in await library.votes(VIEW, ["a wish"])] == [-1]
