"""Puts a baseline beside a curve. Owns when it can be had; core/verdict.py owns the arithmetic."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from core import verdict

if TYPE_CHECKING:
    from core.background import Background
    from core.model import Curve, EncoderInfo, Floats
    from core.ports import Encoder


_REMEMBERED = 512
"""Films whose background is kept in memory, a kilobyte each."""

Key: TypeAlias = "tuple[str, int, bytes]"


class Judge:
    """Works out what is usual in a film, so that its scores mean something."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self._encoder = encoder
        self._background = background
        self._films: OrderedDict[Key, verdict.Background] = OrderedDict()

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

    async def _film(self, video_id: str, looks: Floats, bank: Floats, info: EncoderInfo) -> verdict.Background:
        key = (video_id, len(looks), looks[-1].tobytes())
        film = self._films.get(key)
        if film is None:
            film = await asyncio.to_thread(verdict.background, looks, bank, info)
        self._films[key] = film
        self._films.move_to_end(key)
        if len(self._films) > _REMEMBERED:
            self._films.popitem(last=False)
        return film
