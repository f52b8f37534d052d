"""What the ids of buttons hold, and where the buttons of a card lead."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers.buttons import LEAST_CUT_MS, Cursor
from core.errors import AnswerGone
from core.model import actions
from core.model.actions import Alike, Show, VoteAction
from core.model.results import Moment

MOST_MS = 999_999_999
TIMES = st.none() | st.integers(0, MOST_MS)
REVISIONS = st.integers(0, 999_999)
MOMENT = Moment("video", 10.0, 14.0, 12.0, 0.3)


@given(
    st.builds(
        Show,
        st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
        st.integers(0, 999),
        st.sampled_from(["similarity", "softmax"]),
        st.sampled_from(["frame", "preview", "cut", "sheet", "file"]),
        TIMES,
        TIMES,
        TIMES,
        REVISIONS,
    ),
    st.sampled_from(["", "p", "x"]),
)
def test_given_a_button_when_spelled_then_its_id_reads_back_in_100_chars(wish: Show, role: str) -> None:
    made = wish.id(role)
    assert len(made) <= 100
    assert re.fullmatch(actions.PATTERN, made)
    assert actions.read(made) == wish


@given(st.integers(1, 999), st.booleans(), TIMES, REVISIONS)
def test_given_a_revision_when_spelled_then_votes_and_likes_hold_it(
    number: int, is_up: bool, at_ms: int | None, revision: int
) -> None:
    for wish in (VoteAction("a" * 16, number, "softmax", is_up, revision), Alike("a" * 16, number, at_ms, revision)):
        assert re.fullmatch(actions.PATTERN, wish.id())
        assert actions.read(wish.id()) == wish


@pytest.mark.parametrize("old", ["show:aB_9-x:2:m", "show:aB_9-x:2:mp"])
def test_given_an_id_of_an_earlier_version_when_read_then_it_works(old: str) -> None:
    assert actions.read(old) == Show("aB_9-x", 2)


@pytest.mark.parametrize(
    "wrong",
    ["", "show:a", "show:a:1:z", "show:a:1:m:c:-5::", "other:a:1:m", "show:a:1:m:f:1", "show:a:1r0:m", "show:a:1r:m"],
)
def test_given_an_unknown_id_when_read_then_the_answer_is_gone(wrong: str) -> None:
    with pytest.raises(AnswerGone):
        actions.read(wrong)


@given(TIMES, TIMES, TIMES, st.floats(0.1, 20_000), st.floats(1, 600))
def test_given_any_times_when_a_cut_is_read_then_it_is_within_limits(
    at_ms: int | None, in_ms: int | None, out_ms: int | None, duration_s: float, most_s: float
) -> None:
    wish = Show("a", 1, mode="cut", at_ms=at_ms, in_ms=in_ms, out_ms=out_ms)
    cursor = Cursor.of(wish, MOMENT, duration_s, most_s)
    assert 0 <= cursor.at_ms <= cursor.video_ms
    assert 0 <= cursor.in_ms <= cursor.out_ms - LEAST_CUT_MS
    assert cursor.out_ms <= cursor.video_ms
    assert cursor.out_ms - cursor.in_ms <= max(LEAST_CUT_MS, round(most_s * 1000))


def test_given_an_end_when_moved_then_it_stops_before_the_other() -> None:
    cursor = Cursor.of(Show("a", 1, mode="cut"), MOMENT, 60.0, 30.0)
    assert cursor.ends_s == (10.0, 14.0)
    assert cursor.moved(-500, 0).ends_s == (9.5, 14.0)
    assert cursor.moved(0, 500).ends_s == (10.0, 14.5)
    assert cursor.moved(99_000, 0).ends_s == (13.5, 14.0)
    assert cursor.moved(0, 99_000).ends_s == (10.0, 40.0)


def test_given_a_long_moment_when_cut_then_it_is_cut_around_its_peak() -> None:
    cursor = Cursor.of(Show("a", 1, mode="cut"), Moment("video", 0.0, 100.0, 80.0, 0.3), 100.0, 10.0)
    assert cursor.ends_s == (75.0, 85.0)
