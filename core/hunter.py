"""Finds a film's best frame by further looks, the most promising places first, for as long as it may take.

Owns the steps and their budget; core/hunting.py says where. Must not know who waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core import hunting
from core.model import FrameIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.found import Curve, Query
    from core.glancing import Glances
    from core.model import Floats

BUDGET_S = 4.0
"""What a hunt may take. A look takes ViT-B-32 70 ms on two cores: then the three best places are looked at."""
_SHARE = 0.7
"""Of that for the first step."""
_SAME_SCORE = 0.02
"""A look that is taken again must score as it did; else the file is another one, or its times are not to be trusted."""


@dataclass(slots=True, eq=False)
class _Hunt:
    """One hunt under way."""

    query: Query
    curve: Curve
    began_s: float
    scores: dict[float, float] = field(default_factory=dict)
    """By time, of the further looks."""
    looks: dict[float, Floats] = field(default_factory=dict)
    """By time likewise, (D,) each."""
    steps_s: dict[float, float] = field(default_factory=dict)
    """How far each of them is from those beside it."""


class Hunter:
    """Hunts for best frames."""

    def __init__(self, glances: Glances, clock_s: Callable[[], float]) -> None:
        """Take a clock that stands still while a hunt has to wait."""
        self._glances = glances
        self._clock_s = clock_s

    async def best(self, query: Query, curve: Curve) -> hunting.Found | None:
        """Give the best frame of a film that was found beside the looks of its curve (of one text); None without any.

        Raises AppError.
        """
        hunt = _Hunt(query, curve, self._clock_s())
        await self._coarsely(hunt, hunting.enough(hunting.places(curve)))
        await self._closely(hunt)
        best_s = max(hunt.scores, key=lambda time_s: hunt.scores[time_s], default=None)
        if best_s is None or self._is_the_same(hunt, best_s):
            return None
        return hunting.Found(best_s, hunt.scores[best_s], _frames(hunt))

    def _is_the_same(self, hunt: _Hunt, best_s: float) -> bool:
        """Tell whether the best frame is that of the index's best look over again, as a camera at rest shows it."""
        look = hunt.curve.best
        again_s = min(hunt.looks, key=lambda time_s: abs(time_s - hunt.curve.times_s[look]), default=None)
        if again_s is None or best_s not in hunt.looks or hunting.unknown([again_s], [hunt.curve.times_s[look]]):
            return False
        known = hunt.looks[again_s]
        gain = hunt.scores[best_s] - float(hunt.curve.scores[look])
        return hunting.same_picture(known, hunt.looks[best_s], gain)

    async def _coarsely(self, hunt: _Hunt, places: Sequence[hunting.Place]) -> None:
        """Look at places: at one, which tells what it costs, and then at as many as may be."""
        looked, count = 0, 1
        while count > 0 and looked < len(places):
            await self._look(hunt, places[looked : looked + count])
            looked = min(len(places), looked + count)
            spent_s = self._clock_s() - hunt.began_s
            count = int((_SHARE * BUDGET_S - spent_s) * looked / max(spent_s, 1e-6))

    async def _look(self, hunt: _Hunt, places: Sequence[hunting.Place]) -> None:
        times_s = sorted(time_s for place in places for time_s in place.times_s())
        seen = await self._glances.at(hunt.query, hunt.curve.video, times_s)
        if seen is None:
            return
        scores = dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
        for place in places:
            there = {time_s: score for time_s, score in scores.items() if place.holds(time_s)}
            if there and abs(there[min(there)] - place.score) <= _SAME_SCORE:
                hunt.scores |= there
                hunt.looks |= _looks(seen)
                hunt.steps_s |= dict.fromkeys(there, place.step_s)

    async def _closely(self, hunt: _Hunt) -> None:
        """Look at all frames around the best of the looks, around as many of them as may be."""
        spent_s = self._clock_s() - hunt.began_s
        looks = (BUDGET_S - spent_s) * len(hunt.scores) / max(spent_s, 1e-6)
        for most in range(hunting.CLOSE, 0, -1):
            times_s = hunting.close_by(hunt.scores, hunt.steps_s, most)
            if len(times_s) <= looks:
                seen = await self._glances.at(hunt.query, hunt.curve.video, times_s, hunt.scores)
                if seen is not None:
                    hunt.scores |= dict(zip(seen.times_s.tolist(), seen.scores.tolist(), strict=True))
                    hunt.looks |= _looks(seen)
                return


def _frames(hunt: _Hunt) -> FrameIndex | None:
    times_s = sorted(hunt.looks)
    return FrameIndex(np.array(times_s), np.array([hunt.looks[time_s] for time_s in times_s])) if times_s else None


def _looks(seen: Curve) -> dict[float, Floats]:
    return {} if seen.vectors is None else dict(zip(seen.times_s.tolist(), seen.vectors, strict=True))
