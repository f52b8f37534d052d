"""Checks a doubtful verdict again on crops of the best frames.

What is small, or beside something else, gets lost in a whole frame. Crops keep the frame's shape, since the model saw
whole frames squashed to a square. The best of many crops is high by chance more often, so they have thresholds of their
own. `python -m bench.verdict` measures them.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from core.errors import AppError
from core.model.video import FrameIndex
from core.ports.video import Framing
from core.search.verdict import STRONG_FROM, WEAK_FROM, odds

if TYPE_CHECKING:
    from core.model.query import Query
    from core.model.results import Curve, Moment
    from core.model.video import EncoderInfo, Floats
    from core.ports.library import Encoder, Media
    from core.ports.video import Framer
    from core.search.judge import Background, Judge
    from core.search.searcher import Searcher

log = logging.getLogger(__name__)
_WHOLE: Final = Framing(0, 0, 1, 1)
KINDS: Final[tuple[tuple[Framing, ...], ...]] = (
    (_WHOLE._replace(mirrored=True),),
    (Framing(0, 0, 0.5, 1), Framing(0.5, 0, 1, 1)),
    tuple(Framing(left, 0.1, left + 0.7, 0.8) for left in (0.0, 0.15, 0.3)),
    tuple(Framing(left, 0.25, left + 0.6, 0.85) for left in (0.0, 0.2, 0.4)),
    tuple(Framing(left, 0.3, left + 0.5, 0.8) for left in (0.0, 0.125, 0.25, 0.375, 0.5)),
)
"""Of each kind the best part counts."""
FRAMINGS: Final = (_WHOLE, *(framing for kind in KINDS for framing in kind))
SAME_SCORE = 0.02
"""A frame decoded again must score as it did; else the file is another one, or its times are not to be trusted."""
_DOUBTFUL_FROM = -0.5
"""Below these odds a video is too far off for a close-up to change that."""
_FRAMES = 3
PARTS_WEIGH = 2.0
"""Beside a whole frame's 1."""


def together(surely: Floats) -> float:
    """Return the odds of a video from those of FRAMINGS at some frames, (n, F)."""
    parts, at = [], 1
    for kind in KINDS:
        parts.append(surely[:, at : at + len(kind)].max(axis=1))
        at += len(kind)
    return float(((surely[:, 0] + PARTS_WEIGH * np.mean(parts, axis=0)) / (1 + PARTS_WEIGH)).max())


def is_doubtful(curve: Curve, info: EncoderInfo) -> bool:
    """Tell whether a close-up may change a verdict."""
    if curve.baseline is None or curve.lines:
        return False
    surely = WEAK_FROM + info.logit_scale * (float(curve.scores.max()) - curve.baseline.weak_from)
    return _DOUBTFUL_FROM <= surely < STRONG_FROM


class CloseUp:
    """Checks verdicts on crops of kept files' frames."""

    def __init__(
        self,
        media: Media,
        framer: Framer,
        encoder: Encoder,
        background: Background,
        judge: Judge,
        searcher: Searcher,
    ) -> None:
        self._media = media
        self._framer = framer
        self._encoder = encoder
        self._background = background
        self._judge = judge
        self._searcher = searcher

    async def at(self, query: Query, moment: Moment, curve: Curve) -> Moment:
        """Return the best moment of a video with how surely that video shows it; as it is where there is no doubt.

        Raises OperatorError.
        """
        if not await self.is_wanted(query, moment, curve):
            return moment
        info = await self._encoder.ready()
        try:
            surely = await self._odds(query, curve, info)
        except AppError as error:
            log.info("no close-up of %s: %s", curve.video.id, type(error).__name__)
            return moment
        return moment if surely is None else replace(moment, closer=surely)

    async def is_wanted(self, query: Query, moment: Moment, curve: Curve) -> bool:
        """Tell whether a close-up of a moment's video may change its verdict, and can be had.

        Words alone are judged so: not a picture, nor what comes with something unwanted; and once.
        Raises OperatorError.
        """
        terms = query.asked.terms
        if query.picture or len(terms) != 1 or terms[0].without or moment.closer is not None:
            return False
        if not is_doubtful(curve, await self._encoder.ready()) or self._judge.known(curve.video.id) is None:
            return False
        return await self._media.path(curve.video.id) is not None

    async def _odds(self, query: Query, curve: Curve, info: EncoderInfo) -> float | None:
        path, video = await self._media.path(curve.video.id), self._judge.known(curve.video.id)
        if path is None or video is None:
            return None
        best = np.sort(np.argsort(-curve.scores, kind="stable")[:_FRAMES])
        framed = await self._framer.framed(path, curve.times_s[best].tolist(), FRAMINGS, info.preprocess)
        if len(framed) != len(best):
            return None
        vectors = await self._encoder.frames(np.concatenate(framed))
        index = FrameIndex(np.arange(len(vectors), dtype=np.float64), vectors)
        scores = (await self._searcher.compared(query, curve.video, index)).scores
        again = scores.reshape(len(best), -1)[:, 0]
        if np.abs(again - curve.scores[best]).max() > SAME_SCORE:
            return None
        bank = await self._background.bank()
        surely = odds(scores, vectors, float(curve.scores.mean()), video, bank, info)
        return together(surely.reshape(len(best), -1))
