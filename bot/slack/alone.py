"""Answers on Slack that the asker alone sees. Owns which replies are shown there and how; must not know why alone.

Such a message cannot be edited: only a press of one of its own buttons brings an address that replaces it, five times
within half an hour. Files cannot be sent to one person, so there are none; pictures stand in their place as elsewhere.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from slack_sdk.errors import SlackApiError

from bot.slack.pictures import UndigestedError
from bot.slack.render import card
from bot.slack.words import ALONE, ALONE_UNSHOWN
from core import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.render import Card
    from bot.slack.speaking import Slack
    from core.shown import Reply

    Whisper = Callable[[Card], Awaitable[None]]

logger = logging.getLogger(__name__)

_MOST_PROGRESS: Final = 2
"""Of the five times that Slack takes something, so many may say how far a thing is."""


@dataclass(slots=True)
class Alone:
    """Shows the replies of one turn to the asker."""

    slack: Slack
    whisper: Whisper
    """Shows a new message to the asker; raises UndigestedError or SlackApiError where that is refused."""
    redraw: Whisper | None = None
    """Replaces the message whose button was pressed, where one was."""
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
        way = self.redraw if reply.updates and self.redraw else self.whisper
        if reply.progress is not None:
            self._told += 1
            if self._told <= (_MOST_PROGRESS if way is self.redraw else 1):
                await self._send(reply, way)
        elif way is self.redraw or not self._is_answered or reply.tone == "error":
            self._is_answered = True
            await self._send(reply, way)

    async def _send(self, reply: Reply, way: Whisper) -> None:
        if reply.tone == "error":
            await way(card(reply))
            return
        reply = for_one(reply)
        try:
            shown = card(reply, await self.slack.pictures.shots(reply.pictures), ALONE)
            await way(shown)
        except (UndigestedError, SlackApiError) as error:
            logger.warning("Slack shows no pictures to one person: %s", error)
            self.slack.pictures.drop(reply.pictures)
            await way(card(reply, note=ALONE_UNSHOWN if reply.pictures else ALONE))
        else:
            self.beside = shown.files


def for_one(reply: Reply) -> Reply:
    """Give a reply without what only a whole channel can be given: files, and the buttons that send them."""
    pictures = tuple(one for one in reply.pictures if not one.is_film)
    return replace(reply, pictures=pictures, buttons=tuple(one for one in reply.buttons if not _sends(one.id)))


def _sends(action_id: str) -> bool:
    wish = actions.read(action_id)
    return isinstance(wish, actions.Show) and wish.mode == "file"
