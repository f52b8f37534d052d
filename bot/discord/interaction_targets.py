"""Where interactions are answered: a command's answer, the message whose button was pressed, the asker alone.

An interaction's token works for 15 minutes. After that public answers are edited as ordinary messages, and private ones
cannot be changed any more. A `SavedDiscordTarget` is stored with the request, for a later run.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import discord

from bot.discord.render import card
from bot.doors.delivery import Refused
from core.errors import NotShown
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.render import DiscordCard
    from bot.doors.requests import AcceptedRequest, DrawTurn, RequestLog
    from core.model.reply import Reply


from bot.discord.config import MOST_FILE_BYTES
from bot.discord.targets import FAILURES, NOBODY, TOKEN_DEAD, MessageTarget, laid_out, passing
from bot.doors.targets import PressTarget, SavedTarget

logger = logging.getLogger(__name__)

ORIGINAL: Any = "@original"
"""The library wants a number, but passes on what it is given."""


def limit_of(interaction: discord.Interaction[Any]) -> int:
    """Return the size of the largest file that any message in answer to an interaction may have.

    An interaction's own limit counts its user's Nitro, which holds for answers by its token alone. A message of
    Keaton's own, and each edit once the token has expired, has the server's (discord-api-docs #7603).
    """
    of_server = interaction.guild.filesize_limit if interaction.guild else interaction.filesize_limit
    return min(int(interaction.filesize_limit), of_server, MOST_FILE_BYTES)


@dataclass(slots=True)
class Refusals:
    """Tells the asker why an answer cannot be shown: once, and never of a mere status."""

    is_told: bool = False

    async def tell(self, hook: discord.Webhook, reply: Reply, refused: Refused, *, instead: bool) -> None:
        """Say why a reply cannot be shown; raises Refused where that is refused, too, or can wait.

        `instead` of a "thinking", which goes: else it would stand there for ever.
        """
        if reply.progress is not None:
            raise refused
        if self.is_told:
            return
        logger.warning("an answer could not be shown: %s", refused.advice)
        try:
            if instead:
                with suppress(discord.HTTPException):
                    await hook.delete_message(ORIGINAL)
            view = card(replies.problem(NotShown(refused.advice)), ()).view
            await passing(hook.send(view=view, ephemeral=True, allowed_mentions=NOBODY, wait=True))
        except discord.HTTPException:
            raise refused from None
        self.is_told = True


@dataclass(slots=True)
class CommandTarget:
    """The answer to a command that was acknowledged as "thinking", by this run or an earlier one."""

    hook: discord.Webhook
    """The command's own, which works for 15 minutes."""
    channel: object
    limit_bytes: int
    message_id: int
    """Of the answer; 0 until Discord said so."""
    draw_turn: DrawTurn
    """Whether the answer still may be drawn there."""
    on_posted: Callable[[int], Awaitable[None]]
    """Gets the id of the answer, where that was not known."""
    is_private: bool = False
    """Acknowledged for the asker's eyes alone."""
    _own: discord.WebhookMessage | None = field(default=None)
    """What the asker alone sees of an answer that all were to see."""
    _refusals: Refusals = field(default_factory=Refusals)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the id of the answer, once that is known, unless it is for the asker's eyes alone."""
        return ("" if self.is_private else str(self.message_id or "")), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        draw = self._tell if reply.private and not self.is_private else self._draw
        async with self.draw_turn.at(str(self.message_id or "")) as may:
            if not may:
                return
            try:
                await laid_out(reply, self.limit_bytes, draw)
            except Refused as refused:
                await self._refusals.tell(self.hook, reply, refused, instead=self._own is None)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self.post(reply)

    async def _draw(self, shown: DiscordCard) -> None:
        try:
            sent = await self.hook.edit_message(
                ORIGINAL, view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY
            )
            await self._stands_as(sent.id)
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise
            if self.is_private:
                raise Refused("Discord has closed this command.") from error
            await self._draw_late(shown)

    async def _draw_late(self, shown: DiscordCard) -> None:
        """Edit as an ordinary message, once the token has expired."""
        if not isinstance(self.channel, discord.abc.Messageable):
            raise discord.ClientException("the channel of an interaction takes no messages")
        if self.message_id:
            message = discord.PartialMessage(channel=self.channel, id=self.message_id)  # type: ignore[arg-type]
            await message.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
            return
        sent = await self.channel.send(view=shown.view, files=shown.files(), allowed_mentions=NOBODY)
        await self._stands_as(sent.id)

    async def _stands_as(self, message_id: int) -> None:
        """Note which message it is, where that was not known: else nothing would find it again."""
        if self.message_id != message_id:
            self.message_id = message_id
            await self.on_posted(message_id)

    async def _tell(self, shown: DiscordCard) -> None:
        """Show something to the asker alone; after the token has expired there is no way but to show it to all."""
        try:
            if self._own is not None:
                await self._own.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
                return
            # A public "thinking" makes its first follow-up public too, so it has to go before.
            await self._without_thinking()
            said: Any = {"view": shown.view, "files": shown.files(), "allowed_mentions": NOBODY}
            self._own = await self.hook.send(**said, ephemeral=True, wait=True)
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise
            await self._draw_late(shown)

    async def _without_thinking(self) -> None:
        try:
            await self.hook.delete_message(ORIGINAL)
        except discord.NotFound as error:
            if error.code in TOKEN_DEAD:
                raise  # else a moderator was quicker


@dataclass(slots=True)
class DiscordPressTarget(PressTarget):
    """The message whose button was pressed, by a person who may have been acknowledged by an earlier run."""

    failures = FAILURES

    hook: discord.Webhook
    """The press's own, which works for 15 minutes."""
    pressed: discord.Message | discord.PartialMessage
    limit_bytes: int
    draw_turn: DrawTurn
    """Whether no later press decides what stands there."""
    aloud: MessageTarget
    """A message of this press's own, which all see."""
    is_whispered: bool = False
    """What an answer for one person's eyes leads to is for these alone, too."""
    _own: discord.WebhookMessage | None = field(default=None)
    _refusals: Refusals = field(default_factory=Refusals)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the id of the message that shows it, unless that is for one person's eyes alone."""
        own, _ = self.aloud.seen_by_all
        return ("" if self.is_whispered else own or str(self.pressed.id)), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply: where the button is, to the presser, or to all in a message of its own."""
        try:
            await self.route(reply)
        except Refused as refused:
            await self._refusals.tell(self.hook, reply, refused, instead=False)

    def is_for_one(self, reply: Reply) -> bool:
        """Tell whether the presser alone may see a reply."""
        return reply.private or self.is_whispered

    async def redraw(self, reply: Reply) -> None:
        """Show a reply in the message that holds the button."""
        await laid_out(reply, self.limit_bytes, self._redraw)

    async def tell(self, reply: Reply) -> None:
        """Show a reply to the presser alone."""
        await laid_out(reply, self.limit_bytes, self._whisper)

    async def speak(self, reply: Reply) -> None:
        """Show a reply to all, in a message of its own."""
        await self.aloud.post(reply)

    async def withdraw(self) -> None:
        """Take the message of its own back, where there is one."""
        await self.aloud.withdraw()

    async def edit(self, reply: Reply) -> None:
        """Show the next reply."""
        await self.post(reply)

    async def _redraw(self, shown: DiscordCard) -> None:
        async with self.draw_turn.at(str(self.pressed.id)) as may:
            if may:
                await self._redraw_now(shown)

    async def _redraw_now(self, shown: DiscordCard) -> None:
        try:
            await self.hook.edit_message(ORIGINAL, view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise
            if not self.is_whispered:
                await self.pressed.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)

    async def _whisper(self, shown: DiscordCard) -> None:
        try:
            if self._own is not None:
                await self._own.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
                return
            said: Any = {"view": shown.view, "files": shown.files(), "allowed_mentions": NOBODY}
            self._own = await self.hook.send(**said, ephemeral=True, wait=True)
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise  # else there is no way left to tell the person who pressed


@dataclass(frozen=True, slots=True)
class SavedDiscordTarget(SavedTarget):
    """Where an interaction is answered; fields may be added, with defaults."""

    token: str = ""
    """Edits the answer for fifteen minutes."""
    answer: int = 0
    """Keaton's message, or the one whose button was pressed; 0 until Discord said so."""
    everywhere: bool = False
    """A search is for the whole server, or for all that the asker can read."""
    of: int = 0
    """The message whose menu was used."""
    url: str = ""
    """Of a file or a picture that came with the command."""
    words: str = ""
    """What was searched, as it was written."""
    private: bool = False
    """For the asker's eyes alone: once the token has expired nobody can be told."""
    picture: str = ""
    """The name of the picture that came with the command."""
    own: int = 0
    """A message of a press's own, which all see; 0 until there is one."""
    moderator: bool = False
    """The asker could take back what others posted."""


def keeper(requests: RequestLog, taken: AcceptedRequest, saved: SavedDiscordTarget) -> Callable[[int], Awaitable[None]]:
    """Return what notes which message answers a command."""

    async def keep(message_id: int) -> None:
        await requests.stand(taken, replace(saved, answer=message_id).json(), str(message_id))

    return keep
