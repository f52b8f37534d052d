"""Which buttons stand under an answer, in which rows, and where each leads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from core.formatting import clock
from core.model.actions import Alike, Refine, VoteAction
from core.model.reply import Button

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.answers.cursor import Cursor
    from core.model.actions import Show
    from core.model.answer import Answer
    from core.model.events import Door
    from core.model.reply import PlotStyle
    from core.model.votes import Tally

MOMENTS, STEPS, MODES, TRIM, MORE = range(5)
"""The rows: the moments by number; around them; what is shown of one; a cut's two ends; all else."""

STEP_MS: Final = 1000
TRIM_MS: Final = 500
_MINUS: Final = "\u2212"
_NAME_CHARACTERS: Final = 24
_NO_NAMES: Final[Mapping[str, str]] = {}
_IN: Final = ((-TRIM_MS, "i", f"In {_MINUS}½ s"), (TRIM_MS, "j", "In +½ s"))
_OUT: Final = ((-TRIM_MS, "o", f"Out {_MINUS}½ s"), (TRIM_MS, "q", "Out +½ s"))


def under(
    answer: Answer, wish: Show, cursor: Cursor, door: Door, tally: Tally, names: Mapping[str, str] = _NO_NAMES
) -> tuple[Button, ...]:
    """Give the buttons of a card that shows what was wished for, with how people voted on that moment.

    Of several videos each moment bears its video's name.
    """
    trim = _trim(wish, cursor) if wish.mode == "cut" else ()
    modes = (*_modes(wish, cursor), *_votes(wish, tally))
    return (*_moments(answer, wish, door, names), *_steps(answer, wish, cursor), *modes, *trim, *_more(wish, door))


def _moments(answer: Answer, wish: Show, door: Door, names: Mapping[str, str]) -> tuple[Button, ...]:
    shown = list(enumerate(answer.moments, 1))[: door.max_moments]
    return tuple(
        Button(
            _at_peak(wish, number).id(),
            f"{number} · {clock(moment.peak_s)}{_of_video(names.get(moment.video_id, ''))}",
            active=number == wish.number and wish.mode == "frame" and wish.at_ms is None,
            row=MOMENTS,
        )
        for number, moment in shown
    )


def _of_video(name: str) -> str:
    short = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1].rstrip() + "…"
    return f" · {short}" if name else ""


def _steps(answer: Answer, wish: Show, cursor: Cursor) -> tuple[Button, ...]:
    number = wish.number
    back, on = (_beside(wish, cursor, by_ms) for by_ms in (-STEP_MS, STEP_MS))
    return (
        Button(_at_peak(wish, number - 1).id("p"), "Previous", enabled=number > 1, row=STEPS),
        Button(back.id("b"), f"{_MINUS}1 s", enabled=back.at_ms != cursor.at_ms, row=STEPS),
        Button(on.id("f"), "+1 s", enabled=on.at_ms != cursor.at_ms, row=STEPS),
        Button(_at_peak(wish, number + 1).id("n"), "Next", enabled=number < len(answer.moments), row=STEPS),
    )


def _modes(wish: Show, cursor: Cursor) -> tuple[Button, ...]:
    here = replace(wish, in_ms=None, out_ms=None)
    return (
        _mode(replace(here, mode="preview"), "v", "Preview", wish),
        replace(_mode(replace(here, mode="cut"), "c", "Cut", wish), enabled=cursor.kept),
        _mode(replace(here, mode="sheet"), "w", "Whole video", wish),
    )


def _mode(there: Show, role: str, label: str, wish: Show) -> Button:
    return Button(there.id(role), label, active=there.mode == wish.mode, row=MODES)


def _votes(wish: Show, tally: Tally) -> tuple[Button, ...]:
    """Nobody's own vote is marked: all see the same message."""
    counts = ((True, "👍", tally.ups), (False, "👎", tally.downs))
    return tuple(
        Button(
            VoteAction(wish.answer_id, wish.number, wish.style, is_up, wish.revision).id(),
            f"{sign} {count}" if count else sign,
            row=MODES,
        )
        for is_up, sign, count in counts
    )


def _trim(wish: Show, cursor: Cursor) -> tuple[Button, ...]:
    file = replace(wish, mode="file", in_ms=cursor.in_ms, out_ms=cursor.out_ms)
    return (
        *(_end(wish, cursor, cursor.moved(by_ms, 0), role, label) for by_ms, role, label in _IN),
        *(_end(wish, cursor, cursor.moved(0, by_ms), role, label) for by_ms, role, label in _OUT),
        Button(file.id("x"), "Send the cut", enabled=cursor.kept, row=TRIM),
    )


def _end(wish: Show, cursor: Cursor, moved: Cursor, role: str, label: str) -> Button:
    there = replace(wish, in_ms=moved.in_ms, out_ms=moved.out_ms)
    return Button(there.id(role), label, enabled=moved != cursor, row=TRIM)


def _more(wish: Show, door: Door) -> tuple[Button, ...]:
    other: PlotStyle = "softmax" if wish.style == "similarity" else "similarity"
    return (
        Button(Alike(wish.answer_id, wish.number, wish.at_ms, wish.revision).id(), "More like this", row=MORE),
        # The page, where one person asks, has its own way to refine.
        *((Button(Refine(wish.answer_id).id(), "Refine", row=MORE),) if door.shared else ()),
        Button(replace(wish, style=other).id("s"), _style_label(other), row=MORE),
    )


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
