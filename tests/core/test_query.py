"""Questions mean what their writers meant, and any text is a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.query import ParsedQuery, Term, read, refined, refinement, unclear

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)
PIECES = st.one_of(
    st.sampled_from(["|", ">", ">30s", ">5m", "-boat", '-"red car"', '"a b"', '"', "-", '"|"', "+", "“x y”"]), WORDS
)
QUESTIONS = st.lists(PIECES, max_size=12).map(" ".join)


def one(words: str, phrases: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> ParsedQuery:
    return ParsedQuery((Term(words, phrases, without),))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a woman in water", one("a woman in water")),
        ("a woman in water -boat", one("a woman in water", (), ("boat",))),
        ('a street -"red car" -rain', one("a street", (), ("red car", "rain"))),
        ('a man in a "red car"', one("a man in a red car", ("red car",))),
        ("a man in a “red car”", one("a man in a red car", ("red car",))),
        ('"red car"', one("red car")),
        ('"a > b | c"', one("a > b | c")),
        ("a car > an explosion", ParsedQuery((Term("a car"), Term("an explosion")), "sequence", 30.0)),
        ("a car >90s an explosion", ParsedQuery((Term("a car"), Term("an explosion")), "sequence", 90.0)),
        ("a car >2.5m rain -night", ParsedQuery((Term("a car"), Term("rain", (), ("night",))), "sequence", 150.0)),
        ("a > b > c", ParsedQuery((Term("a"), Term("b > c")), "sequence", 30.0)),
        ("dog | cat -big | b > c", ParsedQuery((Term("dog"), Term("cat", (), ("big",)), Term("b > c")), "comparison")),
    ],
)
def test_given_a_question_when_read_then_it_has_the_terms_meant(text: str, meant: ParsedQuery) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    "text", ["-5 degrees", "a -- b", "a - b", "rock'n'roll", 'a 5" disc', "| a", "a >", "> b", "a | | b", ">", "x-ray"]
)
def test_given_marks_out_of_place_when_read_then_they_are_words(text: str) -> None:
    assert read(text) == one(text)


def test_given_only_unwanted_words_when_no_picture_then_they_are_words() -> None:
    assert read("-boat") == one("boat")
    assert read("-boat", pictured=True) == one("", (), ("boat",))


def test_given_seven_sides_when_read_then_the_seventh_is_of_the_sixth() -> None:
    assert [wish.words for wish in read("a | b | c | d | e | f | g").terms] == ["a", "b", "c", "d", "e", "f | g"]


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("a >0s b", (">0s", "window")),
        ("a >5x b", (">5x", "window")),
        ("a >b", (">b", "window")),
        ("a >> b", (">>", "window")),
        ("a >", (">", "side")),
        ("> b", (">", "side")),
        ("| a", ("|", "side")),
        ("a | | b", ("|", "side")),
        ("a > | b", (">", "side")),
        ("a > b | c", (">", "mixed")),
        ("a > b > c", (">", "many")),
        ("a | b | c | d | e | f | g", ("|", "many")),
        ("a | b | c | d | e | f", None),
        ("a >90s b", None),
        ('a ">0s" b', None),
        ("a -> b", None),
        ("-5 degrees, rock'n'roll, 5\" disc", None),
        ("", None),
    ],
)
def test_given_a_mark_that_means_nothing_when_it_is_read_then_it_is_named(
    text: str, doubt: tuple[str, str] | None
) -> None:
    assert unclear(text) == doubt


@given(st.lists(WORDS, min_size=1).map(" ".join))
def test_given_plain_words_when_they_are_read_then_nothing_is_in_doubt(text: str) -> None:
    assert unclear(text) is None


@given(st.text())
def test_given_any_text_when_read_then_nothing_is_raised(text: str) -> None:
    for asked in (read(text), read(text, pictured=True), read(refined(text, text))):
        assert asked.terms
    refinement(text)
    unclear(text)


@given(QUESTIONS)
def test_given_any_question_when_read_then_no_word_is_lost(text: str) -> None:
    said = " ".join(part for wish in read(text).terms for part in (wish.words, *wish.without))
    assert {word for word in text.split() if word.isalnum()} <= set(said.replace('"', " ").split())


@given(st.lists(WORDS, min_size=1))
def test_given_plain_words_when_read_then_they_come_back(words: list[str]) -> None:
    assert read("  ".join(words)) == one(" ".join(words))


@given(QUESTIONS, st.lists(WORDS, min_size=1, max_size=3).map(" ".join))
def test_given_sides_when_refined_then_each_side_has_the_addition(text: str, more: str) -> None:
    before, after = read(text), read(refined(text, more))
    if text and not text.endswith(("|", ">", ">30s", ">5m")):  # these wait for what is added
        assert (after.form, after.window_s) == (before.form, before.window_s)
        assert all(wish.words.endswith(more) for wish in after.terms)


@pytest.mark.parametrize(
    ("last", "added", "together"),
    [
        ("a dog", "at night", "a dog at night"),
        ("a car > an explosion", "at night", "a car at night > an explosion at night"),
        ("a dog | a cat", "-snow", "a dog -snow | a cat -snow"),
        ("a dog", "| a cat", "a dog | a cat"),
        ("a dog", ">10s a cat", "a dog >10s a cat"),
        ("", "at night", "at night"),
    ],
)
def test_given_a_question_when_refined_then_its_text_is_joined(last: str, added: str, together: str) -> None:
    assert refined(last, added) == together


@pytest.mark.parametrize(
    ("text", "added"),
    [("+at night", "at night"), (" + at night", "at night"), ("+| a cat", "| a cat"), ("+1", None), ("a +b", None)],
)
def test_given_a_plus_in_front_when_read_then_it_is_a_refinement(text: str, added: str | None) -> None:
    assert refinement(text) == added


def test_given_two_spellings_when_they_mean_the_same_then_keys_are_equal() -> None:
    keys = {read(text).terms[0].key for text in ("A dog -snow -rain", " a  DOG. -rain -Snow", "a dog! -rain -snow")}
    assert len(keys) == 1
    assert len({read(text).terms[0].key for text in ("a dog", "a dog -snow", 'a "dog"', "dog a")}) == 4
