"""Does a video show what was asked for: "strong", "weak" or "absent"? Pure.

The best frame is compared with a bank of background captions. If the video shows the thing, the model finds the words
of the query much likelier there than an average caption; if not, captions that do fit that frame win. The odds are the
model's own, by its own temperature, so no cosine is fixed:

    level(frame) = log(mean over captions of exp(scale * own(caption, frame)))
    odds         = scale * own(query, best frame) - (level(best frame) + mean of level over the video) / 2

where own() is the cosine less a quarter of its mean over the video: texts differ in how similar they are to anything.
This is the inverted softmax of querybank normalisation (QB-Norm, Bogolin et al., CVPR 2022) with mean subtraction. A
model with a bias (SigLIP) has one rival more, that the frame fits no words at all: its logit is -bias, less the prior
of one match in 2**15 pairs that such models are trained with.

Does it hold a shot like a picture? Frames are nearer to any picture than to words, so captions say nothing here; the
video's own scale does: frames of one shot are 1, far frames 0 (`core.search.shots`). Of words with a picture both
verdicts are brought to one measure (0 weak, 1 strong) and the lesser counts. Words have lower bars there, since the
picture says which shot is meant. `python -m bench.likening` measures it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.model.results import Baseline
from core.search.shots import LEAST_FRAMES, Likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from core.model.results import Curve, Lack, Moment
    from core.model.video import EncoderInfo, Floats

WEAK_FROM = 2.68
STRONG_FROM = 4.47
"""Odds, as natural logarithms. `python -m bench.verdict --fit` works them out; DECISIONS.md says on which videos."""
POSSIBLE_FROM = 1.5
"""Odds from which on what is unwanted counts: between the two errors on videos of known content (DECISIONS.md)."""
CLOSER_WEAK_FROM, CLOSER_STRONG_FROM = 1.89, 3.57
"""Odds on crops (`core.refinement.close_up`), likewise."""
_CENTRED = 0.25
"""Share of a mean that is taken off. All of it, and a video that is about nothing but the query would not show it."""
_PAIRS_SEEN = 2**15
_SAMPLED = 512
"""So many frames are enough for the video's means."""


@dataclass(frozen=True, slots=True, eq=False)
class CaptionLevels:
    """What background captions come to in one video, whatever is asked of it."""

    means: Floats
    """(K,) mean cosine of each caption over the video."""
    level: float
    """Mean logit of what a query has to beat at its frames."""


def background(frames: Floats, bank: Floats, info: EncoderInfo) -> CaptionLevels:
    """Return what a video's frames (N, D) have in common with the bank (K, D), both unit vectors."""
    some = frames[:: 1 + len(frames) // _SAMPLED]
    means: Floats = some.mean(axis=0) @ bank.T
    return CaptionLevels(means, level(some, means, bank, info))


def baseline(scores: Floats, frames: Floats, video: CaptionLevels, bank: Floats, info: EncoderInfo) -> Baseline:
    """Return what a query's scores (N,) at a video's frames (N, D) mean, beside that video's background."""
    best = int(scores.argmax())
    surely = odds(scores[best : best + 1], frames[best : best + 1], float(scores.mean()), video, bank, info)
    own = _CENTRED * float(scores.mean())
    return judged_by(float(scores[best]), float(surely[0]), own + (1 - _CENTRED) * float(video.means.mean()), info)


def possible(
    texts: Floats, frames: Floats, video: CaptionLevels, bank: Floats, info: EncoderInfo
) -> npt.NDArray[np.bool_]:
    """Tell of texts (K, D) which may be in a video with these frames (N, D), (K,).

    More lenient than a verdict: who does not want something is not to see it because the model is in doubt.
    """
    scores: Floats = frames @ texts.T
    best = scores.argmax(axis=0)
    found = scores[best, np.arange(len(best))]
    may_be: npt.NDArray[np.bool_] = odds(found, frames[best], scores.mean(axis=0), video, bank, info) >= POSSIBLE_FROM
    return may_be


def judged_by(
    score: float, surely: float, usual: float, info: EncoderInfo, bars: tuple[float, float] = (WEAK_FROM, STRONG_FROM)
) -> Baseline:
    """Return the baseline by which a video's best score is as sure as these odds say; `bars` are odds likewise."""
    weak_from, strong_from = (score + (bar - surely) / info.logit_scale for bar in bars)
    return Baseline(min(usual, weak_from), weak_from, strong_from)


def seen_closer(curve: Curve, moments: Sequence[Moment], info: EncoderInfo) -> Curve:
    """Return a curve with the baseline that a close-up gave, where one of these moments says that there was one."""
    found = [one.closer for one in moments if one.closer is not None and one.video_id == curve.video.id]
    if not found or curve.baseline is None or curve.lines:
        return curve
    return replace(curve, baseline=_moved(curve.baseline, float(curve.scores.max()), found[0], info))


def _moved(known: Baseline, score: float, surely: float, info: EncoderInfo) -> Baseline:
    return judged_by(score, surely, known.usual, info, (CLOSER_WEAK_FROM, CLOSER_STRONG_FROM))


def odds(
    scores: Floats, frames: Floats, mean_score: float | Floats, video: CaptionLevels, bank: Floats, info: EncoderInfo
) -> Floats:
    """Return how much likelier a query's words are at frames (n, D) with scores (n,) than background captions.

    `mean_score` is what the query has over the video on average. (n,), natural logarithms.
    """
    to_beat = (levels(frames, video.means, bank, info) + video.level) / 2
    surely: Floats = (info.logit_scale * (scores - _CENTRED * mean_score) - to_beat).astype(np.float32)
    return surely


def level(frames: Floats, means: Floats, bank: Floats, info: EncoderInfo) -> float:
    """Return how well frames (n, D) fit background captions, as a mean logit: what a query has to beat."""
    return float(levels(frames, means, bank, info).mean())


def levels(frames: Floats, means: Floats, bank: Floats, info: EncoderInfo) -> Floats:
    """Return likewise for each frame by itself, (n,).

    `means` (K,) are the captions' mean cosines over the video.
    """
    logits = info.logit_scale * (frames @ bank.T - _CENTRED * means).astype(np.float64)
    highest = logits.max(axis=1, keepdims=True)
    fits = highest[:, 0] + np.log(np.exp(logits - highest).mean(axis=1))
    if info.logit_bias:
        none = -info.logit_bias - math.log(_PAIRS_SEEN) - info.logit_scale * _CENTRED * float(means.mean())
        fits = np.logaddexp(fits, none)
    rounded: Floats = fits.astype(np.float32)
    return rounded


WORDS_WEAK_FROM, WORDS_STRONG_FROM = 0.24, 1.99
"""Odds of words in the shot of a picture. `python -m bench.likening --fit` works them out."""
BEST = 3
"""Of so many of the best frames the one counts that has both most."""


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Words and a picture as unit vectors (D,)."""

    words: Floats
    picture: Floats


def blend_baseline(
    curve: Curve, frames: Floats, blend: Blend, video: CaptionLevels, bank: Floats, info: EncoderInfo
) -> Baseline | None:
    """Return what a blend's curve means at a video's frames (N, D); None where the video tells no shots apart."""
    likeness = Likeness(frames)
    if len(frames) < LEAST_FRAMES or not likeness.tells or not curve.counts.any():
        return None
    said = frames @ blend.words
    words = odds(said, frames, float(said.mean()), video, bank, info)
    picture = _picture(frames @ blend.picture, likeness)
    words, picture, scores = (one[curve.counts] for one in (words, picture, curve.scores))
    both = together(scores, words, picture)
    lacks = _lack(both, float(words.max()) - WEAK_FROM, float(picture.max()))
    return _banded(scores, both, _step(blend, likeness, info), lacks)


def together(scores: Floats, words: Floats, picture: Floats) -> float:
    """Return how surely one of the frames with the highest scores (N,) has both, as the lesser of two measures.

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
    """Return how far a score of the blend rises while both rise from a weak hit to a strong one."""
    of_words = (WORDS_STRONG_FROM - WORDS_WEAK_FROM) / info.logit_scale
    of_picture = likeness.cosine(SHOT_STRONG_FROM) - likeness.cosine(SHOT_WEAK_FROM)
    return (of_words + of_picture) / float(np.linalg.norm(blend.words + blend.picture))


def _banded(scores: Floats, both: float, step: float, lacks: Lack) -> Baseline:
    """Put the band where the best frame stands by a measure; no further above it than half of what is left up to 1."""
    best = float(scores.max())
    weak_from = min(best - both * step, (best + 1) / 2)
    return Baseline(min(float(np.median(scores)), weak_from), weak_from, weak_from + step, lacks)


SHOT_WEAK_FROM, SHOT_STRONG_FROM = 0.6, 0.8
"""On that scale. Of pictures from other videos 1 in 12 reaches the first."""


def likened(curve: Curve) -> Curve:
    """Return a picture's curve without its frames, with a baseline where the video tells one shot from another."""
    frames = curve.vectors
    if frames is None or len(frames) < LEAST_FRAMES:
        return replace(curve, vectors=None)
    likeness = Likeness(frames)
    if not likeness.tells:
        return replace(curve, vectors=None)
    usual, weak_from, strong_from = (likeness.cosine(share) for share in (0.0, SHOT_WEAK_FROM, SHOT_STRONG_FROM))
    return replace(curve, vectors=None, baseline=Baseline(usual, weak_from, strong_from))
