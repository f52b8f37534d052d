"""The position that a card stands at: the frame shown and the two ends of a cut, in milliseconds.

It is brought back within the video and the limits, whatever a button's id says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from core.formatting import clock, tenths
from core.model.actions import Alike, Details, Refine, VoteAction
from core.model.reply import Button

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model.actions import Show
    from core.model.answer import Answer, Tally
    from core.model.events import Door
    from core.model.reply import PlotStyle
    from core.model.results import Moment

LEAST_CUT_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a video; all times in milliseconds since its first frame."""

    at_ms: int
    """Of the frame that is shown."""
    in_ms: int
    """Where the cut [in_ms, out_ms) begins."""
    out_ms: int
    video_ms: int
    most_cut_ms: int
    kept: bool = True
    """Whether the video's file is still there to be cut from."""

    @classmethod
    def of(cls, wish: Show, moment: Moment, duration_s: float, most_cut_s: float, *, kept: bool = True) -> Cursor:
        """Return the place that a button asks for, brought within the video; without times, the moment itself."""
        video_ms = max(LEAST_CUT_MS, round(duration_s * 1000))
        peak_ms = _within(round(moment.peak_s * 1000), 0, video_ms)
        whole = cls(peak_ms, 0, video_ms, video_ms, max(LEAST_CUT_MS, round(most_cut_s * 1000)), kept)
        in_ms = round(moment.start_s * 1000) if wish.in_ms is None else wish.in_ms
        out_ms = round(moment.end_s * 1000) if wish.out_ms is None else wish.out_ms
        at_ms = peak_ms if wish.at_ms is None else _within(wish.at_ms, 0, video_ms)
        return replace(whole._bounded(in_ms, out_ms), at_ms=at_ms)

    @property
    def at_s(self) -> float:
        """Return the time of the frame in seconds."""
        return self.at_ms / 1000

    @property
    def ends_s(self) -> tuple[float, float]:
        """Return the two ends of the cut in seconds."""
        return self.in_ms / 1000, self.out_ms / 1000

    def beside(self, by_ms: int) -> int:
        """Return the time so far from the frame, within the video."""
        return _within(self.at_ms + by_ms, 0, self.video_ms)

    def moved(self, in_by_ms: int, out_by_ms: int) -> Cursor:
        """Return the same place with one end of the cut moved as far as the other end and the limits allow."""
        earliest, latest = max(0, self.out_ms - self.most_cut_ms), self.out_ms - LEAST_CUT_MS
        in_ms = _within(self.in_ms + in_by_ms, earliest, latest)
        earliest, latest = in_ms + LEAST_CUT_MS, min(self.video_ms, in_ms + self.most_cut_ms)
        return replace(self, in_ms=in_ms, out_ms=_within(self.out_ms + out_by_ms, earliest, latest))

    def _bounded(self, in_ms: int, out_ms: int) -> Cursor:
        """Take two ends as near as may be; a cut that is too long is shortened around the frame."""
        in_ms = _within(in_ms, 0, self.video_ms - LEAST_CUT_MS)
        out_ms = _within(out_ms, in_ms + LEAST_CUT_MS, self.video_ms)
        if out_ms - in_ms > self.most_cut_ms:
            in_ms = _within(self.at_ms - self.most_cut_ms // 2, in_ms, out_ms - self.most_cut_ms)
            out_ms = in_ms + self.most_cut_ms
        return replace(self, in_ms=in_ms, out_ms=out_ms)


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


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
    answer: Answer,
    wish: Show,
    cursor: Cursor,
    door: Door,
    tally: Tally,
    names: Mapping[str, str] = _NO_NAMES,
    *,
    is_absent: bool = False,
) -> tuple[Button, ...]:
    """Return the buttons of a card that shows what was asked for, with how people voted on that moment.

    Of several videos each moment bears its video's name. At first sight there are few: fewer still where the video
    probably does not show it.
    """
    trim = _trim(wish, cursor) if wish.mode == "cut" else ()
    modes = (*_modes(wish, cursor, is_absent=is_absent), *_votes(wish, tally))
    steps = _steps(answer, wish, cursor, is_absent=is_absent)
    return (*_moments(answer, wish, door, names), *steps, *modes, *trim, *_more(wish, door))


def _moments(answer: Answer, wish: Show, door: Door, names: Mapping[str, str]) -> tuple[Button, ...]:
    """Return the moments' own buttons: so many as the door shows at a time, the one that is shown among them."""
    first = first_shown(wish.number, door.max_moments)
    shown = list(enumerate(answer.moments, 1))[first : first + door.max_moments]
    at_peak, said = wish.mode == "frame" and wish.at_ms is None, stamps(answer.moments)
    return tuple(
        Button(
            _at_peak(wish, number).id(),
            f"{number} · {said[number - 1]}{_of_video(names.get(moment.video_id, ''))}",
            active=number == wish.number and at_peak,
            row=MOMENTS,
            more=len(answer.moments) == 1 and at_peak,  # one moment is no choice, but the way back to its frame
        )
        for number, moment in shown
    )


def first_shown(number: int, most: int) -> int:
    """Return the place of the first moment, from 0, of the few that are offered together with one."""
    return (number - 1) // most * most


def moment_id(wish: Show, number: int) -> str:
    """Return the id of the button that shows a moment."""
    return _at_peak(wish, number).id()


def stamps(moments: Sequence[Moment]) -> tuple[str, ...]:
    """Return the times of moments: in whole seconds, unless two of one video would be told the same."""
    told = Counter((one.video_id, clock(one.peak_s)) for one in moments)
    return tuple(
        tenths(one.peak_s) if told[one.video_id, clock(one.peak_s)] > 1 else clock(one.peak_s) for one in moments
    )


def _of_video(name: str) -> str:
    short = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1].rstrip() + "…"
    return f" · {short}" if name else ""


def _steps(answer: Answer, wish: Show, cursor: Cursor, *, is_absent: bool) -> tuple[Button, ...]:
    number = wish.number
    back, on = (_beside(wish, cursor, by_ms) for by_ms in (-STEP_MS, STEP_MS))
    return (
        Button(_at_peak(wish, number - 1).id("p"), "Previous", enabled=number > 1, row=STEPS, more=is_absent),
        Button(back.id("b"), f"{_MINUS}1 s", enabled=back.at_ms != cursor.at_ms, row=STEPS, more=True),
        Button(on.id("f"), "+1 s", enabled=on.at_ms != cursor.at_ms, row=STEPS, more=True),
        Button(
            _at_peak(wish, number + 1).id("n"), "Next", enabled=number < len(answer.moments), row=STEPS, more=is_absent
        ),
    )


def _modes(wish: Show, cursor: Cursor, *, is_absent: bool) -> tuple[Button, ...]:
    here = replace(wish, in_ms=None, out_ms=None)
    cut = _mode(replace(here, mode="cut"), "c", "Cut", wish)
    return (
        _mode(replace(here, mode="preview"), "v", "Preview", wish),
        replace(cut, enabled=cursor.kept, more=is_absent and wish.mode != "cut"),
        replace(_mode(replace(here, mode="sheet"), "w", "Whole video", wish), more=True),
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
            more=True,
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
        Button(
            Alike(wish.answer_id, wish.number, wish.at_ms, wish.revision).id(), "More like this", row=MORE, more=True
        ),
        # The page, where one person asks, has its own way to refine.
        *((Button(Refine(wish.answer_id).id(), "Refine", row=MORE, more=True),) if door.shared else ()),
        Button(replace(wish, style=other).id("s"), _style_label(other), row=MORE, more=True),
        # The page has them at hand.
        *(
            (Button(Details(wish.answer_id, wish.number, wish.revision).id(), "Details", row=MORE, more=True),)
            if door.shared
            else ()
        ),
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
