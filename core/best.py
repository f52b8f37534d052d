"""The best films of many, by bounds first and exactly then. Owns the order in which films are compared; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.found import Curve
    from core.model import Floats

F = TypeVar("F")


async def best_curves(
    films: Sequence[F],
    bounds: Floats,
    compare: Callable[[Sequence[F]], Awaitable[Sequence[Curve | None]]],
    most: int,
    worth: Callable[[Curve], float],
) -> tuple[Curve, ...]:
    """Give the curves of the films that are worth most, at most that many, in the order in which films came.

    `bounds` are (F,) numbers that no film's worth exceeds. Films are compared from the highest bound down until no
    other can get in, which gives the same as comparing all of them would (Fagin, Lotem and Naor's threshold
    algorithm, 2003); of equal films the earlier counts. `compare` takes some films at a time, as each time has a price,
    and gives None for one that is gone.
    """
    best: list[tuple[float, int, Curve]] = []
    order = [int(place) for place in np.argsort(-bounds, kind="stable")]
    at_once = most
    while order:
        least = -best[most - 1][0] if len(best) >= most else -np.inf
        some = [place for place in order[:at_once] if bounds[place] >= least]
        if not some:
            break
        order, at_once = order[len(some) :], 2 * at_once  # many films may be as good as the best, within their bounds
        curves = zip(some, await compare([films[place] for place in some]), strict=True)
        found = [(-worth(curve), place, curve) for place, curve in curves if curve is not None]
        best = sorted([*best, *found], key=lambda one: one[:2])[:most]
    return tuple(curve for _, _, curve in sorted(best, key=lambda one: one[1]))
