"""What the command line prints of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bot.cli import output
from core.model.query import Query
from core.model.results import Curve, Moment, SearchResult
from core.model.video import Video, View

if TYPE_CHECKING:
    import pytest

NAMES = {"a": "Holiday", "b": "Meeting"}


def test_given_a_moment_that_outscores_the_first_then_its_place_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    curve = Curve(Video("a", "", "Holiday", 9.0, 64, 36), np.arange(3.0), np.array([0.1, 0.3, 0.1], np.float32))
    moments = (Moment("a", 1, 2, 1, 0.30), Moment("b", 4, 5, 4, 0.35), Moment("b", 6, 7, 6, 0.20))
    query = Query("a dog", View("local", "home", frozenset({"main"})))
    result = SearchResult(query, moments, curve, frozenset({"b"}))
    output.found(result, output.AnswerFiles(None, None, None), 100.0, NAMES, as_json=False, is_doubtful=False)
    first, second, third = capsys.readouterr().out.splitlines()[1:4]
    why = "lower down, for that video probably does not show it"
    assert (why in first, why in second, why in third) == (False, True, False)
    assert "in Meeting" in second
    assert "sha256" not in second


def test_given_vectors_read_from_disk_when_printed_then_it_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    curve = Curve(Video("a", "", "Holiday", 9.0, 64, 36), np.arange(3.0), np.array([0.1, 0.3, 0.1], np.float32))
    query = Query("a dog", View("local", "home", frozenset({"main"})))
    for count, told in ((0, ""), (2, "2 videos do not fit into memory and had to be read from the disk")):
        result = SearchResult(query, (Moment("a", 1, 2, 1, 0.30),), curve, from_storage=count)
        output.found(result, output.AnswerFiles(None, None, None), 100.0, NAMES, as_json=False, is_doubtful=False)
        assert told in capsys.readouterr().err
