"""What Discord's errors mean for an answer: whether a simpler form may pass, and what an admin can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.doors.fallback import NotNow, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

TOKEN_DEAD = {10015, 50027}
"""The token of an interaction has expired, or is not known any more."""
TOO_LARGE = 40005
ARCHIVED = 50083
"""In such a thread messages can be deleted, and not changed."""
REPLY_REFUSED = {50035, 160002}
"""Also what a reply to a system message, or without the right to read the history, is answered with."""
ACKNOWLEDGED = 40060
"""An interaction was acknowledged already."""
FAILURES = (discord.HTTPException, aiohttp.ClientError, OSError)
"""All that a request may raise; the library passes on most of what breaks a connection."""
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008
GONE = {
    UNKNOWN_CHANNEL: "The channel is gone.",
    UNKNOWN_MESSAGE: "My message was deleted meanwhile.",
}
"""Where the place of an answer was deleted, which moderators may do at any time: no form of the answer is taken."""

_SERVER_ERROR = 500
_ADVICE = {
    TOO_LARGE: "Discord finds my files too large for this server.",
    ARCHIVED: "This thread is archived, so I cannot write in it. Somebody has to open it again.",
    50001: "I may not see this channel. Whoever runs the server can give me “View Channel”.",
    50013: "I lack a permission here. Whoever runs the server can give me “Send Messages” and “Attach Files”.",
    50006: "Discord took my answer for empty.",
    160005: "This thread is locked, so I cannot write in it. A moderator can unlock it.",
    200000: "This server's AutoMod blocks my answer. Whoever runs the server can make an exception for me.",
    200001: "This server's AutoMod blocks my answer. Whoever runs the server can make an exception for me.",
    40333: "Something between me and Discord blocks my answer. Whoever runs me can look at the log.",
}


def refusal(error: Exception) -> str | None:
    """Give what an admin can do about an answer that Discord refuses; None for all else."""
    if not isinstance(error, discord.HTTPException) or error.code in TOKEN_DEAD:
        return None
    if error.status >= _SERVER_ERROR or error.status in {401, 404, 429}:
        return None
    default = f"Discord did not take my whole answer (error {error.code}). Whoever runs me can look at the log."
    return _ADVICE.get(error.code, default)


async def passing(sending: Awaitable[None]) -> None:
    """Send something; raises NotNow where Discord is out of order, Refused where the place of the answer is gone."""
    try:
        await sending
    except aiohttp.ClientError as error:
        raise NotNow(f"the connection to Discord broke: {error}") from error
    except discord.HTTPException as error:
        if error.status >= _SERVER_ERROR or error.status == 429:
            raise NotNow(f"Discord answers {error.status}") from error
        if error.code in GONE:
            raise Refused(GONE[error.code]) from error
        raise
