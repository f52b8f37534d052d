"""The cards of an answer, of its previews and of its cuts: title, text, pictures and buttons of a reply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.answers import buttons
from core.answers.view import leading
from core.formatting import clock, tenths
from core.model.answer import Tally
from core.model.reply import Link, Picture, Progress, Reply, StripMoment
from core.model.results import ends
from core.wording import answers as telling
from core.wording.replies import video_links

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.answers.buttons import Cursor
    from core.model.actions import Show
    from core.model.answer import Answer, AnswerView
    from core.model.events import Door, Turn
    from core.model.reply import Level, SourceFrame
    from core.model.results import Curve, Moment
    from core.model.video import Posting, Video
    from core.ports.video import Clip

GONE = (
    "The video's file had to make room for newer ones: pictures are small now, and there is nothing to cut. "
    "To have it back, post it again."
)


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """All that a card is made from."""

    answer: Answer
    wish: Show
    cursor: Cursor
    shown: AnswerView
    door: Door
    posting: Posting | None
    note: str = ""
    progress: Progress | None = None
    updates: bool = True
    span_s: tuple[float, float] = (0.0, 0.0)
    """What a preview shows."""
    tally: Tally = field(default_factory=Tally)
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the videos in an answer about several: by id, as they were posted in view."""
    like: SourceFrame | None = None
    """What more is wanted like."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """Of the other videos of the answer, by their ids."""
    is_checked: bool = True
    """Whether the verdict stands: a close-up is still to come otherwise."""

    @property
    def numbered(self) -> tuple[tuple[int, Moment], ...]:
        """Return the moments of the video that is shown, with their numbers."""
        video_id = self.shown.curve.video.id
        return tuple((n, moment) for n, moment in enumerate(self.answer.moments, 1) if moment.video_id == video_id)


def card(made: Card, instead: Picture | None = None) -> Reply:
    """Show one moment of an answer: its frame, or what stands in its place; and the plot."""
    picture = _frame(made) if instead is None else (instead,)
    # Few buttons go by the best moment: on the way to an unlikely one, the buttons stay where they are.
    is_absent = _level(made, made.answer.moments[0]) == "absent"
    return Reply(
        _text(made),
        title=telling.head(made.answer.query, made.shown.curve, is_checked=made.is_checked),
        pictures=picture + _plot(made),
        buttons=buttons.under(
            made.answer, made.wish, made.cursor, made.door, made.tally, made.names, is_absent=is_absent
        ),
        links=video_links(made.shown.curve.video, made.shown.at_s) + _source(made.posting),
        progress=made.progress,
        updates=made.updates,
        level=_level(made, made.shown.moment),
        details=telling.details(made.answer, made.shown),
        strip=_strip(made),
        like=made.like,
        plot=leading(replace(made.shown.plot, label=_plot_alt(made)), made.wish, made.cursor)
        if made.shown.plot
        else None,
        provisional=not made.is_checked,
        videos=_named(made),
    )


def _named(made: Card) -> tuple[str, ...]:
    """Return the videos that an answer names: it is taken back when one of them is forgotten."""
    like = {made.like.video_id} if made.like else set[str]()
    return tuple(sorted(like | {one.video_id for one in made.answer.moments}))


def _level(made: Card, moment: Moment) -> Level:
    """Return how sure a moment is."""
    shown = made.shown.curve
    curve = shown if moment.video_id == shown.video.id else made.curves.get(moment.video_id)
    if curve is None:
        return ""
    is_checked = made.is_checked or moment.video_id != shown.video.id
    if moment.then is None:
        return telling.level(curve.of(moment.part), moment, is_checked=is_checked)
    both = zip((0, 1), ends(moment, moment.then), strict=True)
    return telling.weaker(*(telling.level(curve.of(part), one, is_checked=is_checked) for part, one in both))


def _strip(made: Card) -> tuple[StripMoment, ...]:
    """Return the moments, small; one alone is no choice."""
    moments, said = made.answer.moments, buttons.stamps(made.answer.moments)
    if len(moments) == 1:
        return ()
    levels = [_level(made, moment) for moment in moments]
    return tuple(
        StripMoment(
            number,
            moment.video_id,
            made.names.get(moment.video_id, made.shown.curve.video.title),
            moment.peak_s,
            (moment.start_s, moment.end_s),
            said[number - 1],
            level,
            telling.strength(level),
            buttons.moment_id(made.wish, number),
            active=number == made.wish.number,
        )
        for number, (moment, level) in enumerate(zip(moments, levels, strict=True), 1)
    )


def preview(made: Card, data: bytes, form: str) -> Picture:
    """Return the moving preview."""
    first_s, last_s = made.span_s
    what = f"Preview of {made.shown.curve.video.title}, {tenths(first_s)} to {tenths(last_s)}"
    return Picture("preview", f"preview.{form}", f"{what}, without sound", dict.fromkeys(made.door.themes, data))


def cut_ends(made: Card, jpeg: bytes) -> Picture:
    """Return the first and the last frame of a cut."""
    first_s, last_s = made.cursor.ends_s
    alt = f"First and last frame of a cut of {made.shown.curve.video.title}, {tenths(first_s)} to {tenths(last_s)}"
    return Picture("ends", "ends.jpg", alt, dict.fromkeys(made.door.themes, jpeg))


def sheet(made: Card, jpeg: bytes) -> Picture:
    """Return the contact sheet of the video, on which the moments bear their numbers."""
    here = ", ".join(f"{number} at {clock(moment.peak_s)}" for number, moment in made.numbered)
    alt = f"Contact sheet of {made.shown.curve.video.title}: frames from start to end; moments: {here}"
    return Picture("sheet", "sheet.jpg", alt, dict.fromkeys(made.door.themes, jpeg))


def cutting(video: Video, cursor: Cursor, share: float) -> Reply:
    """Say how far a cut is that is being made."""
    first_s, last_s = cursor.ends_s
    text = f"Cutting {tenths(first_s)} to {tenths(last_s)} out of {video.title}: {share:.0%}…"
    return Reply(text, progress=Progress("cutting", share))


def cut(video: Video, cursor: Cursor, clip: Clip, turn: Turn) -> Reply:
    """Return a cut as a file."""
    first_s, last_s = cursor.ends_s
    span = f"{tenths(first_s)} to {tenths(last_s)}"
    facts = [f"{span}, {last_s - first_s:.1f} s", f"{clip.width_px} x {clip.height_px} px", size(len(clip.data))]
    text = ", ".join([*facts, "with sound" if clip.sound else "without sound"]) + "."
    if turn.door.shared:
        text += f"\nCut for {turn.user_name}."
    data = dict.fromkeys(turn.door.themes, clip.data)
    picture = Picture("cut", cut_name(video.title, first_s, last_s), f"Cut of {video.title}, {span}", data)
    links = video_links(video, first_s)
    return Reply(text, title=video.title, pictures=(picture,), links=links, videos=(video.id,))


def cut_name(title: str, start_s: float, end_s: float) -> str:
    """Return a name for a cut, from title and times, that every system takes."""
    plain = re.sub(r"[^\w.-]+", "-", title, flags=re.ASCII).strip("-._")[:60] or "video"
    first, last = (f"{int(time_s // 60)}m{time_s % 60:04.1f}s" for time_s in (start_s, end_s))
    return f"{plain}_{first}-{last}.mp4"


def size(count_bytes: int) -> str:
    """Return the size of a file in words."""
    return f"{count_bytes / 1e6:.1f} MB" if count_bytes >= 1e6 else f"{max(1, round(count_bytes / 1e3))} kB"


def _text(made: Card) -> str:
    lines = [
        *telling.place(made.answer, made.shown, _time(made)),
        f"Like the frame at {clock(made.like.at_s)} of {made.like.title}." if made.like else "",
        _mode(made),
        "" if made.cursor.kept else GONE,
        telling.ranked(made.tally.total),
        made.note,
    ]
    return "\n".join(line for line in lines if line)


def _time(made: Card) -> str:
    return clock(made.shown.at_s) if made.wish.at_ms is None else tenths(made.shown.at_s)


def _mode(made: Card) -> str:
    (in_s, out_s), (first_s, last_s) = made.cursor.ends_s, made.span_s
    if made.progress and made.wish.mode != "preview":
        return "This takes a moment…"
    match made.wish.mode:
        case "sheet":
            return f"The whole video, {clock(made.shown.curve.video.duration_s)}; the numbered frames are the moments."
        case "cut":
            return f"Cut: {tenths(in_s)} to {tenths(out_s)}, {out_s - in_s:.1f} s; its first frame, and its last."
        case "preview" if made.progress:
            return f"Preview: {made.progress.fraction or 0:.0%}…"
        case "preview":
            return f"Preview: {tenths(first_s)} to {tenths(last_s)}."
        case _:
            return ""


def _frame(made: Card) -> tuple[Picture, ...]:
    then = made.shown.moment.then
    stills = (
        ("frame.jpg", made.shown.still, _time(made)),
        ("then.jpg", made.shown.second, then and clock(then.peak_s)),
    )
    about = f"of {made.shown.curve.video.title}, found for {telling.title(made.answer.query)}"
    return tuple(
        Picture("frame", name, f"Frame at {at} {about}", dict.fromkeys(made.door.themes, still.jpeg))
        for name, still, at in stills
        if still is not None
    )


def _plot(made: Card) -> tuple[Picture, ...]:
    """Return the plot's picture, where the door does not draw it itself."""
    return (Picture("plot", "plot.png", _plot_alt(made), made.shown.plots),) if made.shown.plots else ()


def _plot_alt(made: Card) -> str:
    """Say what the plot shows."""
    peaks = ", ".join(f"{number} at {clock(moment.peak_s)}" for number, moment in made.numbered)
    measure = "Similarity" if made.wish.style == "similarity" else "Softmax share"
    video, asked, (low, high) = made.shown.curve.video.title, telling.title(made.answer.query), made.shown.plot_range
    span = f"from {low:.2f} to {high:.2f}" if made.wish.style == "similarity" else f"from {low:.2%} to {high:.2%}"
    return f"{measure} of {video} to {asked} over time; {span}; peaks: {peaks}"


def _source(posting: Posting | None) -> tuple[Link, ...]:
    if posting is None or not posting.message_url:
        return ()
    return (Link(posting.message_url, f"Posted by {posting.user_name}"),)
