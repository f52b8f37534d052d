"""Answers as the product gives them: with a verdict, a strip, a plot as figures, and most buttons behind *More*."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.model.actions import Show, VoteAction
from core.model.reply import Button, LivePlot, Picture, PlotLine, PlotMark, Reply, StripMoment
from core.wording.answers import strength
from tests.support.drawings import draw_frame, draw_plot, encode

if TYPE_CHECKING:
    from core.model.reply import Level

VIDEO = "v0"
TITLE = "Coast and harbour"
PEAKS_S = (34.0, 71.0, 12.0, 55.0, 83.0, 5.0, 90.0, 22.0)
LEVELS: tuple[Level, ...] = ("strong", "strong", "weak", "absent", "absent", "absent", "absent", "absent")
LONG = "a-file-name-without-any-space-in-it-that-is-far-longer-than-a-phone-is-wide-2026-11-30.mp4"


def answer(number: int = 1, *, level: Level | None = None, updates: bool = False, title: str = TITLE) -> Reply:
    """Return the card of a moment."""
    level = level or LEVELS[number - 1]
    at = _clock(PEAKS_S[number - 1])
    absent = ": probably not in this video" if level == "absent" and number == 1 else ""
    return Reply(
        f"{at} in {title}\nMoment {number} of {len(PEAKS_S)}, {at} to 1:41.",
        title=f"“a woman swimming in water”{absent}",
        pictures=(_frame(number, at, title), _plot_picture(number)),
        buttons=_buttons(number, is_absent=bool(absent)),
        updates=updates,
        level=level,
        details="Similarity 0.43. In this video frames without it seldom reach 0.32.",
        strip=tuple(_strip(number, title)),
        plot=plot(number),
        videos=(VIDEO,),
    )


def tall() -> Reply:
    """Return an answer whose frame is higher than wide."""
    portrait = encode(".jpg", np.full((1280, 720, 3), (40, 120, 200), np.uint8))
    frame = Picture("frame", "frame.jpg", "Frame at 0:34 of a tall video", {"light": portrait, "dark": portrait})
    return replace(answer(), pictures=(frame, _plot_picture(1)))


def plot(number: int) -> LivePlot:
    times_s = tuple(float(second) for second in range(94))
    values = np.array([0.1 + sum(0.3 * np.exp(-(((at - peak) / 3) ** 2)) for peak in PEAKS_S[:5]) for at in times_s])
    marks = [
        PlotMark(n, 0, peak - 3, peak + 3, peak, 0.4, current=n == number) for n, peak in enumerate(PEAKS_S[:5], 1)
    ]
    return LivePlot(
        VIDEO,
        94.0,
        "similarity",
        times_s,
        (PlotLine("", tuple(round(float(value), 4) for value in values)),),
        (0.05, 0.25),
        tuple(marks),
        f"Similarity of {TITLE} over time",
        PEAKS_S[number - 1],
        None,
        f"show:an-answer:{number}:m:f:{{at}}::",
        f"show:an-answer:{number}:mc:c::{{start}}:{{end}}",
    )


def _strip(number: int, title: str) -> list[StripMoment]:
    return [
        StripMoment(
            n, VIDEO, title, peak, (peak - 3, peak + 3), _clock(peak), level, strength(level), _id(n), n == number
        )
        for n, (peak, level) in enumerate(zip(PEAKS_S, LEVELS, strict=True), 1)
    ]


def _buttons(number: int, *, is_absent: bool) -> tuple[Button, ...]:
    here = Show("an-answer", number)
    return (
        *(Button(_id(n), f"{n} · {_clock(peak)}", active=n == number) for n, peak in enumerate(PEAKS_S, 1)),
        Button(Show("an-answer", max(1, number - 1)).id("p"), "Previous", enabled=number > 1, row=1, more=is_absent),
        Button(replace(here, at_ms=1000).id("b"), "\N{MINUS SIGN}1 s", row=1, more=True),
        Button(Show("an-answer", number + 1).id("n"), "Next", enabled=number < len(PEAKS_S), row=1, more=is_absent),
        Button(replace(here, mode="preview").id("v"), "Preview", row=2),
        Button(replace(here, mode="cut").id("c"), "Cut", row=2, more=is_absent),
        Button(replace(here, mode="sheet").id("w"), "Whole video", row=2, more=True),
        Button(VoteAction("an-answer", number, "similarity", is_up=True).id(), "👍 2", row=2, more=True),
        Button(VoteAction("an-answer", number, "similarity", is_up=False).id(), "👎", row=2, more=True),
        Button(replace(here, style="softmax").id("s"), "As softmax", row=4, more=True),
    )


def _id(number: int) -> str:
    return Show("an-answer", number).id()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _frame(number: int, at: str, title: str) -> Picture:
    jpeg = draw_frame(number)
    return Picture("frame", "frame.jpg", f"Frame at {at} of {title}", {"light": jpeg, "dark": jpeg})


def _plot_picture(number: int) -> Picture:
    pictures = {"light": draw_plot(min(5, number), 255), "dark": draw_plot(min(5, number), 34)}
    return Picture(
        "plot", "plot.png", f"Similarity of {TITLE} over time", {"light": pictures["light"], "dark": pictures["dark"]}
    )
