"""What everybody in one channel can read for certain, whatever roles they have."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.walls.eyes import Eyes
from tests.walls.spaces import ADMIN, CONNECT, HISTORY, VIEW, Person, Room, Server

if TYPE_CHECKING:
    from collections.abc import Mapping

CREW, STAFF = 7001, 7002
EYES = Eyes()
ANY = 0
"""In the place of the server's own id, which is not known yet."""

bits = st.integers(0, 7).map(lambda n: VIEW * (n & 1) | HISTORY * (n >> 1 & 1) | ADMIN * (n >> 2 & 1))
some = st.sampled_from([0, VIEW, HISTORY, VIEW | HISTORY])
exceptions = st.dictionaries(
    st.sampled_from([ANY, CREW, STAFF, 5]),
    st.tuples(some, some).map(lambda pair: (pair[0], pair[1] & ~pair[0])),
    max_size=3,
)


def server(
    here: Mapping[int, tuple[int, int]],
    there: Mapping[int, tuple[int, int]],
    roles: Mapping[int, int] | None = None,
    kind: str = "text",
) -> Server:
    rooms = [Room("here"), Room("there", kind)]  # type: ignore[arg-type]
    made = Server("A", [Person("Ada"), Person("Bob")], rooms, dict(roles or {CREW: 0, STAFF: 0}))
    names = {ANY: made.id, 5: made.people[0].id}
    for room, told in zip(rooms, (here, there), strict=True):
        room.exceptions |= {names.get(who, who): bits for who, bits in told.items()}
    return made


def open_from(made: Server) -> bool:
    """Tell whether a public answer in the first channel may draw on the second."""
    turn, is_private = EYES.asked(made, made.people[1], made.rooms[0], "this server")
    return not is_private and str(made.rooms[1].id) in turn.view.channels


@pytest.mark.parametrize(
    ("here", "there", "is_open"),
    [
        ({}, {}, True),
        ({}, {ANY: (0, VIEW)}, False),
        ({ANY: (0, VIEW), STAFF: (VIEW, 0)}, {}, True),
        ({ANY: (0, VIEW), STAFF: (VIEW, 0)}, {ANY: (0, VIEW), STAFF: (VIEW, 0)}, True),
        ({ANY: (0, VIEW), CREW: (VIEW, 0)}, {ANY: (0, VIEW), STAFF: (VIEW, 0)}, False),
        ({}, {CREW: (0, VIEW)}, False),
        ({CREW: (0, VIEW)}, {CREW: (0, VIEW)}, True),
        ({}, {5: (0, VIEW)}, False),
        ({5: (0, VIEW)}, {5: (0, VIEW)}, True),
        ({}, {ANY: (0, HISTORY)}, False),
        ({ANY: (0, HISTORY)}, {}, False),
    ],
)
def test_given_a_channel_that_some_here_cannot_read_then_it_does_not_count(
    here: dict[int, tuple[int, int]], there: dict[int, tuple[int, int]], *, is_open: bool
) -> None:
    assert open_from(server(here, there)) == is_open


def test_given_a_voice_channels_text_then_only_those_who_may_join_read_it() -> None:
    assert open_from(server({}, {}, kind="voice"))
    assert not open_from(server({}, {ANY: (0, CONNECT)}, kind="voice"))


def test_given_a_history_that_some_cannot_see_then_answers_are_private() -> None:
    made = server({CREW: (0, HISTORY)}, {})
    turn, is_private = EYES.asked(made, made.people[1], made.rooms[0], "this channel")
    assert is_private
    assert turn.view.channels == {str(made.rooms[0].id)}
    made.people[1].roles.add(CREW)
    turn, _ = EYES.asked(made, made.people[1], made.rooms[0], "this channel")
    assert turn.view.channels == set()


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(exceptions, exceptions, bits, bits, bits)
def test_given_any_roles_when_an_answer_shows_a_channel_then_they_read_it(
    here: dict[int, tuple[int, int]], there: dict[int, tuple[int, int]], everyone: int, crew: int, staff: int
) -> None:
    made = server(here, there, {CREW: crew, STAFF: staff})
    made.roles[made.id] = everyone & ~ADMIN
    if not open_from(made):
        return
    sets = [set(some) for count in range(3) for some in combinations((CREW, STAFF), count)]
    for who in (*made.people, Person("Anybody")):
        for who.roles in sets:
            assert not made.sees(who, made.rooms[0]) or made.reads(who, made.rooms[1])
