"""What is said on a terminal fits one: nothing is posted, dropped or pressed there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.cli.terminal_words import told
from core import errors
from tests.support.command_line import Keaton

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import AppError

CHAT = re.compile(r"\b(drop|post|press|mention)\b|(?<!\w)/(find|videos|forget|index)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    "error",
    [
        errors.EmptyQuery(),
        errors.NothingIndexed(),
        errors.NoneFit(),
        errors.NothingToRefine(),
        errors.AnswerGone(),
        errors.UnknownVideo("holiday"),
        errors.VideoGone("holiday"),
        errors.VideoUnavailable("https://a.example/x", "live"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_given_an_error_when_it_is_told_on_a_terminal_then_in_its_words(error: AppError) -> None:
    assert not CHAT.search(told(error)), told(error)


@pytest.mark.slow
def test_given_an_empty_library_when_searched_then_the_next_step_is_named(tmp_path: Path) -> None:
    keaton = Keaton(tmp_path, "demo")
    assert "keaton index" in keaton("videos").stdout
    assert "keaton index" in keaton("find", "a dog").stderr
