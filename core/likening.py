"""Whether a film holds a shot like a picture. Owns what a similarity of looks means; pure, must not know any words.

Looks are nearer to any picture than to words, so background captions say nothing here. The film's own scale does: looks
at one shot are 1 alike, looks far apart 0 (core/extents.py). `python -m bench.likening` measures it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.extents import Likeness
from core.verdict import Baseline

if TYPE_CHECKING:
    from core.found import Curve

WEAK_FROM, STRONG_FROM = 0.6, 0.8
"""On that scale. Of pictures from other films 1 in 12 reaches the first."""
LEAST_LOOKS = 8
"""Of a film with fewer nothing is known of how alike its shots are."""


def likened(curve: Curve) -> Curve:
    """Give a picture's curve without its looks, with a baseline where the film tells one shot from another."""
    looks = curve.vectors
    if looks is None or len(looks) < LEAST_LOOKS:
        return replace(curve, vectors=None)
    likeness = Likeness(looks)
    if not likeness.tells:
        return replace(curve, vectors=None)
    usual, weak_from, strong_from = (likeness.cosine(share) for share in (0.0, WEAK_FROM, STRONG_FROM))
    return replace(curve, vectors=None, baseline=Baseline(usual, weak_from, strong_from))
