"""What is said of an answer: its title, its verdict, and where each moment is."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core.formatting import clock
from core.model.results import ends
from core.search.moments import baseline

if TYPE_CHECKING:
    from core.model.answer import Answer, AnswerView
    from core.model.query import Query
    from core.model.reply import Level
    from core.model.results import Curve, Lack, Moment, SearchResult

_ABSENT = "probably not in this video"
_NO_SHOT = "probably no such shot in this video"
_NOTHING_ELSE = "probably nothing else in this video looks like it"
_LACKS: dict[Lack, str] = {
    "words": "a shot like it is here, but what the words say probably not",
    "picture": "what the words say is here, but probably no such shot",
    "either": "probably neither in this video",
    "together": "each is in this video, but probably not together",
}
_ELSE_LACKS: dict[Lack, str] = {
    "words": "something else here looks like it, but what the words say is probably not here",
    "picture": "what the words say is here, but probably nothing else looks like it",
    "either": "probably neither anywhere else in this video",
    "together": "each is elsewhere in this video, but probably not together",
}
_BY_DOUBT: tuple[Level, ...] = ("strong", "weak", "absent", "", "checking")
LEVELS: dict[Level, str] = {
    "": "",
    "strong": "Strong match",
    "weak": "Possible match",
    "absent": "Probably not in this video",
    "checking": "Checking…",
}
"""How sure a verdict is, in words."""
_UNLIKELY = "Unlikely"
"""A moment of a video that probably does not show it, or that stands far below the others."""


def verdict_title(
    asked: str, *, absent: bool, by_picture: bool = False, from_here: bool = False, lacks: Lack = ""
) -> str:
    """Head an answer: with what was asked, and honestly where its video does not show that.

    Of a picture only its shot is judged: what it shows may be there in another one. Where the picture is `from_here`,
    that very video, the rest of it is judged. Of words and a picture it is said which of them the video lacks.
    """
    if not absent:
        return asked
    known = _ELSE_LACKS if from_here else _LACKS
    if lacks:
        return f"{asked}: {known[lacks]}"
    return f"{asked}: {(_NOTHING_ELSE if from_here else _NO_SHOT) if by_picture else _ABSENT}"


def level(curve: Curve, moment: Moment, *, is_checked: bool = True) -> Level:
    """Return how surely a moment shows what was asked for."""
    return "checking" if not is_checked else (curve.verdict_of(moment) or "")


def weaker(one: Level, other: Level) -> Level:
    """Return how sure two moments are together: no surer than either."""
    return max(one, other, key=_BY_DOUBT.index)


def verdict(level: Level) -> str:
    """Return what stands above an answer: how sure the moment is, unless the title says that already."""
    return "" if level == "checking" else strength(level)


def strength(level: Level) -> str:
    """Return what a moment among others is, in a word or two."""
    return _UNLIKELY if level == "absent" else LEVELS[level]


def figures(curve: Curve, moment: Moment) -> str:
    """Say what the similarity of a moment is, and what that means in its video."""
    known = curve.baseline
    if known is None:
        return f"Similarity {moment.score:.2f}; usual in this video: {baseline(curve.scores):.2f}."
    return (
        f"Similarity {moment.score:.2f}. Frames of this video without it seldom reach {known.weak_from:.2f}; "
        f"from {known.strong_from:.2f} on it is almost surely there."
    )


def details(answer: Answer, shown: AnswerView) -> str:
    """Say the figures behind the verdict on a moment, and what they mean."""
    moment, curve = shown.moment, shown.curve
    meaning = "Similarity is the cosine between the model's vectors of your words and of a frame, from -1 to 1."
    if answer.query.asked.form == "sequence" and moment.then:
        alone, _ = ends(moment, moment.then)
        texts = [line.text for line in curve.lines]
        each = [figures(curve.of(part), one) for part, one in enumerate((alone, moment.then))]
        lines = [f"“{text}”: {said}" for text, said in zip(texts, each, strict=True)]
        return "\n".join([f"Both together: {moment.score:.2f}, the mean.", *lines, meaning])
    among = [f"{text}: {share:.2%}" for text, share in shown.shares]
    return "\n".join([figures(curve, moment), *among, meaning])


def title(query: Query) -> str:
    """Return a query as a headline has it."""
    words = query.text.strip()
    if query.picture is None:
        return f"“{words}”"
    alike = "more like this" if query.picture.source else "like the picture"
    return f"“{words}”, {alike}" if words else alike.capitalize()


def head(query: Query, curve: Curve, *, is_checked: bool = True) -> str:
    """Head an answer: with the question, and honestly where the video does not show it.

    Of two in order that is one of them; of texts side by side, all. What is not checked yet is not denied either.
    """
    if not is_checked:
        return f"{title(query)}: checking…"
    by_picture, known = query.picture is not None, curve.baseline
    lacks = known.lacks if known and query.asked.form == "one" else ""
    absent, from_here = is_absent(query, curve), curve.source is not None
    return verdict_title(title(query), absent=absent, by_picture=by_picture, from_here=from_here, lacks=lacks)


def is_absent(query: Query, curve: Curve) -> bool:
    """Tell whether the video of an answer probably does not show what was asked for."""
    absent = [curve.of(part).verdict == "absent" for part in range(max(1, len(curve.lines)))]
    match query.asked.form:
        case "one":
            return curve.verdict == "absent"
        case "sequence":
            return any(absent)
        case "comparison":
            return all(absent)
        case form:
            assert_never(form)


def headline(result: SearchResult) -> str:
    """Say in one line what was found, and whether it was."""
    where = f"{clock(result.best.peak_s)} in {result.curve.video.title}"
    if is_absent(result.query, result.curve):
        return f"{head(result.query, result.curve)}; nearest at {where}"
    return (
        f"{head(result.query, result.curve)}: best at {where}{' (possible match)' if result.verdict == 'weak' else ''}"
    )


def place(answer: Answer, shown: AnswerView, at: str) -> list[str]:
    """Say in lines where a moment is, which of how many it is.

    `at` is the time of the frame that is shown.
    """
    count, moment = len(answer.moments), shown.moment
    match answer.query.asked.form:
        case "sequence":
            return _in_order(shown, count, at)
        case "comparison":
            return _side_by_side(shown, count, at)
        case "one":
            return [f"{at} in {shown.curve.video.title}", f"Moment {shown.number} of {count}, {_span(moment)}."]
        case _:
            assert_never(answer.query.asked.form)


def _in_order(shown: AnswerView, count: int, at: str) -> list[str]:
    first, then = shown.moment, shown.moment.then
    if then is None:
        raise ValueError("a moment of a sequence has another after it")
    one, other = (shown.curve.of(part) for part in (0, 1))
    alone, _ = ends(first, then)
    texts = [line.text for line in shown.curve.lines]
    levels = level(one, alone), level(other, then)
    return [
        f"{at}, then {clock(then.peak_s)} in {shown.curve.video.title}",
        f"Pair {shown.number} of {count}:",
        f"“{texts[0]}” {_span(first)}.{_judged(levels[0])}",
        f"“{texts[1]}” {_span(then)}.{_judged(levels[1])}",
    ]


def _side_by_side(shown: AnswerView, count: int, at: str) -> list[str]:
    moment = shown.moment
    among = ", ".join(f"{text} {percent(share)}" for text, share in shown.shares)
    return [
        f"{at} in {shown.curve.video.title}, for “{shown.curve.lines[moment.part].text}”",
        f"Moment {shown.number} of {count}, {_span(moment)}.",
        f"Probabilities among these here: {among}.",
    ]


def _judged(judged: Level) -> str:
    """Say how sure a moment is, behind where it is."""
    said = strength(judged)
    return f" {said}{'' if said.endswith('…') else '.'}" if said else ""


def percent(share: float) -> str:
    """Return a share in words."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{share:.0%}".replace("%", " %") if share < 0.995 or share == 1 else "more than 99 %"


def ranked(votes: int) -> str:
    """Say that people's votes made this order, where they did."""
    return f"Ranked with {'1 vote' if votes == 1 else f'{votes} votes'}." if votes else ""


def _span(moment: Moment) -> str:
    return f"{clock(moment.start_s)} to {clock(moment.end_s)}"
