"""What is shown where a platform refuses a reply: less and less of it, but never silence. Must not know any platform.

A door calls `show_somehow(reply, draw, refusal)`. `draw` sends a reply; `refusal` tells of an error what an admin can
do about it, and gives None for what may pass, which is raised on and tried again by `deliver`
(a door raises `NotNow` for a 5xx, so that it leaves no traceback).
What is refused even as bare words raises `Refused`, with that sentence: a door that has a private way to whoever asked
says it there. `deliver` logs it without a traceback, and does not try again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from core.model.reply import Reply

logger = logging.getLogger(__name__)

_MOST_WORDS = 1000


class Refused(Exception):
    """A platform takes no form of a reply."""

    def __init__(self, advice: str) -> None:
        super().__init__(advice)
        self.advice = advice
        """Says to whoever asked what happened and what an admin can do."""


class NotNow(Exception):
    """A platform is out of order for a while; `deliver` tries the last reply again."""


async def show_somehow(
    reply: Reply, draw: Callable[[Reply], Awaitable[None]], refusal: Callable[[Exception], str | None]
) -> None:
    """Show a reply; where that is refused without its pictures, and then its words alone, saying why.

    Raises Refused, and what `refusal` gives None for.
    """
    advice = ""
    for shape in shapes(reply):
        try:
            await draw(_saying(shape, advice))
        except Exception as error:
            found = refusal(error)
            if found is None:
                raise
            logger.warning("a reply was refused (%s): %s", type(error).__name__, found)
            advice = found
        else:
            return
    raise Refused(advice)


def shapes(reply: Reply) -> Iterator[Reply]:
    """Give a reply as it is, then simpler and simpler."""
    yield reply
    if reply.pictures:
        yield replace(reply, pictures=())
    if reply.buttons or reply.links or reply.title or reply.entries or len(reply.text) > _MOST_WORDS:
        words = "\n".join(part for part in (reply.title, reply.text) if part)
        yield replace(reply, text=words[:_MOST_WORDS], title="", entries=(), pictures=(), buttons=(), links=())


def _saying(reply: Reply, advice: str) -> Reply:
    return replace(reply, text=f"{reply.text}\n{advice}".strip()) if advice else reply
