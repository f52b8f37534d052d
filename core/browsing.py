"""What a press shows of an answer: another moment, a second beside it, the whole film.

Owns the course of that; must not know whether somebody may see the answer (the conversation has looked), nor wording.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core import cards
from core.cards import Card
from core.cursor import Cursor
from core.errors import AnswerGone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.actions import Show
    from core.answering import Answerer
    from core.limits import BrowsingLimits
    from core.model import Answer, Curve, Moment
    from core.ports import Library, Plotter
    from core.talk import Picture, Reply, Turn


class Browser:
    """Shows an answer in all the ways that its buttons ask for."""

    def __init__(self, library: Library, answerer: Answerer, plotter: Plotter, limits: BrowsingLimits) -> None:
        self._library = library
        self._answerer = answerer
        self._plotter = plotter
        self._limits = limits

    async def first(self, turn: Turn, answer: Answer, wish: Show, curve: Curve, note: str) -> Reply:
        """Give the card of a new answer."""
        return cards.card(replace(await self._card(turn, answer, wish, curve), note=note, updates=False))

    async def show(self, turn: Turn, answer: Answer, wish: Show) -> AsyncIterator[Reply]:
        """Give what a button asks for, in place of the card that it stands under.

        Raises AnswerGone when there is no such moment any more, OperatorError.
        """
        match wish.mode:
            case "frame":
                yield cards.card(await self._card(turn, answer, wish))
            case "sheet":
                made = await self._card(turn, answer, wish)
                yield cards.card(made, await self._sheet(made))
            case "preview" | "cut" | "file":
                raise AnswerGone

    async def _card(self, turn: Turn, answer: Answer, wish: Show, curve: Curve | None = None) -> Card:
        door, moment = turn.door, _moment(answer, wish)
        at_s = None if wish.at_ms is None else wish.at_ms / 1000
        marks_s = () if at_s is None else (at_s,)
        shown = await self._answerer.show(
            answer.query,
            answer.moments,
            wish.number,
            wish.style,
            door.themes,
            door.max_picture_px,
            curve,
            at_s,
            marks_s,
        )
        video = shown.curve.video
        cursor = Cursor.of(wish, moment, video.duration_s, self._limits.cut_s, kept=shown.kept)
        posting = await self._library.posting(video.id, answer.query.view)
        return Card(answer, wish, cursor, shown, door, posting)

    async def _sheet(self, made: Card) -> Picture | None:
        thumbnails = await self._library.thumbnails(made.shown.curve.video.id)
        if not thumbnails:
            return None
        return cards.sheet(made, await self._plotter.sheet(thumbnails, made.numbered, self._limits.sheet_tiles))


def _moment(answer: Answer, wish: Show) -> Moment:
    """Give the moment that a button is about; raises AnswerGone where there is none of that number."""
    if not 1 <= wish.number <= len(answer.moments):
        raise AnswerGone
    return answer.moments[wish.number - 1]
