"""What can be said of a scene, and of which other scenes the same is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.things import places, places_called, things, things_called, with_article

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from demo.scenes import Scene

_FRAMES = (
    "a picture of {}",
    "a photo of {}",
    "a video of {}",
    "a scene with {}",
    "there is {}",
    "this is {}",
    "find {}",
    "show me {}",
    "where is {}",
    "we see {}",
    "look, {}",
    "the moment with {}",
    "a close-up of {}",
    "a cartoon of {}",
)
_DOING = {
    "person": ("standing", "waiting", "smiling", "staying", "looking around", "walking"),
    "animal": ("standing", "walking", "running", "sitting", "playing", "wandering", "looking around"),
    "vehicle": ("moving", "driving", "going", "passing", "travelling", "parked", "on the way"),
    "object": ("lying", "standing", "floating", "left alone", "seen"),
}
_JOINTS = (" with ", " next to ", " beside ", ", ")
_ACTIVE = (" swimming", " running", " cycling", " dancing", " riding", "ing")


@dataclass(frozen=True)
class Caption:
    """A sentence and what it means."""

    text: str
    """The sentence."""
    wanted: tuple[frozenset[int], ...]
    """For each thing it speaks of, the indexes into `things()` that would make it true."""
    places: frozenset[int] | None
    """The indexes into `places()` that would make it true, or None if it names no place."""


def random_caption(rng: Generator, scene: Scene) -> Caption:
    """Something true of the scene: its things, one of them, its place, or several of these."""
    roll = rng.random()
    if roll < 0.08:
        return _place_alone(rng, scene.place)
    actors = [scene.actors[i].thing for i in rng.permutation(len(scene.actors))]
    spoken = actors if rng.random() < 0.5 else actors[:1]
    names = [_random_name(rng, thing) for thing in spoken]
    wanted = tuple(things_called()[name] for name in names)
    text = _spoken(rng, names, things()[spoken[0]].kind)
    if roll < 0.52:
        return Caption(_framed(rng, text), wanted, None)
    place = places()[scene.place]
    if rng.random() < 0.85:
        word = place.phrases[0] if rng.random() < 0.35 else str(rng.choice(place.phrases))
    else:
        word = str(rng.choice(place.nouns))
    return Caption(_framed(rng, f"{text} {word}"), wanted, places_called()[word])


def _place_alone(rng: Generator, place: str) -> Caption:
    words = (*places()[place].nouns, *places()[place].phrases)
    word = str(rng.choice(words)) if rng.random() < 0.7 else words[0]
    return Caption(_framed(rng, word), (), places_called()[word])


def _random_name(rng: Generator, thing: int) -> str:
    known = things()[thing]
    roll = rng.random()
    if roll < 0.4:
        return known.names[0]
    return str(rng.choice(known.names if roll < 0.82 else known.wider))


def _spoken(rng: Generator, names: Sequence[str], kind: str) -> str:
    roll = rng.random()
    said = [with_article(name) if roll < 0.62 else (name if roll < 0.85 else f"the {name}") for name in names]
    if len(said) == 1 and rng.random() < 0.25 and not any(mark in names[0] for mark in _ACTIVE):
        said[0] = f"{said[0]} {rng.choice(_DOING[kind])}"
    joint = " and " if rng.random() < 0.7 else str(rng.choice(_JOINTS))
    return joint.join(said)


def _framed(rng: Generator, text: str) -> str:
    return str(rng.choice(_FRAMES)).format(text) if rng.random() < 0.2 else text


def every_piece() -> list[str]:
    """Return texts that together hold every word (and comma) that a caption can."""
    doing = [word for words in _DOING.values() for word in words]
    names = [*things_called(), *(with_article(name) for name in things_called())]
    return [*names, *places_called(), *_FRAMES, *_JOINTS, *doing, "the", "and"]


def truth(captions: Sequence[Caption], scenes: Sequence[Scene]) -> NDArray[np.bool_]:
    """Which caption is true of which scene: (captions, scenes) bool."""
    here = np.zeros((len(scenes), len(things())), np.bool_)
    keys = list(places())
    for row, scene in enumerate(scenes):
        here[row, [actor.thing for actor in scene.actors]] = True
    place_of = np.array([keys.index(scene.place) for scene in scenes])
    return np.stack([_true_of(caption, here, place_of) for caption in captions])


def _true_of(caption: Caption, here: NDArray[np.bool_], place_of: NDArray[np.int64]) -> NDArray[np.bool_]:
    fits = np.ones(len(here), np.bool_)
    for wanted in caption.wanted:
        fits &= here[:, sorted(wanted)].any(axis=1)
    if caption.places is not None:
        fits &= np.isin(place_of, sorted(caption.places))
    return fits
