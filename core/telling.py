"""How an answer speaks of its question and its moments. Owns these words; pure, must not know buttons or pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core import judgement
from core.sharpening import ends
from core.times import clock

if TYPE_CHECKING:
    from core.answering import Shown
    from core.found import Answer, Curve, Moment, Query, SearchResult


def title(query: Query) -> str:
    """Give a question as a headline has it."""
    words = query.text.strip()
    if query.picture is None:
        return f"“{words}”"
    alike = "more like this" if query.picture.source else "like the picture"
    return f"“{words}”, {alike}" if words else alike.capitalize()


def head(query: Query, curve: Curve, *, is_checked: bool = True) -> str:
    """Head an answer: with the question, and honestly where the film does not show it.

    Of two in order that is one of them; of texts side by side, all. What is not checked yet is not denied either.
    """
    if not is_checked:
        return f"{title(query)}: checking…"
    by_picture, known = query.picture is not None, curve.baseline
    lacks = known.lacks if known and query.asked.form == "one" else ""
    absent, from_here = is_absent(query, curve), curve.source is not None
    return judgement.title(title(query), absent=absent, by_picture=by_picture, from_here=from_here, lacks=lacks)


def is_absent(query: Query, curve: Curve) -> bool:
    """Tell whether the film of an answer probably does not show what was asked for."""
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
    return f"{head(result.query, result.curve)}: best at {where}{' (a weak hit)' if result.verdict == 'weak' else ''}"


def place(answer: Answer, shown: Shown, at: str, *, is_checked: bool = True) -> list[str]:
    """Say in lines where a moment is, which of how many it is, and how much it is like what was asked for.

    `at` is the time of the frame that is shown.
    """
    count, moment = len(answer.moments), shown.moment
    match answer.query.asked.form:
        case "sequence":
            return _in_order(shown, count, at)
        case "comparison":
            return _side_by_side(shown, count, at)
        case "one":
            judged = judgement.judged if is_checked else judgement.unchecked
            return [
                f"{at} in {shown.curve.video.title}",
                f"Moment {shown.number} of {count}, {_span(moment)}. {judged(shown.curve, moment)}",
            ]
        case _:
            assert_never(answer.query.asked.form)


def _in_order(shown: Shown, count: int, at: str) -> list[str]:
    first, then = shown.moment, shown.moment.then
    if then is None:
        raise ValueError("a moment of a sequence has another after it")
    one, other = (shown.curve.of(part) for part in (0, 1))
    alone, _ = ends(first, then)
    texts = [line.text for line in shown.curve.lines]
    return [
        f"{at}, then {clock(then.peak_s)} in {shown.curve.video.title}",
        f"Pair {shown.number} of {count}, similarity {first.score:.2f}, the mean of both:",
        f"“{texts[0]}” {_span(first)}. {judgement.judged(one, alone)}",
        f"“{texts[1]}” {_span(then)}. {judgement.judged(other, then)}",
    ]


def _side_by_side(shown: Shown, count: int, at: str) -> list[str]:
    moment = shown.moment
    among = ", ".join(f"{text} {share:.4f}" for text, share in shown.shares)
    return [
        f"{at} in {shown.curve.video.title}, for “{shown.curve.lines[moment.part].text}”",
        f"Moment {shown.number} of {count}, {_span(moment)}. {judgement.judged(shown.curve, moment)}",
        f"Probabilities among these here: {among}.",
    ]


def ranked(votes: int) -> str:
    """Say that people's votes made this order, where they did."""
    return f"Ranked with {'1 vote' if votes == 1 else f'{votes} votes'}." if votes else ""


def _span(moment: Moment) -> str:
    return f"{clock(moment.start_s)} to {clock(moment.end_s)}"
