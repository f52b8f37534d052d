"""What buttons do, and how their ids are spelled: a verb, an answer's id and small integers, at most 100 characters.

An id holds all that a press needs, so buttons work for anybody and after a restart. A new kind of button is a dataclass
with an `id`, and a line in `_READERS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from core.errors import AnswerGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.model.reply import PlotStyle

Mode: TypeAlias = Literal["frame", "preview", "cut", "sheet", "file"]
"""What is shown of a moment: its frame, a preview, a cut to be trimmed, the whole video, or the cut as a file."""
_STYLES: dict[str, PlotStyle] = {"m": "similarity", "s": "softmax"}
_MODES: dict[str, Mode] = {"f": "frame", "p": "preview", "c": "cut", "w": "sheet", "x": "file"}
_MOMENT = r"(?P<answer>[A-Za-z0-9_-]{1,40}):(?P<number>\d{1,3})(?:r(?P<revision>[1-9]\d{0,5}))?"
_SHOW = re.compile(
    rf"show:{_MOMENT}:(?P<style>[ms])[a-z]?"
    r"(?::(?P<mode>[fpcwx]):(?P<at>\d{0,9}):(?P<start>\d{0,9}):(?P<end>\d{0,9}))?"
)
_VOTE = re.compile(rf"vote:{_MOMENT}:(?P<style>[ms]):(?P<way>[ud])")
_ALIKE = re.compile(rf"like:{_MOMENT}:(?P<at>\d{{0,9}})")
_CANCEL = re.compile(r"cancel:(?P<job>\d{1,18}):")
_PAGE = re.compile(r"list:(?P<number>\d{1,5}):")
_DETAILS = re.compile(rf"details:{_MOMENT}:")
_REFINE = re.compile(r"refine:(?P<answer>[A-Za-z0-9_-]{1,40}):")


@dataclass(frozen=True, slots=True)
class Show:
    """Show that moment of that answer in that way."""

    answer_id: str
    number: int
    """From 1."""
    style: PlotStyle = "similarity"
    mode: Mode = "frame"
    at_ms: int | None = None
    """Time in the video, for a frame beside the moment's best one; None is the best one's."""
    in_ms: int | None = None
    """Where a cut begins in the video; None is the moment's start."""
    out_ms: int | None = None
    """Where a cut ends, itself left out; None is the moment's end."""
    revision: int = 0
    """Of the answer: the order that the moments are numbered in."""

    def id(self, role: str = "") -> str:
        """Return a button's id. The role, one small letter or none, only keeps the ids under one message apart."""
        style = _letter(_STYLES, self.style)
        short = f"show:{self.answer_id}:{_numbered(self)}:{style}{role}"
        times = (self.at_ms, self.in_ms, self.out_ms)
        if self.mode == "frame" and times == (None, None, None):
            return short
        return ":".join([short, _letter(_MODES, self.mode), *("" if ms is None else str(ms) for ms in times)])


@dataclass(frozen=True, slots=True)
class Cancel:
    """Leave the video of that job alone."""

    job_id: int

    @property
    def id(self) -> str:
        """Return a button's id."""
        return f"cancel:{self.job_id}:"


@dataclass(frozen=True, slots=True)
class VoteAction:
    """Say that a moment is right, or is not; the same again takes that back."""

    answer_id: str
    number: int
    """From 1."""
    style: PlotStyle
    is_up: bool
    revision: int = 0

    def id(self) -> str:
        """Return a button's id."""
        return f"vote:{self.answer_id}:{_numbered(self)}:{_letter(_STYLES, self.style)}:{'u' if self.is_up else 'd'}"


@dataclass(frozen=True, slots=True)
class Alike:
    """Look for more like a moment, or like a frame beside it."""

    answer_id: str
    number: int
    """From 1."""
    at_ms: int | None = None
    """Time in the video; None is the moment's best frame."""
    revision: int = 0

    def id(self) -> str:
        """Return a button's id."""
        return f"like:{self.answer_id}:{_numbered(self)}:{'' if self.at_ms is None else self.at_ms}"


@dataclass(frozen=True, slots=True)
class Refine:
    """Take the presser's next reply to the answer as words to add to its question."""

    answer_id: str

    def id(self) -> str:
        """Return the id of its button."""
        return f"refine:{self.answer_id}:"


@dataclass(frozen=True, slots=True)
class Details:
    """Say which figures are behind a moment's verdict."""

    answer_id: str
    number: int
    """From 1."""
    revision: int = 0

    def id(self) -> str:
        """Return the id of its button."""
        return f"details:{self.answer_id}:{_numbered(self)}:"


@dataclass(frozen=True, slots=True)
class Page:
    """Show a page of the list of videos."""

    number: int
    """From 1; a button that leads nowhere has one beyond."""

    def id(self) -> str:
        """Return the id of its button."""
        return f"list:{self.number}:"


Wish: TypeAlias = Show | Cancel | VoteAction | Alike | Refine | Details | Page
"""All that a button may ask for."""


def read(action_id: str) -> Wish:
    """Return what a button asks for; raises AnswerGone for an id of no present kind."""
    wish = _read(action_id)
    if wish is None:
        raise AnswerGone
    return wish


def _read(action_id: str) -> Wish | None:
    pattern, made = _READERS.get(action_id.partition(":")[0], (None, None))
    match = pattern.fullmatch(action_id) if pattern else None
    return made(match) if made and match else None


def draws(action_id: str) -> bool:
    """Tell whether a button is answered in the message that it stands under, and not in one of its own."""
    wish = _read(action_id)
    return isinstance(wish, VoteAction | Page) or (isinstance(wish, Show) and wish.mode != "file")


def speaks(action_id: str) -> bool:
    """Tell whether a button posts a message for all."""
    wish = _read(action_id)
    return isinstance(wish, Alike) or (isinstance(wish, Show) and wish.mode == "file")


def lists(action_id: str) -> bool:
    """Tell whether a button shows a page of the list of videos."""
    return _PAGE.fullmatch(action_id) is not None


def refines(action_id: str) -> bool:
    """Tell whether a button asks for words to add to an answer's question."""
    return _REFINE.fullmatch(action_id) is not None


def cancels(action_id: str) -> bool:
    """Tell whether a button cancels a video."""
    return _CANCEL.fullmatch(action_id) is not None


def answer_among(ids: Iterable[str]) -> str:
    """Return the answer whose buttons are among these ids, or "" where there is none."""
    found = (_SHOW.fullmatch(one) for one in ids)
    return next((match["answer"] for match in found if match), "")


def _show(match: re.Match[str]) -> Show:
    mode = _MODES[match["mode"] or "f"]
    at_ms, in_ms, out_ms = (int(match[name]) if match[name] else None for name in ("at", "start", "end"))
    start = match["answer"], int(match["number"]), _STYLES[match["style"]]
    return Show(*start, mode, at_ms, in_ms, out_ms, _revision(match))


def _vote(match: re.Match[str]) -> VoteAction:
    is_up = match["way"] == "u"
    return VoteAction(match["answer"], int(match["number"]), _STYLES[match["style"]], is_up, _revision(match))


def _alike(match: re.Match[str]) -> Alike:
    at_ms = int(match["at"]) if match["at"] else None
    return Alike(match["answer"], int(match["number"]), at_ms, _revision(match))


def _numbered(wish: Show | VoteAction | Alike | Details) -> str:
    """Spell which moment is meant. The first order goes without saying, as it did before there were others."""
    return f"{wish.number}r{wish.revision}" if wish.revision else str(wish.number)


def _revision(match: re.Match[str]) -> int:
    return int(match["revision"] or 0)


def _letter(letters: dict[str, PlotStyle] | dict[str, Mode], meaning: str) -> str:
    return next(letter for letter, known in letters.items() if known == meaning)


_READERS: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], Wish]]] = {
    "show": (_SHOW, _show),
    "cancel": (_CANCEL, lambda match: Cancel(int(match["job"]))),
    "vote": (_VOTE, _vote),
    "like": (_ALIKE, _alike),
    "refine": (_REFINE, lambda match: Refine(match["answer"])),
    "details": (_DETAILS, lambda match: Details(match["answer"], int(match["number"]), _revision(match))),
    "list": (_PAGE, lambda match: Page(int(match["number"]))),
}
PATTERN = rf"(?:{'|'.join(_READERS)}):[A-Za-z0-9_-]{{1,40}}(?::[A-Za-z0-9_-]{{0,20}}){{1,8}}"
"""Matches every button under an answer, and nothing with named groups: doors only ask whether it is one."""
