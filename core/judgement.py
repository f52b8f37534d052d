"""What is said of a verdict. Owns this wording; must not judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.moments import baseline

if TYPE_CHECKING:
    from core.found import Curve, Moment
    from core.verdict import Lack, Verdict

_ABSENT = "probably not in this footage"
_NO_SHOT = "probably no such shot in this footage"
_NOTHING_ELSE = "probably nothing else in this footage looks like it"
_LACKS: dict[Lack, str] = {
    "words": "a shot like it is here, but what the words say probably not",
    "picture": "what the words say is here, but probably no such shot",
    "either": "probably neither in this footage",
    "together": "each is in this footage, but probably not together",
}
_ELSE_LACKS: dict[Lack, str] = {
    "words": "something else here looks like it, but what the words say is probably not here",
    "picture": "what the words say is here, but probably nothing else looks like it",
    "either": "probably neither anywhere else in this footage",
    "together": "each is elsewhere in this footage, but probably not together",
}
_MOMENTS: dict[Verdict, str] = {
    "strong": "A clear hit",
    "weak": "Perhaps, a weak hit",
    "absent": "No hit, only what comes nearest",
}


def title(asked: str, *, absent: bool, by_picture: bool = False, from_here: bool = False, lacks: Lack = "") -> str:
    """Head an answer: with what was asked, and honestly where its film does not show that.

    Of a picture only its shot is judged: what it shows may be there in another one. Where the picture is `from_here`,
    that very film, the rest of it is judged. Of words and a picture it is said which of them the film lacks.
    """
    if not absent:
        return asked
    known = _ELSE_LACKS if from_here else _LACKS
    if lacks:
        return f"{asked}: {known[lacks]}"
    return f"{asked}: {(_NOTHING_ELSE if from_here else _NO_SHOT) if by_picture else _ABSENT}"


def unchecked(_curve: Curve, moment: Moment) -> str:
    """Say that a closer look at a moment's film is still to come."""
    return f"Checking…: similarity {moment.score:.2f}."


def judged(curve: Curve, moment: Moment) -> str:
    """Say what the similarity of a moment means in its film."""
    score, verdict = f"imilarity {moment.score:.2f}", curve.verdict_of(moment)
    if verdict is None or curve.baseline is None:
        return f"S{score}; usual here: {baseline(curve.scores):.2f}."
    return f"{_MOMENTS[verdict]}: s{score}; what is not here seldom reaches {curve.baseline.weak_from:.2f}."
