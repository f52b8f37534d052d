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
def test_a_question_means_what_its_writer_meant(text: str, meant: ParsedQuery) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    "text", ["-5 degrees", "a -- b", "a - b", "rock'n'roll", 'a 5" disc', "| a", "a >", "> b", "a | | b", ">", "x-ray"]
)
def test_what_is_no_syntax_is_words(text: str) -> None:
    assert read(text) == one(text)


def test_nothing_but_what_must_not_be_seen_is_words_unless_a_picture_is_asked_about() -> None:
    assert read("-boat") == one("boat")
    assert read("-boat", pictured=True) == one("", (), ("boat",))


def test_what_is_beyond_the_sixth_side_belongs_to_it() -> None:
    assert [wish.words for wish in read("a | b | c | d | e | f | g").wishes] == ["a", "b", "c", "d", "e", "f | g"]


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
def test_no_text_is_an_error(text: str) -> None:
    for asked in (read(text), read(text, pictured=True), read(refined(text, text))):
        assert asked.wishes
    refinement(text)
    unclear(text)


@given(QUESTIONS)
def test_no_question_loses_a_word(text: str) -> None:
    said = " ".join(part for wish in read(text).wishes for part in (wish.words, *wish.without))
    assert {word for word in text.split() if word.isalnum()} <= set(said.replace('"', " ").split())


@given(st.lists(WORDS, min_size=1))
def test_plain_words_come_back_as_they_were(words: list[str]) -> None:
    assert read("  ".join(words)) == one(" ".join(words))


@given(QUESTIONS, st.lists(WORDS, min_size=1, max_size=3).map(" ".join))
def test_a_refinement_counts_for_each_side_and_changes_nothing_else(text: str, more: str) -> None:
    before, after = read(text), read(refined(text, more))
    if text and not text.endswith(("|", ">", ">30s", ">5m")):  # these wait for what is added
        assert (after.form, after.window_s) == (before.form, before.window_s)
        assert all(wish.words.endswith(more) for wish in after.wishes)


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
def test_a_refined_question(last: str, added: str, together: str) -> None:
    assert refined(last, added) == together


@pytest.mark.parametrize(
    ("text", "added"),
    [("+at night", "at night"), (" + at night", "at night"), ("+| a cat", "| a cat"), ("+1", None), ("a +b", None)],
)
def test_a_plus_in_front_refines(text: str, added: str | None) -> None:
    assert refinement(text) == added


def test_questions_that_mean_the_same_have_one_key() -> None:
    keys = {read(text).wishes[0].key for text in ("A dog -snow -rain", " a  DOG. -rain -Snow", "a dog! -rain -snow")}
    assert len(keys) == 1
    assert len({read(text).wishes[0].key for text in ("a dog", "a dog -snow", 'a "dog"', "dog a")}) == 4
