"""The syntax of a query, and what it means. Any text is a query: what is no syntax is words. Pure.

    a woman in water -boat -"red car"     without what follows a minus
    a man in a "red car"                  what stands in quotes weighs more, and no mark in it counts
    a car > an explosion                  one thing, then another; `>90s`, `>5m`: within that time
    a dog | a cat | a horse               several texts side by side, up to six

Beside its words a query may hold a picture, and which postings it is about.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.model.video import Floats, View

Form: TypeAlias = Literal["one", "sequence", "comparison"]
Doubt: TypeAlias = Literal["window", "side", "mixed", "many"]
"""Why a mark is not understood: it is no time, there is nothing on one side of it, or there are others already."""
WINDOW_S = 30.0
"""How long after the end of the first moment the second may begin, where the question does not say."""
MOST_SIDES = 6
_TOKEN = re.compile(r'(?P<minus>-?)"(?P<quoted>[^"]*[^\s"][^"]*)"(?=\s|$)|\S+')
_MINUS = re.compile(r"-(?P<word>[^\W\d_]\S*)")
_THEN = re.compile(r">(?:(?P<number>\d{1,5}(?:\.\d+)?)(?P<unit>s|sec|m|min|h)?)?", re.IGNORECASE)
_UNITS_S = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_BESIDE = "|"
_AND = "+"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is looked for."""

    words: str
    """All of it, phrases included; "" where a picture alone says what."""
    phrases: tuple[str, ...] = ()
    """Parts of it that weigh more."""
    without: tuple[str, ...] = ()
    """What must not be seen."""

    @property
    def key(self) -> str:
        """Return the same text for questions that mean the same: case, spaces and the order of terms do not count."""
        phrases = sorted(f'"{_plain(phrase)}"' for phrase in self.phrases)
        without = sorted(f'-"{_plain(term)}"' for term in self.without)
        return " ".join([_plain(self.words), *phrases, *without]).strip()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return each text that has to be encoded."""
        return (*((self.words,) if self.words else ()), *self.phrases, *self.without)


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A question."""

    terms: tuple[Term, ...]
    """At least one; two in a sequence."""
    form: Form = "one"
    window_s: float = WINDOW_S
    """For a sequence."""


@dataclass(frozen=True, slots=True)
class _Token:
    raw: str
    text: str
    """What it says, without quotes and minus."""
    quoted: bool
    minus: bool

    @property
    def then_s(self) -> float | None:
        """Return the window of a mark between two moments, or None for what is no such mark."""
        found = None if self.quoted else _THEN.fullmatch(self.raw)
        if found is None:
            return None
        return float(found["number"]) * _UNITS_S[(found["unit"] or "s").lower()] if found["number"] else WINDOW_S

    @property
    def is_beside(self) -> bool:
        """Tell whether it stands between two texts side by side."""
        return not self.quoted and self.raw == _BESIDE


def read(text: str, *, pictured: bool = False) -> ParsedQuery:
    """Return what a text asks for; `pictured` is true where a picture is asked about, so that it need hold no words."""
    tokens = _tokens(text)
    sides = _beside(tokens)
    if len(sides) > 1:
        return ParsedQuery(tuple(_term(side, pictured=False) for side in sides), "comparison")
    for at, token in enumerate(tokens):
        if token.then_s is not None and tokens[:at] and tokens[at + 1 :]:
            sides = [tokens[:at], tokens[at + 1 :]]
            return ParsedQuery(tuple(_term(side, pictured=False) for side in sides), "sequence", token.then_s)
    return ParsedQuery((_term(tokens, pictured=pictured),))


def unclear(text: str) -> tuple[str, Doubt] | None:
    """Return the first mark of a question that means nothing where it stands, and why; None where all is understood.

    `read` takes such marks for words, which nobody who wrote one wants. In quotes they are words.
    """
    tokens = _tokens(text)
    for token in tokens:
        if not token.quoted and len(token.raw) > 1 and token.raw[0] == ">" and not token.then_s:
            return token.raw, "window"
    marks = [at for at, token in enumerate(tokens) if token.is_beside or token.then_s]
    for at in marks:
        beside = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
        if len(beside) < 2 or any(other.is_beside or other.then_s for other in beside):
            return tokens[at].raw, "side"
    kinds = {tokens[at].is_beside for at in marks}
    if len(kinds) == 2:
        return next(tokens[at].raw for at in marks if not tokens[at].is_beside), "mixed"
    if marks and len(marks) > (MOST_SIDES - 1 if kinds == {True} else 1):
        return tokens[marks[-1]].raw, "many"
    return None


def refined(text: str, more: str) -> str:
    """Return a question and a later word to it as one question: "a dog" and "at night" are "a dog at night".

    What is added counts for each side of the question, unless it begins with a mark itself ("| a cat").
    """
    tokens, added = _tokens(text), _tokens(more)
    if not tokens or not added:
        return " ".join(token.raw for token in tokens + added)
    if added[0].is_beside or added[0].then_s is not None:
        return _spelt(tokens + added)
    marks = _marks(tokens)
    parts: list[_Token] = []
    for at, token in enumerate(tokens):
        parts.extend([*added, token] if at in marks else [token])
    return _spelt(parts + added)


def refinement(text: str) -> str | None:
    """Return what `+at night` adds to the last question, or None for what is a question of its own."""
    added = text.strip().removeprefix(_AND).strip()
    begins_so = text.strip().startswith(_AND) and (added[:1].isalpha() or added[:1] in {'"', "“", "-", "|", ">"})
    return added if begins_so else None


def _marks(tokens: Sequence[_Token]) -> set[int]:
    """Return the places of the tokens that divide the question."""
    asked = read(_spelt(tokens))
    if asked.form == "comparison":
        return {at for at, token in enumerate(tokens) if token.is_beside}
    if asked.form == "sequence":
        return {next(at for at, token in enumerate(tokens) if at > 0 and token.then_s is not None)}
    return set()


def _spelt(tokens: Iterable[_Token]) -> str:
    return " ".join(token.raw for token in tokens)


def _tokens(text: str) -> list[_Token]:
    return [_token(found) for found in _TOKEN.finditer(text.translate(_QUOTES))]


def _token(found: re.Match[str]) -> _Token:
    raw = found.group()
    if found["quoted"] is not None:
        return _Token(raw, " ".join(found["quoted"].split()), quoted=True, minus=bool(found["minus"]))
    unwanted = _MINUS.fullmatch(raw)
    return _Token(raw, unwanted["word"] if unwanted else raw, quoted=False, minus=unwanted is not None)


def _beside(tokens: Sequence[_Token]) -> list[list[_Token]]:
    """Return the sides of a comparison; one where it is none. What is beyond the last side belongs to that."""
    sides: list[list[_Token]] = [[]]
    for token in tokens:
        if token.is_beside and len(sides) < MOST_SIDES:
            sides.append([])
        else:
            sides[-1].append(token)
    return sides if all(sides) else [list(tokens)]


def _term(tokens: Sequence[_Token], *, pictured: bool) -> Term:
    wanted = [token for token in tokens if not token.minus]
    unwanted = [token for token in tokens if token.minus]
    if not wanted and not pictured:  # nothing but what must not be seen says nothing: then it is words
        wanted, unwanted = [replace(token, quoted=False) for token in unwanted], []
    words = " ".join(token.text for token in wanted)
    phrases = tuple(dict.fromkeys(token.text for token in wanted if token.quoted))
    return Term(words, phrases if phrases != (words,) else (), tuple(dict.fromkeys(token.text for token in unwanted)))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().strip(" .,;:!?").split())


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part [start_s, end_s) of a video."""

    video_id: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that is asked about, as all that is kept of it: what the model saw."""

    data: bytes
    """(D,) little-endian float32, of length 1."""
    recipe_key: str
    """It is compared with embeddings of this recipe alone."""
    source: Stretch | None = None
    """Where it was found, for "more like this": that very place is no answer."""

    @property
    def vector(self) -> Floats:
        """Return the (D,) float32 unit vector."""
        return np.frombuffer(self.data, "<f4").astype(np.float32)

    @classmethod
    def of(cls, vector: Floats, recipe_key: str, source: Stretch | None = None) -> Example:
        """Keep a (D,) unit vector."""
        return cls(vector.astype("<f4").tobytes(), recipe_key, source)


@dataclass(frozen=True, slots=True)
class Posted:
    """Which postings a query is about; nothing set is all of them."""

    by: frozenset[str] = frozenset()
    """User ids, any of which will do; none is anybody."""
    after: datetime | None = None
    """At this moment or later; with time zone."""
    before: datetime | None = None
    """Earlier than this; with time zone."""

    def __bool__(self) -> bool:
        """Tell whether anything is set."""
        return self != Posted()


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for, and where."""

    text: str
    """The question as it was put; `asked` says what it means."""
    view: View
    video_id: str | None = None
    """Look in this video alone."""
    picture: Example | None = None
    """Look for this, beside the words or without any."""
    posted: Posted = field(default_factory=Posted)
    """Look in videos alone that were posted so within the view."""

    @property
    def asked(self) -> ParsedQuery:
        """Return what the text means."""
        return read(self.text, pictured=self.picture is not None)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is asked for."""
        return self.picture is None and not self.text.strip()
