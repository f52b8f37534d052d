"""What people's votes do to an aim. Owns that arithmetic; pure, must not know who voted.

Rocchio 1971, "Relevance feedback in information retrieval": towards what was called right, away from what was called
wrong. On frames, not on texts, with two changes. Looks count as they differ from the middle of their film: whole films
share most of their direction, and that says nothing. And the result turns by a set angle at most, so that the words
always say what is looked for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from core.aims import unit

if TYPE_CHECKING:
    from core.model import Floats

ALPHA = 1.0
"""Weight of the words."""
BETA = 0.5
"""Weight of what was voted up."""
GAMMA = 0.3
"""Weight of what was voted down."""
MOST_DEGREES = 15.0
"""How far votes turn an aim at most."""


def nudged(vector: Floats, looks: Floats, votes: Floats) -> Floats:
    """Give a (D,) unit vector, turned by the (N,) votes on (N, D) looks, each less the middle of its film.

    Votes are sums over people, up less down; a look where these are even counts for nothing.
    """
    towards = BETA * _mean(looks, np.maximum(votes, 0.0)) - GAMMA * _mean(looks, np.maximum(-votes, 0.0))
    target = ALPHA * vector + towards
    if not target.any():
        return vector
    return turned(vector, unit(target), math.radians(MOST_DEGREES))


def turned(start: Floats, end: Floats, most_rad: float) -> Floats:
    """Give the unit vector on the way from one to another, that far from the first at most."""
    angle_rad = math.acos(min(1.0, max(-1.0, float(start @ end))))
    if angle_rad <= most_rad:
        return end
    aside = end - float(start @ end) * start
    if not np.linalg.norm(aside):
        return start
    return unit(math.cos(most_rad) * start + math.sin(most_rad) * unit(aside))


def _mean(looks: Floats, weights: Floats) -> Floats:
    total = float(weights.sum())
    mean: Floats = weights @ looks / total if total else np.zeros(looks.shape[1], np.float32)
    return mean
