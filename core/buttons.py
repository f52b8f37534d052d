"""The buttons under an answer, in rows. Owns which there are and where each leads; must not know what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from core.talk import Button
from core.times import clock

if TYPE_CHECKING:
    from core.actions import Show
    from core.cursor import Cursor
    from core.model import Answer
    from core.ports import PlotStyle
    from core.talk import Door

MOMENTS, STEPS, MODES, TRIM, MORE = range(5)
"""The rows: the moments by number; around them; what is shown of one; a cut's two ends; all else."""

STEP_MS: Final = 1000
_MINUS: Final = "\u2212"


def under(answer: Answer, wish: Show, cursor: Cursor, door: Door) -> tuple[Button, ...]:
    """Give the buttons of a card that shows what was wished for."""
    return (*_moments(answer, wish, door), *_steps(answer, wish, cursor), *_modes(wish), *_more(wish))


def _moments(answer: Answer, wish: Show, door: Door) -> tuple[Button, ...]:
    shown = list(enumerate(answer.moments, 1))[: door.max_moments]
    return tuple(
        Button(
            _at_peak(wish, number).id(),
            f"{number} · {clock(moment.peak_s)}",
            active=number == wish.number and wish.mode == "frame" and wish.at_ms is None,
            row=MOMENTS,
        )
        for number, moment in shown
    )


def _steps(answer: Answer, wish: Show, cursor: Cursor) -> tuple[Button, ...]:
    number = wish.number
    back, on = (_beside(wish, cursor, by_ms) for by_ms in (-STEP_MS, STEP_MS))
    return (
        Button(_at_peak(wish, number - 1).id("p"), "Previous", enabled=number > 1, row=STEPS),
        Button(back.id("b"), f"{_MINUS}1 s", enabled=back.at_ms != cursor.at_ms, row=STEPS),
        Button(on.id("f"), "+1 s", enabled=on.at_ms != cursor.at_ms, row=STEPS),
        Button(_at_peak(wish, number + 1).id("n"), "Next", enabled=number < len(answer.moments), row=STEPS),
    )


def _modes(wish: Show) -> tuple[Button, ...]:
    return (Button(replace(wish, mode="sheet").id("w"), "Whole film", active=wish.mode == "sheet", row=MODES),)


def _more(wish: Show) -> tuple[Button, ...]:
    other: PlotStyle = "softmax" if wish.style == "similarity" else "similarity"
    return (Button(replace(wish, style=other).id("s"), _style_label(other), row=MORE),)


def _at_peak(wish: Show, number: int) -> Show:
    return replace(wish, number=number, mode="frame", at_ms=None, in_ms=None, out_ms=None)


def _beside(wish: Show, cursor: Cursor, by_ms: int) -> Show:
    return replace(wish, mode="frame", at_ms=cursor.beside(by_ms), in_ms=None, out_ms=None)


def _style_label(style: PlotStyle) -> str:
    match style:
        case "softmax":
            return "As softmax"
        case "similarity":
            return "As similarity"
        case _:
            assert_never(style)
