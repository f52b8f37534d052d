"""Which moments of some films answer a query. Owns that choice for each form of question; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core.errors.asking import NothingElse
from core.moments import by_film, find_moments, rank
from core.ordering import beside, ordered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.found import Curve, Moment, Query


def chosen(curves: Sequence[Curve], query: Query, most: int) -> tuple[Moment, ...]:
    """Give the moments of at least one film, best first; at most that many, but one for each text side by side.

    Raises NotInOrder, NothingElse.
    """
    others = [curve for curve in curves if curve.counts.any()]
    if not others:
        raise NothingElse
    asked = query.asked
    match asked.form:
        case "one":
            found = [(curve, find_moments(curve, most)) for curve in others]
            if not (ranked := by_film(rank(found, most * len(found)))[:most]):
                raise NothingElse
            return ranked
        case "sequence":
            return ordered(others, most, asked.window_s)
        case "comparison":
            return beside(others, most)
        case _:
            assert_never(asked.form)


def shown_first(moments: Sequence[Moment], films: Mapping[str, Curve]) -> tuple[Moment, ...]:
    """Put the moments of films that probably do not show it behind the others; else the order stays.

    What is a high score in one film is none in another.
    """
    return tuple(sorted(moments, key=lambda moment: films[moment.video_id].verdict == "absent"))
