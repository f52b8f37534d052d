"""The words of the demo: every thing and every place, what they are called, and which words are shared.

Read from `things.txt` and `places.txt`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HERE = Path(__file__).parent
_UNCOUNTED = frozenset(
    (
        *(
            "swimming",
            "running",
            "jogging",
            "cycling",
            "surfing",
            "skiing",
            "snowboarding",
            "climbing",
            "weightlifting",
        ),
        *("rowing", "dancing", "horse racing", "camping", "yoga", "meditation", "sport", "weather", "eyewear"),
        *("corn", "maize", "broccoli", "bread", "toast", "cheese", "pizza", "calamari", "food", "fruit", "cattle"),
        *("coffee", "beer", "lager", "wine", "red wine", "furniture", "jewellery", "santa claus", "father christmas"),
    )
)
"""Names that take no article."""


@dataclass(frozen=True)
class Thing:
    """Something that can stand in a scene."""

    emoji: tuple[str, ...]
    """The emoji that show it; any of them will do."""
    kind: str
    """`person`, `animal`, `vehicle` or `object`."""
    names: tuple[str, ...]
    """What it is called, the plainest first."""
    wider: tuple[str, ...]
    """Words that are true of it and of other things too."""


@dataclass(frozen=True)
class Place:
    """Somewhere a scene can be."""

    nouns: tuple[str, ...]
    """What it is called, the plainest first."""
    phrases: tuple[str, ...]
    """Where something is that is there, the plainest first."""


def _rows(name: str) -> Iterator[list[str]]:
    for line in (_HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [field.strip() for field in line.split("|")]


def _words(field: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in field.split(",") if word.strip())


@cache
def places() -> dict[str, Place]:
    """Return every place by its key, in the table's order."""
    return {key: Place(_words(nouns), _words(phrases)) for key, nouns, phrases in _rows("places.txt")}


@cache
def things() -> tuple[Thing, ...]:
    """Return every thing, in the table's order."""
    found: list[Thing] = []
    kind = ""
    for first, *rest in _rows("things.txt"):
        if rest:
            found.append(Thing(tuple(first.split()), kind, _words(rest[0]), _words(rest[1])))
        else:
            kind = first.strip("[]")
    return tuple(found)


@cache
def things_called() -> dict[str, frozenset[int]]:
    """For every name and wider word, the indexes into `things()` that it is true of."""
    return _inverted((*thing.names, *thing.wider) for thing in things())


@cache
def places_called() -> dict[str, frozenset[int]]:
    """For every noun and phrase of a place, the indexes into `places()` that it is true of."""
    return _inverted((*place.nouns, *place.phrases) for place in places().values())


def _inverted(rows: Iterable[Sequence[str]]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for index, words in enumerate(rows):
        for word in words:
            found[word].add(index)
    return {word: frozenset(indexes) for word, indexes in found.items()}


def with_article(name: str) -> str:
    """Return the name as a sentence has it: "a dog", "an apple", "grapes", "bread"."""
    last = name.rsplit(maxsplit=1)[-1]
    plural = last.endswith("s") and not last.endswith(("ss", "us"))
    if plural or name in _UNCOUNTED:
        return name
    vowel = name[0] in "aeiou" and not name.startswith(("uni", "ufo", "eu"))
    return f"{'an' if vowel else 'a'} {name}"
