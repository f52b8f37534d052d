"""What help says can be done as it says, and fits where it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.discord.config import DOOR as DISCORD
from bot.slack.config import DOOR as SLACK
from bot.web.config import DOOR as PAGE
from core.conversation.commands import find
from core.wording.replies import ASKING, help_text
from tests.core.conftest import turn

if TYPE_CHECKING:
    from core.model.events import Door

EXAMPLES = re.findall(r"^/find (.*?): (?=the best|without|what|one|side|only|refines)", ASKING, re.MULTILINE)


def test_given_help_when_its_examples_are_read_then_they_mean_that() -> None:
    assert len(EXAMPLES) == len(ASKING.splitlines()) == 7
    asked = [find(turn(), example) for example in EXAMPLES]
    assert asked[5].filters.poster == "ada"
    assert (asked[5].text, asked[5].video) == ("a dog", "holiday")


@pytest.mark.parametrize("door", [DISCORD, SLACK, PAGE])
def test_given_help_when_shown_then_it_fits_into_a_message(door: Door) -> None:
    text = help_text(door).text
    assert len(text) <= 1800
    assert all(f"/find {example}" in text for example in EXAMPLES)
