"""Whether a film shows words and a picture together. Owns how the verdicts of both come to one; pure.

Words have their odds against background captions (core/verdict.py), a picture has its place on the film's own scale of
how alike looks are (core/likening.py). Both are brought to one measure, 0 where a hit begins to be a weak one and 1
where it is a strong one, and the lesser of both counts: neither makes up for the other. The curve is of their sum, and
its band is moved to where its best look stands by that measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import likening
from core.extents import Likeness
from core.verdict import STRONG_FROM, WEAK_FROM, Baseline, odds

if TYPE_CHECKING:
    from core.model import EncoderInfo, Floats
    from core.verdict import Background, Lack

_BEST = 3
"""Of so many of the best looks the one counts that has both most."""


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Words and a picture as unit vectors (D,)."""

    words: Floats
    picture: Floats


def baseline(
    scores: Floats, looks: Floats, blend: Blend, film: Background, bank: Floats, info: EncoderInfo
) -> Baseline | None:
    """Give what scores (N,) of a blend mean at a film's looks (N, D); None where the film tells no shots apart."""
    likeness = Likeness(looks)
    if len(looks) < likening.LEAST_LOOKS or not likeness.tells:
        return None
    said, alike = looks @ blend.words, looks @ blend.picture
    words, picture = _words(said, looks, film, bank, info), _picture(alike, likeness)
    best = np.argsort(-scores, kind="stable")[:_BEST]
    both = float(np.minimum(words[best], picture[best]).max())
    lacks = _lack(both, float(words[said.argmax()]), float(picture.max()))
    return _banded(scores, both, _step(blend, likeness, info), lacks)


def _words(said: Floats, looks: Floats, film: Background, bank: Floats, info: EncoderInfo) -> Floats:
    surely = odds(said, looks, float(said.mean()), film, bank, info)
    measured: Floats = (surely - WEAK_FROM) / (STRONG_FROM - WEAK_FROM)
    return measured


def _picture(alike: Floats, likeness: Likeness) -> Floats:
    weak_from, strong_from = (likeness.cosine(share) for share in (likening.WEAK_FROM, likening.STRONG_FROM))
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
    of_words = (STRONG_FROM - WEAK_FROM) / info.logit_scale
    of_picture = likeness.cosine(likening.STRONG_FROM) - likeness.cosine(likening.WEAK_FROM)
    return (of_words + of_picture) / float(np.linalg.norm(blend.words + blend.picture))


def _banded(scores: Floats, both: float, step: float, lacks: Lack) -> Baseline:
    weak_from = float(scores.max()) - both * step
    return Baseline(min(float(np.median(scores)), weak_from), weak_from, weak_from + step, lacks)
