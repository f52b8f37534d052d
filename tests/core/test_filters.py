"""What is written beside a question says where and when to look."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.filters import Filters, since, split

NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("text", "words", "filters"),
    [
        ("a dog from:ada", "a dog", Filters(poster="ada")),
        ("from:@ada a dog in:#clips", "a dog", Filters(channel="clips", poster="ada")),
        ("a dog from:<@!42> in:<#C7|clips>", "a dog", Filters(channel="C7", poster="42")),
        ('a dog from:"Ada L" x', "a dog x", Filters(poster="Ada L")),
        ("a dog From:“Ada L”", "a dog", Filters(poster="Ada L")),
        ("after:yesterday before:2026-11-20 rain", "rain", Filters(after="yesterday", before="2026-11-20")),
        ("video:a video:b dog", "dog", Filters(video="b")),
        ("a man in: water, from:", "a man in: water, from:", Filters()),
        ("a man after:dinner", "a man", Filters(after="dinner")),
        ("http://in:80 a-from:b", "http://in:80 a-from:b", Filters()),
    ],
)
def test_given_filters_when_split_then_words_stay(text: str, words: str, filters: Filters) -> None:
    assert split(text) == (words, filters)


@given(st.text())
def test_given_any_text_when_read_then_nothing_is_raised(text: str) -> None:
    words, filters = split(text)
    assert filters != Filters() or words == " ".join(text.split())
    with suppress(ValueError):
        assert since(text, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    ("word", "begins"),
    [
        ("2026-11-05", "2026-11-05"),
        ("2026-11", "2026-11-01"),
        ("2025", "2025-01-01"),
        ("today", "2026-11-22"),
        ("Yesterday", "2026-11-21"),
        ("sunday", "2026-11-22"),
        ("monday", "2026-11-16"),
        ("week", "2026-11-15"),
        ("3d", "2026-11-19"),
        ("2w", "2026-11-08"),
        ("9999y", "1970-01-01"),
    ],
)
def test_given_a_date_when_read_then_it_begins_at_midnight(word: str, begins: str) -> None:
    assert since(word, NOW) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


def test_given_hours_when_read_then_they_count_from_now() -> None:
    assert since("12h", NOW) == datetime(2026, 11, 22, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize("word", ["", "dinner", "2026-13", "2026-02-30", "20261122", "12", "d3"])
def test_given_a_word_that_is_no_date_when_read_then_an_error(word: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        since(word, NOW)
