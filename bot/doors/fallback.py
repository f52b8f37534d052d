"""Where a platform refuses a reply, simpler forms of it are tried: without pictures, then its words alone.

`refusal` of a door says of an error what an admin can do about it, or None for what may pass; the latter is raised
(`NotNow` for a 5xx) and tried again by `deliver`. What is refused even as bare words raises `Refused`.
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
    """A platform is out of order for a while; `deliver` tries the last reply again, for hours if need be."""


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
