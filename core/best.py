"""The best films of many, by bounds first and exactly then. Owns the order in which films are compared; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.model import Curve, Floats

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
    found: dict[int, Curve] = {}
    best: list[tuple[float, int]] = []
    order = [int(place) for place in np.argsort(-bounds, kind="stable")]
    while order:
        least = -best[most - 1][0] if len(best) >= most else -np.inf
        some = [place for place in order[:most] if bounds[place] >= least]
        if not some:
            break
        order = order[len(some) :]
        for place, curve in zip(some, await compare([films[place] for place in some]), strict=True):
            if curve is not None:
                found[place] = curve
                best = sorted([*best, (-worth(curve), place)])
    return tuple(found[place] for place in sorted(place for _, place in best[:most]))
