"""Does a video hold a shot like a picture, and does it show words and a picture together? Pure.

Frames are nearer to any picture than to words, so captions say nothing here; the video's own scale does: frames of one
shot are 1, far frames 0 (`core.search.shots`). With words, both verdicts are brought to one measure (0 weak, 1 strong)
and the lesser counts. Words have lower bars beside a picture, since that says which shot is meant. `python -m
bench.likening` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.model.results import Baseline
from core.search import shots
from core.search.shots import LEAST_LOOKS, Likeness
from core.search.verdict import WEAK_FROM, odds

if TYPE_CHECKING:
    from core.model.results import Curve, Lack
    from core.model.video import EncoderInfo, Floats
    from core.search.verdict import CaptionLevels

WORDS_WEAK_FROM, WORDS_STRONG_FROM = 0.24, 1.99
"""Odds of words in the shot of a picture. `python -m bench.likening --fit` works them out."""


BEST = 3
"""Of so many of the best looks the one counts that has both most."""


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Words and a picture as unit vectors (D,)."""

    words: Floats
    picture: Floats


def baseline(
    curve: Curve, looks: Floats, blend: Blend, video: CaptionLevels, bank: Floats, info: EncoderInfo
) -> Baseline | None:
    """Give what a blend's curve means at a video's looks (N, D); None where the video tells no shots apart."""
    likeness = Likeness(looks)
    if len(looks) < shots.LEAST_LOOKS or not likeness.tells or not curve.counts.any():
        return None
    said = looks @ blend.words
    words, picture = odds(said, looks, float(said.mean()), video, bank, info), _picture(looks @ blend.picture, likeness)
    words, picture, scores = (one[curve.counts] for one in (words, picture, curve.scores))
    both = together(scores, words, picture)
    lacks = _lack(both, float(words.max()) - WEAK_FROM, float(picture.max()))
    return _banded(scores, both, _step(blend, likeness, info), lacks)


def together(scores: Floats, words: Floats, picture: Floats) -> float:
    """Give how surely one of the looks with the highest scores (N,) has both, as the lesser of two measures.

    `words` are odds (N,), `picture` is 0 where a hit begins to be a weak one and 1 where it is a strong one, (N,).
    """
    best = np.argsort(-scores, kind="stable")[:BEST]
    measured = (words[best] - WORDS_WEAK_FROM) / (WORDS_STRONG_FROM - WORDS_WEAK_FROM)
    return float(np.minimum(measured, picture[best]).max())


def _picture(alike: Floats, likeness: Likeness) -> Floats:
    weak_from, strong_from = (likeness.cosine(share) for share in (SHOT_WEAK_FROM, SHOT_STRONG_FROM))
    measured: Floats = (alike - weak_from) / (strong_from - weak_from)
    return measured


def _lack(both: float, words: float, picture: float) -> Lack:
    if both >= 0:
        return ""
    if words < 0:
        return "either" if picture < 0 else "words"
    return "picture" if picture < 0 else "together"


def _step(blend: Blend, likeness: Likeness, info: EncoderInfo) -> float:
    """Give how far a score of the blend rises while both rise from a weak hit to a strong one."""
    of_words = (WORDS_STRONG_FROM - WORDS_WEAK_FROM) / info.logit_scale
    of_picture = likeness.cosine(SHOT_STRONG_FROM) - likeness.cosine(SHOT_WEAK_FROM)
    return (of_words + of_picture) / float(np.linalg.norm(blend.words + blend.picture))


def _banded(scores: Floats, both: float, step: float, lacks: Lack) -> Baseline:
    """Put the band where the best look stands by a measure; no further above it than half of what is left up to 1."""
    best = float(scores.max())
    weak_from = min(best - both * step, (best + 1) / 2)
    return Baseline(min(float(np.median(scores)), weak_from), weak_from, weak_from + step, lacks)


SHOT_WEAK_FROM, SHOT_STRONG_FROM = 0.6, 0.8
"""On that scale. Of pictures from other videos 1 in 12 reaches the first."""


def likened(curve: Curve) -> Curve:
    """Give a picture's curve without its looks, with a baseline where the video tells one shot from another."""
    looks = curve.vectors
    if looks is None or len(looks) < LEAST_LOOKS:
        return replace(curve, vectors=None)
    likeness = Likeness(looks)
    if not likeness.tells:
        return replace(curve, vectors=None)
    usual, weak_from, strong_from = (likeness.cosine(share) for share in (0.0, SHOT_WEAK_FROM, SHOT_STRONG_FROM))
    return replace(curve, vectors=None, baseline=Baseline(usual, weak_from, strong_from))
