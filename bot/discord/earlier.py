"""Where the answers to interactions of an earlier run appear. Owns which message is edited; must not know what it says.

The token of an interaction works for fifteen minutes. After that what all can see is edited as an ordinary message,
and what was for the asker's eyes alone can be shown to nobody any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.discord.places import NOBODY, ORIGINAL, laid_out, tell_refused
from bot.discord.refusals import TOKEN_DEAD
from bot.fallback import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.render import Card
    from bot.lastword import Say
    from core.shown import Reply


@dataclass(slots=True)
class AnswerPlace:
    """The answer to a command of an earlier run, edited in place."""

    hook: discord.Webhook
    channel: discord.abc.Messageable
    limit_bytes: int
    message_id: int
    say: Say
    """Whether the answer still may be drawn there."""
    on_posted: Callable[[int], Awaitable[None]]
    """Gets the id of the message, where that was not known, or the old one cannot be found."""
    is_private: bool = False
    """Acknowledged for the asker's eyes alone."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the answer, once that is known, unless it is for the asker's eyes alone."""
        return ("" if self.is_private else str(self.message_id or "")), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        try:
            await laid_out(reply, self.limit_bytes, self._send)
        except Refused as refused:
            await tell_refused(self.hook, refused, instead=True)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self.post(reply)

    async def _send(self, shown: Card) -> None:
        async with self.say.at(str(self.message_id or "")) as may:
            if may:
                await self._send_now(shown)

    async def _send_now(self, shown: Card) -> None:
        try:
            sent = await self.hook.edit_message(
                ORIGINAL,
                view=shown.view,
                attachments=shown.files(),
                allowed_mentions=NOBODY,
            )
            await self._stands_as(sent.id)
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise
            if not self.is_private:
                await self._send_late(shown)

    async def _send_late(self, shown: Card) -> None:
        if self.message_id:
            message = discord.PartialMessage(channel=self.channel, id=self.message_id)  # type: ignore[arg-type]
            await message.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
            return
        sent = await self.channel.send(view=shown.view, files=shown.files(), allowed_mentions=NOBODY)
        await self._stands_as(sent.id)

    async def _stands_as(self, message_id: int) -> None:
        """Note which message it is, where the earlier run did not come to: else nothing would find it again."""
        if self.message_id != message_id:
            self.message_id = message_id
            await self.on_posted(message_id)
