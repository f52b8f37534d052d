"""Says to people who write to Keaton in private that it works in channels only, once in a while."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

import discord

from bot.discord.render import card
from bot.discord.targets import NOBODY
from core.errors import NotHere
from core.wording import replies

logger = logging.getLogger(__name__)

_AGAIN_AFTER_S = 60.0
_KEPT = 1000


class Talks:
    """Says to people who write to Keaton where it works."""

    def __init__(self) -> None:
        self._told_s: OrderedDict[int, float] = OrderedDict()

    async def answer(self, message: discord.Message) -> None:
        """Say it to a person, once a minute at most."""
        if message.author.bot or not _is_due(self._told_s.get(message.author.id)):
            return
        self._told_s[message.author.id] = time.monotonic()
        self._told_s.move_to_end(message.author.id)
        while len(self._told_s) > _KEPT:
            self._told_s.popitem(last=False)
        try:
            await message.channel.send(view=card(replies.problem(NotHere()), ()).view, allowed_mentions=NOBODY)
        except discord.HTTPException as error:  # they may not take direct messages (50007)
            logger.info("a direct message cannot be answered: %s", error)


def _is_due(told_s: float | None) -> bool:
    return told_s is None or time.monotonic() - told_s >= _AGAIN_AFTER_S
