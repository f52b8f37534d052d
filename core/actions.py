"""The ids of buttons. Owns their spelling; they hold no state but ids, and at most 100 characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import AnswerGone

if TYPE_CHECKING:
    from core.ports import PlotStyle

PATTERN = r"show:(?P<answer>[A-Za-z0-9_-]{1,40}):(?P<number>\d{1,3}):(?P<style>[ms])(?P<role>[pns]?)"
"""Matches every button of an answer."""

_STYLES: dict[str, PlotStyle] = {"m": "similarity", "s": "softmax"}


@dataclass(frozen=True, slots=True)
class Show:
    """Show that moment of that answer."""

    answer_id: str
    number: int
    style: PlotStyle


def show(answer_id: str, number: int, style: PlotStyle, role: str) -> str:
    """Give a button's id. The role ("p", "n", "s" or "") only keeps the ids under one message apart."""
    return f"show:{answer_id}:{number}:{'s' if style == 'softmax' else 'm'}{role}"


def read(action_id: str) -> Show:
    """Give what a button asks for; raises AnswerGone for an id of no present kind."""
    match = re.fullmatch(PATTERN, action_id)
    if match is None:
        raise AnswerGone
    return Show(match["answer"], int(match["number"]), _STYLES[match["style"]])
