"""Puts a baseline beside a curve. Owns when it can be had; core/verdict.py owns the arithmetic."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from core import blending, verdict
from core.likening import likened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from core.background import Background
    from core.found import Curve
    from core.model import EncoderInfo, Floats
    from core.ports import Encoder


_REMEMBERED = 512
"""Films whose background is kept in memory, a kilobyte each."""

Stamp: TypeAlias = tuple[int, bytes]
"""So many looks, and the last of them: whether a film is known as it is by now."""


class Judge:
    """Works out what is usual in a film, so that its scores mean something."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self._encoder = encoder
        self._background = background
        self._films: OrderedDict[str, tuple[Stamp, verdict.Background]] = OrderedDict()

    async def judged(self, curve: Curve) -> Curve:
        """Give a curve of words with its baseline, or one for each text, and without its looks.

        Raises OperatorError.
        """
        looks = curve.vectors
        if looks is None or len(looks) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        film = await self._film(curve.video.id, looks, bank, info)
        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = [verdict.baseline(one, looks, film, bank, info) for one in scores]
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def blended(self, curve: Curve, words: Sequence[Floats | None], picture: Floats) -> Curve:
        """Give the curve of words and a picture (D,) with its baseline, or one for each text, and without its looks.

        `words` are a unit vector for each text, None where one says only what is unwanted. Raises OperatorError.
        """
        looks = curve.vectors
        if looks is None or len(looks) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        film = await self._film(curve.video.id, looks, bank, info)

        def one(scores: Floats, said: Floats | None) -> verdict.Baseline | None:
            asked = replace(curve, scores=scores)
            if said is None:
                return likened(asked).baseline
            return blending.baseline(asked, looks, blending.Blend(said, picture), film, bank, info)

        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = await asyncio.to_thread(lambda: [one(*pair) for pair in zip(scores, words, strict=True)])
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def possible(self, video_id: str, looks: Floats, texts: Floats) -> npt.NDArray[np.bool_]:
        """Tell of each text (K, D) whether a film with these looks (N, D) may show it, (K,); see core/verdict.py.

        Raises OperatorError.
        """
        info, bank = await self._encoder.ready(), await self._background.bank()
        film = await self._film(video_id, looks, bank, info)
        return await asyncio.to_thread(verdict.possible, texts, looks, film, bank, info)

    def known(self, video_id: str) -> verdict.Background | None:
        """Give the background of a film whose curve was judged lately."""
        stamped = self._films.get(video_id)
        return stamped[1] if stamped else None

    async def _film(self, video_id: str, looks: Floats, bank: Floats, info: EncoderInfo) -> verdict.Background:
        stamp = (len(looks), looks[-1].tobytes())
        known_as, film = self._films.get(video_id, (None, None))
        if film is None or known_as != stamp:
            film = await asyncio.to_thread(verdict.background, looks, bank, info)
        self._films[video_id] = stamp, film
        self._films.move_to_end(video_id)
        if len(self._films) > _REMEMBERED:
            self._films.popitem(last=False)
        return film
