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
    compare: Callable[[F], Awaitable[Curve | None]],
    most: int,
    worth: Callable[[Curve], float],
) -> tuple[Curve, ...]:
    """Give the curves of the films that are worth most, at most that many, in the order in which films came.

    `bounds` are (F,) numbers that no film's worth exceeds. Films are compared from the highest bound down until no
    other can get in, which gives the same as comparing all of them would (Fagin, Lotem and Naor's threshold
    algorithm, 2003); of equal films the earlier counts. `compare` gives None for a film that is gone.
    """
    found: dict[int, Curve] = {}
    best: list[tuple[float, int]] = []
    for place in np.argsort(-bounds, kind="stable"):
        if len(best) >= most and bounds[place] < -best[most - 1][0]:
            break
        curve = await compare(films[place])
        if curve is not None:
            found[int(place)] = curve
            best = sorted([*best, (-worth(curve), int(place))])
    return tuple(found[place] for place in sorted(place for _, place in best[:most]))
