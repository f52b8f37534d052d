"""Puts a baseline beside a curve. Owns when it can be had; core/verdict.py owns the arithmetic."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from core import verdict

if TYPE_CHECKING:
    from core.background import Background
    from core.model import Curve
    from core.ports import Encoder


class Judge:
    """Works out what is usual in a film, so that its scores mean something."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self._encoder = encoder
        self._background = background

    async def judged(self, curve: Curve) -> Curve:
        """Give a curve of words with its baseline, or one for each text, and without its looks.

        Raises OperatorError.
        """
        looks = curve.vectors
        if looks is None or len(looks) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = [await asyncio.to_thread(verdict.baseline, one, looks, bank, info) for one in scores]
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)
