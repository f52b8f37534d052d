"""The demo video's shots: what is in each, for how long, how the camera moves, and what one might ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from demo.camera import LEFT, PULL, PUSH, RIGHT, STILL, Camera
from demo.scenes import Actor, Scene
from demo.things import things, things_called


@dataclass(frozen=True)
class Shot:
    """One uncut piece of the video."""

    scene: Scene
    length_s: float
    camera: Camera
    queries: tuple[str, ...]
    """What one might ask for to find it: thing and place first."""


class Motion(TypedDict, total=False):
    """What else may be said of an actor, as in `Actor`."""

    flipped: bool
    speed: float
    bob: float
    sway_deg: float
    rate_hz: float
    chimney: tuple[float, float]


def actor(name: str, x: float, y: float, size: float, emoji: int = 0, **motion: Unpack[Motion]) -> Actor:
    """Return the thing of that name (its plainest), shown by the emoji-th of its emoji."""
    index = next(i for i in sorted(things_called()[name]) if things()[i].names[0] == name)
    return Actor(index, things()[index].emoji[emoji], x, y, size, **motion)


def shots() -> tuple[Shot, ...]:
    """Return the video from its first shot to its last."""
    return (
        *_from_snow_to_street(),
        *_from_desert_to_fire(),
        *_from_forest_to_rain(),
        *_from_sky_to_mountains(),
        *_from_snow_to_sea(),
    )


def _shot(place: str, seed: int, length_s: float, camera: Camera, queries: tuple[str, ...], *actors: Actor) -> Shot:
    return Shot(Scene(place, seed, actors), length_s, camera, queries)


def _from_snow_to_street() -> tuple[Shot, ...]:
    return (
        _shot(
            "snow",
            11,
            5.0,
            LEFT,
            ("a steam train in the snow", "a locomotive in winter", "steam engine", "a train"),
            actor(
                "steam train", 1.25, 0.6, 0.5, speed=-0.13, sway_deg=1, rate_hz=1.5, bob=0.008, chimney=(-0.26, -0.38)
            ),
        ),
        _shot(
            "water",
            22,
            5.0,
            PUSH,
            ("a woman swimming in water", "a female swimmer in the sea", "swimming", "woman in water"),
            actor("woman swimming", 1.2, 0.68, 0.5, speed=-0.12, bob=0.03, sway_deg=5, rate_hz=0.5),
        ),
        _shot(
            "night",
            35,
            4.0,
            PUSH,
            ("a dog at night", "a puppy in the moonlight", "dog"),
            actor("dog", 0.75, 0.62, 0.5, speed=0.04, flipped=True, bob=0.03, sway_deg=4, rate_hz=0.9),
        ),
        _shot(
            "street",
            44,
            3.5,
            STILL,
            ("a blue car in the street", "a jeep on the road", "car"),
            actor("jeep", 1.25, 0.66, 0.42, speed=-0.16, bob=0.008, sway_deg=1, rate_hz=2),
        ),
    )


def _from_desert_to_fire() -> tuple[Shot, ...]:
    return (
        _shot(
            "desert",
            55,
            4.0,
            RIGHT,
            ("a camel in the desert", "a dromedary on a sand dune", "camel"),
            actor("camel", 1.1, 0.6, 0.56, speed=-0.06, bob=0.02, sway_deg=3, rate_hz=0.7),
        ),
        _shot(
            "room",
            66,
            3.5,
            PULL,
            ("a cat in a room", "a kitten indoors", "cat"),
            actor("cat", 0.85, 0.64, 0.46, speed=0.02, flipped=True, bob=0.02, sway_deg=3, rate_hz=0.8),
        ),
        _shot(
            "space",
            77,
            4.0,
            LEFT,
            ("a rocket in space", "a spaceship among the stars", "rocket"),
            actor("rocket", 0.5, 0.62, 0.5, speed=0.14, sway_deg=3, rate_hz=0.6, bob=0.03),
        ),
        _shot(
            "fire",
            88,
            4.0,
            PUSH,
            ("a firefighter in the fire", "a fireman in flames", "fire"),
            actor("firefighter", 0.9, 0.58, 0.54, speed=-0.02, sway_deg=3, rate_hz=0.5),
        ),
    )


def _from_forest_to_rain() -> tuple[Shot, ...]:
    return (
        _shot(
            "forest",
            99,
            4.5,
            STILL,
            ("a monkey and a banana in the forest", "a monkey in the woods", "monkey", "banana"),
            actor("monkey", 0.6, 0.58, 0.52, flipped=True, bob=0.06, sway_deg=6, rate_hz=0.9),
            actor("banana", 1.25, 0.6, 0.38, bob=0.03, sway_deg=10, rate_hz=0.6),
        ),
        _shot(
            "underwater",
            110,
            4.0,
            LEFT,
            ("a turtle underwater", "a tortoise under the sea", "turtle"),
            actor("turtle", 1.2, 0.5, 0.48, speed=-0.1, bob=0.05, sway_deg=6, rate_hz=0.35),
        ),
        _shot(
            "meadow",
            121,
            3.5,
            RIGHT,
            ("a cow in a meadow", "cattle on the grass", "cow"),
            actor("cow", 1.0, 0.6, 0.5, speed=-0.04, bob=0.01, sway_deg=2, rate_hz=0.5),
        ),
        _shot(
            "rain",
            132,
            5.0,
            PUSH,
            ("a man dancing in the rain", "a male dancer in bad weather", "rain"),
            actor("man dancing", 0.8, 0.58, 0.62, speed=0.05, bob=0.05, sway_deg=9, rate_hz=1.0),
        ),
    )


def _from_sky_to_mountains() -> tuple[Shot, ...]:
    return (
        _shot(
            "sky",
            143,
            3.0,
            RIGHT,
            ("a helicopter in the sky", "a chopper in the clouds", "helicopter"),
            actor("helicopter", 1.05, 0.46, 0.44, speed=-0.1, bob=0.04, sway_deg=5, rate_hz=0.6),
        ),
        _shot(
            "street",
            154,
            4.0,
            STILL,
            ("a tyrannosaurus in the city", "a t-rex in the street", "dinosaur"),
            actor("tyrannosaurus", 1.1, 0.58, 0.66, speed=-0.08, bob=0.04, sway_deg=4, rate_hz=0.9),
        ),
        _shot(
            "beach",
            165,
            4.5,
            PULL,
            ("a bride and a groom on the beach", "a wedding at the seaside", "bride", "a man in a tuxedo"),
            actor("bride", 0.62, 0.66, 0.5, emoji=2, bob=0.015, sway_deg=3, rate_hz=0.5),
            actor("groom", 1.17, 0.66, 0.5, emoji=2, bob=0.015, sway_deg=3, rate_hz=0.5),
        ),
        _shot(
            "mountains",
            176,
            3.5,
            LEFT,
            ("an eagle in the mountains", "a hawk in front of mountains", "eagle"),
            actor("eagle", 1.15, 0.42, 0.48, speed=-0.12, bob=0.05, sway_deg=7, rate_hz=0.6),
        ),
    )


def _from_snow_to_sea() -> tuple[Shot, ...]:
    return (
        _shot(
            "snow",
            187,
            4.0,
            PUSH,
            ("a penguin and a snowman in the snow", "a penguin in winter", "penguin", "snowman"),
            actor("penguin", 0.62, 0.62, 0.46, flipped=True, speed=0.03, bob=0.03, sway_deg=8, rate_hz=1.0),
            actor("snowman", 1.2, 0.58, 0.52, sway_deg=2, rate_hz=0.4),
        ),
        _shot(
            "night",
            198,
            5.0,
            RIGHT,
            ("a ghost and a castle at night", "a phantom in the dark", "ghost", "castle"),
            actor("castle", 1.25, 0.65, 0.62),
            actor("ghost", 0.42, 0.52, 0.44, speed=0.05, bob=0.08, sway_deg=7, rate_hz=0.45),
        ),
        _shot(
            "sunset",
            209,
            4.5,
            PULL,
            ("a giraffe at sunset", "a giraffe in the evening", "giraffe"),
            actor("giraffe", 0.95, 0.56, 0.66, speed=-0.03, bob=0.015, sway_deg=3, rate_hz=0.5),
        ),
        _shot(
            "water",
            220,
            4.0,
            PUSH,
            ("a whale in the sea", "a big whale on the waves", "whale"),
            actor("whale", 1.15, 0.6, 0.54, speed=-0.08, bob=0.06, sway_deg=6, rate_hz=0.35),
        ),
    )
