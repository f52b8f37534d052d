"""What the judge of the crashes knows of a press."""

from __future__ import annotations

import pytest

from core.model import actions
from tests.crash.presses import Press
from tests.fakes.discord_desk import COMPONENT, Interaction
from tests.fakes.discord_world import KEATON, Guild, Message, User


@pytest.mark.parametrize("is_in_menu", [False, True], ids=["a button", "the menu"])
def test_given_a_press_when_judged_then_it_draws_wherever_it_was_chosen(*, is_in_menu: bool) -> None:
    sheet = actions.Show("an-answer", 1, mode="sheet").id()
    data = {"custom_id": "more", "values": [sheet]} if is_in_menu else {"custom_id": sheet}
    square = Guild("A town").channel("square")
    press = Press(Interaction(COMPONENT, square, User("Ada"), data), Message(square, KEATON), "Whole video")
    assert actions.draws(press.action)
    assert press.shows == "The whole video"
