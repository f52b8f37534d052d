"""What is said of a verdict. Owns this wording; must not judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.moments import baseline

if TYPE_CHECKING:
    from core.found import Curve, Moment
    from core.verdict import Verdict

_ABSENT = "probably not in this footage"
_NO_SHOT = "probably no such shot in this footage"
_MOMENTS: dict[Verdict, str] = {
    "strong": "A clear hit",
    "weak": "Perhaps, a weak hit",
    "absent": "No hit, only what comes nearest",
}


def title(asked: str, *, absent: bool, by_picture: bool = False) -> str:
    """Head an answer: with what was asked, and honestly where its film does not show that.

    Of a picture only its shot is judged: what it shows may be there in another one.
    """
    return f"{asked}: {_NO_SHOT if by_picture else _ABSENT}" if absent else asked


def judged(curve: Curve, moment: Moment) -> str:
    """Say what the similarity of a moment means in its film."""
    score, verdict = f"imilarity {moment.score:.2f}", curve.verdict_of(moment)
    if verdict is None or curve.baseline is None:
        return f"S{score}; usual here: {baseline(curve.scores):.2f}."
    return f"{_MOMENTS[verdict]}: s{score}; what is not here seldom reaches {curve.baseline.weak_from:.2f}."
