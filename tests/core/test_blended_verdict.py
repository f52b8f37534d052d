"""Words and a picture are judged together: the lesser of both counts, and it is said which is missing."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.results import Baseline, Curve
from core.model.video import EncoderInfo, Floats, Preprocess, Video
from core.search.verdict import Blend, background, blend_baseline

PREPROCESS = Preprocess(16, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CLIP = EncoderInfo("m", "w", 10, PREPROCESS, "fp32", 100.0, 0.0, "cpu")
SHOTS = np.eye(4, 10, dtype=np.float32).repeat(4, axis=0)
"""Four shots of four looks, each in a direction of its own."""
BANK = np.eye(10, dtype=np.float32)[8:]
"""Captions that fit none of them."""


def towards(**shares: float) -> Floats:
    """Give a unit vector with shares of the shots "a" to "d", and of "x" and "y", which no shot has."""
    vector = np.zeros(10, np.float32)
    for name, share in shares.items():
        vector["abcdxy".index(name)] = share
    return vector / np.linalg.norm(vector)


def judged(words: Floats, picture: Floats, looks: Floats = SHOTS) -> tuple[Baseline | None, float]:
    scores = looks @ (words + picture) / np.linalg.norm(words + picture)
    curve = Curve(Video("v", "", "", 9.0, 1, 1), np.arange(len(looks), dtype=np.float64), scores)
    return blend_baseline(curve, looks, Blend(words, picture), background(looks, BANK, CLIP), BANK, CLIP), scores.max()


@pytest.mark.parametrize(
    ("words", "picture", "verdict", "lacks"),
    [
        (towards(a=1), towards(a=1), "strong", ""),
        (towards(a=1), towards(a=0.7, x=0.71), "weak", ""),
        (towards(y=1), towards(a=1), "absent", "words"),
        (towards(a=1), towards(x=1), "absent", "picture"),
        (towards(y=1), towards(x=1), "absent", "either"),
        (towards(a=1), towards(b=1), "absent", "together"),
    ],
)
def test_given_words_and_a_picture_when_one_lacks_then_it_is_named(
    words: Floats, picture: Floats, verdict: str, lacks: str
) -> None:
    found, best = judged(words, picture)
    assert found is not None
    assert (found.verdict(best), found.lacks) == (verdict, lacks)
    assert found.weak_from < 1


def test_given_fitting_words_when_the_picture_lacks_then_absent() -> None:
    weak, _ = judged(towards(a=1), towards(a=0.5, x=0.87))
    assert weak is not None
    assert weak.lacks == "picture"


def test_given_shots_all_alike_when_a_picture_is_asked_then_no_verdict() -> None:
    assert judged(towards(a=1), towards(a=1), SHOTS[:6])[0] is None
    assert judged(towards(a=1), towards(a=1), SHOTS[:1].repeat(12, axis=0))[0] is None
