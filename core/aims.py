"""What looks are compared with, and how. Owns the arithmetic of words, phrases, pictures and what is unwanted; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.found import Curve, Line
from core.moments import ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.asking import Wish
    from core.model import Floats, FrameIndex, Video

PHRASE_WEIGHT = 0.5
"""Of each phrase in quotes, beside the whole text's 1."""
PICTURE_WEIGHT = 1.0
"""Of a picture, beside the words' 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """One wish as vectors."""

    label: str
    vector: Floats
    """(D,) float32, of length 1."""
    without: Floats
    """(K, D) float32, rows of length 1."""


def aim(wish: Wish, vectors: Mapping[str, Floats], picture: Floats | None = None) -> Aim:
    """Give the aim of a wish, from the (D,) unit vector of each of its texts, and of a picture.

    The whole text, each phrase in quotes and the picture are added up as unit vectors with their weights. A picture
    is nearer to looks than any text is; its weight of 1 leaves the order to it, and to the words where pictures tie.
    """
    parts = [PHRASE_WEIGHT * vectors[phrase] for phrase in wish.phrases]
    if wish.words:
        parts.append(vectors[wish.words])
    if picture is not None:
        parts.append(PICTURE_WEIGHT * picture)
    without = [vectors[text] for text in wish.without]
    total = np.sum(parts, axis=0)
    return Aim(wish.words, unit(total), np.array(without, np.float32).reshape(len(without), len(total)))


def unit(vector: Floats) -> Floats:
    """Give a vector of length 1; raises ValueError for one of length 0."""
    length = float(np.linalg.norm(vector))
    if not length:
        raise ValueError("a vector of length 0 has no direction")
    scaled: Floats = (vector / length).astype(np.float32)
    return scaled


def similarity(looks: Floats, what: Aim, film: Floats | None = None) -> Floats:
    """Give the (N,) similarity of (N, D) looks: the cosine, less what is unwanted.

    What is unwanted counts as far as it rises above what is usual in this film: a look without it loses nothing. The
    looks are all that there are of the film, unless those are given.
    """
    scores: Floats = looks @ what.vector
    for vector in what.without:
        unwanted: Floats = looks @ vector
        usual = ground(unwanted if film is None else film @ vector)
        scores = scores - np.maximum(np.float32(0.0), unwanted - np.float32(usual))
    return scores


def curve(video: Video, index: FrameIndex, aims: Sequence[Aim], film: Floats | None = None) -> Curve:
    """Give the curve of one film: of the first aim, with a line for each where there are several.

    Where the index is of some looks alone, `film` are all that there are, (N, D).
    """
    scores = [similarity(index.vectors, one, film) for one in aims]
    lines = tuple(Line(one.label, line) for one, line in zip(aims, scores, strict=True)) if len(aims) > 1 else ()
    return Curve(video, index.times_s, scores[0], vectors=index.vectors, lines=lines)
