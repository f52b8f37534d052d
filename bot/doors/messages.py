"""What chat messages have in common: what they bring, how texts and links are cut to fit, and taking messages back."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.answers.buttons import MODES, STEPS
from core.errors import AppError
from core.formatting import plain
from core.links import VIDEO_ENDS
from core.model.events import LeftOut, LinkPosted, RemoteFilePosted
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.doors.pace import Backoff
    from bot.doors.requests import DrawOrder
    from core.model.events import Incoming
    from core.model.reply import Button, Progress
    from core.ports.retention import ShownMessages, Stale

logger = logging.getLogger(__name__)

_PICTURE_ENDS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_BAR_CELLS = 20

MOST_VIDEOS_A_MESSAGE = 5
LEFT_OUT = "left out"
"""Names the thing in a message that says what else is in it."""
TAKEN_BACK = replies.taken_back()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a message that is to be looked at once."""

    name: str
    """The same whenever the message is read."""
    event: Incoming


def bounded(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return what is looked at in a message, and behind that one thing which names all else."""
    taken, rest = tuple(items[:MOST_VIDEOS_A_MESSAGE]), items[MOST_VIDEOS_A_MESSAGE:]
    if not rest:
        return taken
    names = tuple(_name(one.event) for one in rest)
    return (*taken, Item(LEFT_OUT, LeftOut(rest[0].event.turn, names, MOST_VIDEOS_A_MESSAGE)))


def _name(event: Incoming) -> str:
    match event:
        case LinkPosted():
            return event.url
        case RemoteFilePosted():
            return event.file.name
        case _:
            return ""


def is_picture(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a picture that can be asked about."""
    return mimetype.startswith("image/") or name.lower().endswith(_PICTURE_ENDS)


def is_video(name: str, mimetype: str) -> bool:
    """Tell whether a file says that it is a video; a text that is called index.ts is none."""
    if mimetype.startswith("text/"):
        return False
    return mimetype.startswith("video/") or name.lower().endswith(VIDEO_ENDS)


def one_line(text: str) -> str:
    """Return a text on one line, without what would turn or hide it."""
    return " ".join(plain(text).split())


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def is_web(url: str, most: int) -> bool:
    """Tell whether a link leads to a web page, and is no longer than a platform takes."""
    try:
        return urlsplit(url).scheme in {"http", "https"} and len(url) <= most
    except ValueError:
        return False


def bar(progress: Progress) -> str:
    """Return a bar of characters that says how much is done; "" where that is not known."""
    if progress.fraction is None:
        return ""
    full = round(_BAR_CELLS * min(1.0, progress.fraction))
    return "█" * full + "░" * (_BAR_CELLS - full)


class Stuck(Exception):
    """A message cannot be changed for now, for the reason that this says; it is tried again, more and more rarely."""


@dataclass(slots=True)
class Removals:
    """What of a platform's messages is to be taken back, and when it is tried again.

    A door makes one with `Backoff(REMOVAL_STEPS_S)`, and calls `wake` when a channel can be written in again.
    """

    every_s: float
    """How often it is looked whether there is something new."""
    backoff: Backoff[Stale]
    hint: asyncio.Event
    """Set when there is something to do at once."""
    order: DrawOrder
    """Lets no request draw a message that was taken back."""

    def wake(self, channel: str) -> None:
        """Try again at once what waits in a channel (an unarchived thread, a permission that was granted)."""
        if self.backoff.wake(lambda stale: stale.scope.channel == channel):
            self.hint.set()

    def wake_space(self, space: str) -> None:
        """Try again at once what waits in a whole server (a role that was changed, Keaton's return)."""
        if self.backoff.wake(lambda stale: stale.scope.space == space):
            self.hint.set()


async def take_back(
    shown_messages: ShownMessages,
    platform: str,
    space: str,
    change: Callable[[Stale], Awaitable[bool]],
    removals: Removals,
) -> None:
    """Change messages that show what was forgotten, and remove those that answer what was deleted, for ever.

    `change` tells whether that is done with, or raises Stuck; else it is tried again, also by the next run. One
    database serves all processes, so what the command line forgets is seen here too.
    """
    while True:
        try:
            found = await shown_messages.stale(platform, space)
            removals.backoff.keep_only(found)
            for stale in found:
                if removals.backoff.is_due(stale) and await _changed(stale, change, removals):
                    await shown_messages.settle(stale)
        except AppError:
            logger.exception("what was forgotten could not be looked up; it is tried again")
        with suppress(TimeoutError):
            await asyncio.wait_for(removals.hint.wait(), removals.every_s)
        removals.hint.clear()


async def _changed(stale: Stale, change: Callable[[Stale], Awaitable[bool]], removals: Removals) -> bool:
    """Change a message; what goes wrong with one keeps no other from being changed, and is told once."""
    try:
        async with removals.order.taking_back(stale.scope, stale.message):
            is_changed = await change(stale)
        if is_changed:
            removals.backoff.done(stale)
            return True
        why, error = "it is tried again", None
    except Stuck as stuck:
        why, error = str(stuck), None
    except Exception as unforeseen:  # noqa: BLE001 - whatever it is, it is logged and tried again
        why, error = "it is tried again", unforeseen
    if removals.backoff.failed(stale):
        where = stale.message, stale.scope.channel
        logger.warning("message %s in channel %s could not be taken back: %s", *where, why, exc_info=error)
    return False


def at_sight(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    """Return the rows of buttons that are seen at once: the moments; what shows others of them; and so on."""
    seen = [one for one in buttons if not one.more]
    rows = [[one for one in seen if place(one.row) == row] for row in sorted({place(one.row) for one in seen})]
    return tuple(map(tuple, rows))


def behind_more(buttons: Sequence[Button]) -> tuple[Button, ...]:
    """Return the buttons of the menu *More*: those that lead somewhere else."""
    return tuple(one for one in buttons if one.more and one.enabled and not one.active)


def place(row: int) -> int:
    """Return the row that a button stands in at sight: few enough are left for two rows to be one."""
    return STEPS if row == MODES else row
