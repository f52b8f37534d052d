"""What is said of a verdict. Owns this wording; must not judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.moments import baseline

if TYPE_CHECKING:
    from core.found import Curve, Moment
    from core.verdict import Lack, Verdict

_ABSENT = "probably not in this footage"
_NO_SHOT = "probably no such shot in this footage"
_LACKS: dict[Lack, str] = {
    "words": "a shot like it is here, but what the words say probably not",
    "picture": "what the words say is here, but probably no such shot",
    "either": "probably neither in this footage",
    "together": "each is in this footage, but probably not together",
}
_MOMENTS: dict[Verdict, str] = {
    "strong": "A clear hit",
    "weak": "Perhaps, a weak hit",
    "absent": "No hit, only what comes nearest",
}


def title(asked: str, *, absent: bool, by_picture: bool = False, lacks: Lack = "") -> str:
    """Head an answer: with what was asked, and honestly where its film does not show that.

    Of a picture only its shot is judged: what it shows may be there in another one. Of words and a picture it is said
    which of them the film lacks.
    """
    if not absent:
        return asked
    return f"{asked}: {_LACKS[lacks] if lacks else _NO_SHOT if by_picture else _ABSENT}"


def judged(curve: Curve, moment: Moment) -> str:
    """Say what the similarity of a moment means in its film."""
    score, verdict = f"imilarity {moment.score:.2f}", curve.verdict_of(moment)
    if verdict is None or curve.baseline is None:
        return f"S{score}; usual here: {baseline(curve.scores):.2f}."
    return f"{_MOMENTS[verdict]}: s{score}; what is not here seldom reaches {curve.baseline.weak_from:.2f}."
