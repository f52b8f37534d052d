"""A press means the moment that whoever pressed saw, in whatever order the moments stand by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import AnswerGone
from core.model.answer import MOST_EARLIER, Answer, as_of, finer, revised, term_keys
from core.model.events import Action
from core.model.query import Query
from core.model.results import Moment
from core.model.video import Scope, View
from tests.core.conftest import turn
from tests.core.test_votes import BOB, SCENES, ask, press, vote
from tests.support.videos import put_video

if TYPE_CHECKING:
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

SCOPE = Scope("local", "home", "main")
FIRST, SECOND, THIRD = (Moment("video", at_s, at_s + 2, at_s + 1, 0.3) for at_s in (0.0, 10.0, 20.0))
ANSWER = Answer("a", Query("red", View.of(SCOPE)), SCOPE, (FIRST, SECOND))


def test_given_equal_numbers_when_revised_then_no_new_order() -> None:
    nearer = replace(FIRST, peak_s=FIRST.peak_s + 0.4, score=0.4, closer=1.0)
    assert revised(ANSWER, (nearer, SECOND)) == replace(ANSWER, moments=(nearer, SECOND))


@pytest.mark.parametrize(
    "moments",
    [
        (SECOND, FIRST),
        (FIRST,),
        (FIRST, SECOND, THIRD),
        (replace(FIRST, peak_s=1.8), SECOND),
        (replace(FIRST, part=1), SECOND),
        (replace(FIRST, then=SECOND), SECOND),
        (replace(FIRST, video_id="other"), SECOND),
    ],
)
def test_given_another_moment_when_revised_then_both_orders_are_known(
    moments: tuple[Moment, ...],
) -> None:
    now = revised(ANSWER, moments)
    assert (now.moments, now.revision) == (moments, 1)
    assert as_of(now, 1) == now
    assert as_of(now, 0).moments == ANSWER.moments
    assert as_of(now, 0).revision == 0


def test_given_a_finer_moment_when_an_old_button_is_read_then_it_shows() -> None:
    fine = replace(SECOND, peak_s=11.8)
    now = finer(revised(ANSWER, (SECOND, FIRST)), SECOND, fine)
    assert (now.moments, as_of(now, 0).moments) == ((fine, FIRST), (FIRST, fine))


def test_given_an_unknown_order_when_read_then_the_answer_is_gone() -> None:
    now = ANSWER
    for _ in range(MOST_EARLIER + 1):
        now = revised(now, now.moments[::-1])
    assert as_of(now, 1).moments == (SECOND, FIRST)
    for revision in (0, now.revision + 1):
        with pytest.raises(AnswerGone):
            as_of(now, revision)


async def turned(house: ColourHouse) -> Reply:
    """Ask, and let the order of what was drawn be another by the time that somebody presses."""
    await put_video(house, turn(), "video", SCENES)
    drawn = await ask(house)
    assert [one.label for one in drawn.buttons[:2]] == ["1 · 0:00", "2 · 0:07"]
    answer_id = drawn.buttons[0].id.split(":")[1]
    assert await house.library.amend_answer(answer_id, lambda known: revised(known, known.moments[::-1]))
    return drawn


async def test_given_a_new_order_when_voted_then_the_seen_moment_counts(house: ColourHouse) -> None:
    await vote(house, await turned(house), "👍", BOB)
    (cast,) = await house.library.votes(turn().view, term_keys(Query("red and blue", turn().view)))
    assert cast.at_s < 3
    assert "0:00 in video\nMoment 1" in (await ask(house)).text


async def test_given_a_new_order_when_more_is_asked_then_the_seen_moment_counts(house: ColourHouse) -> None:
    alike = await house.last(Action(turn(), press(await turned(house), "More like this")))
    assert "0:00" not in " ".join(button.label for button in alike.buttons)


@pytest.mark.parametrize(("label", "seen"), [("1 ·", "0:00"), ("Next", "0:07"), ("+1 s", "0:0"), ("Whole video", "")])
async def test_given_a_new_order_when_browsing_then_the_seen_order_goes_on(
    house: ColourHouse, label: str, seen: str
) -> None:
    shown = await house.last(Action(turn(), press(await turned(house), label)))
    assert shown.text.startswith(seen)
    assert [one.label for one in shown.buttons[:2]] == ["1 · 0:00", "2 · 0:07"]
    further = await house.last(Action(turn(), press(shown, "2 ·")))
    assert "0:07 in video\nMoment 2" in further.text


async def test_given_a_vote_when_drawn_then_buttons_count_in_the_new_order(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    down = await vote(house, await ask(house), "👎")
    assert "0:07 in video\nMoment 1" in down.text
    again = await house.last(Action(turn(), press(down, "1 ·")))
    assert "0:07 in video\nMoment 1" in again.text
    back = await vote(house, await house.last(Action(turn(), press(down, "Next"))), "👎")
    assert "Ranked with" not in back.text
