"""Answers on Slack that the asker alone sees. Owns which replies are shown there and how; must not know why alone.

Such a message cannot be edited: only a press of one of its own buttons brings an address that replaces it, five times
within half an hour. Its pictures are shared into the direct messages with the asker, so that nobody else sees them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.slack.refusals import PAYLOAD, PicturesRefusedError, RefusedError, why_no_pictures
from bot.slack.render import card
from bot.slack.words import ALONE, UNSHOWN_ALONE
from core import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.render import Card
    from bot.slack.speaking import Slack
    from bot.slack.whispers import Whisper
    from core.shown import Reply

    Draw = Callable[[Card], Awaitable[None]]

logger = logging.getLogger(__name__)

_MOST_PROGRESS: Final = 2
"""Of the five times that Slack takes something, so many may say how far a thing is."""


@dataclass(slots=True)
class Alone:
    """Shows the replies of one turn to the asker."""

    slack: Slack
    whisper: Whisper
    """Shows a new message to the asker."""
    redraw: Draw | None = None
    """Replaces the message whose button was pressed, where one was; raises RefusedError where that is refused."""
    note: str = ALONE
    """Why nobody else sees it."""
    beside: tuple[str, ...] = ()
    """The ids of the pictures that the last reply brought; nobody but Keaton can delete them."""
    _told: int = 0
    _is_answered: bool = False

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give nothing: there is no such message."""
        return "", ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply, as far as Slack lets: in a message's place, or as the one message of a find."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        self.beside = ()
        draw = self._in_place if reply.updates and self.redraw else self.whisper
        if reply.progress is not None:
            self._told += 1
            if self._told <= (_MOST_PROGRESS if draw == self._in_place else 1):
                await self._send(reply, draw)
        elif draw == self._in_place or not self._is_answered or reply.tone == "error":
            self._is_answered = True
            await self._send(reply, draw)

    async def _in_place(self, shown: Card) -> None:
        """Replace the message, or show a new one where its address is used up."""
        try:
            await (self.redraw or self.whisper)(shown)
        except PicturesRefusedError:
            raise
        except RefusedError as error:
            logger.info("a private answer cannot be replaced any more: %s", error.reason)
            await self.whisper(shown)

    async def _send(self, reply: Reply, draw: Draw) -> None:
        if reply.tone == "error":
            await draw(card(reply))
            return
        reply = for_one(reply)
        note = "" if reply.entries else self.note  # a list is for one person by its nature
        if not reply.pictures:
            await draw(card(reply, note=note))
            return
        try:
            where = await self.whisper.sharing() if self.slack.pictures.shares else None
            shown = card(reply, await self.slack.pictures.shots(reply.pictures, where), note)
            await draw(shown)
        except PicturesRefusedError as error:
            logger.warning("Slack shows no pictures to one person: %s", error.reason)
            why = UNSHOWN_ALONE if error.reason in PAYLOAD | {"undigested"} else why_no_pictures(error.reason)
            await draw(card(reply, note=f"{note} {why}".strip()))
        else:
            self.beside = shown.files


def for_one(reply: Reply) -> Reply:
    """Give a reply without what only a whole channel can be given: files, and the buttons that send them."""
    pictures = tuple(one for one in reply.pictures if not one.is_film)
    return replace(reply, pictures=pictures, buttons=tuple(one for one in reply.buttons if not _sends(one.id)))


def _sends(action_id: str) -> bool:
    wish = actions.read(action_id)
    return isinstance(wish, actions.Show) and wish.mode == "file"
