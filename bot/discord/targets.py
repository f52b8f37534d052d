"""Where replies appear on Discord: a message, the answer to a command, the message whose button was pressed.

An interaction's token works for 15 minutes. After that public answers are edited as ordinary messages, and private ones
cannot be changed any more. A `SavedDiscordTarget` is stored with the request, for a later run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import render
from bot.discord.asker import limit_of
from bot.discord.config import MOST_REQUEST_BYTES
from bot.discord.refusals import (
    ARCHIVED,
    FAILURES,
    REPLY_REFUSED,
    TOKEN_DEAD,
    TOO_LARGE,
    UNKNOWN_MESSAGE,
    passing,
    refusal,
)
from bot.discord.render import card, images
from bot.doors.delivery import sent_whole
from bot.doors.fallback import NotNow, Refused, show_somehow
from core.errors import NotShown, StorageUnusable
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.discord.render import DiscordCard, Image
    from bot.doors.delivery import ReplyTarget
    from bot.doors.draw_order import DrawTurn
    from bot.doors.pace import PaceTurns
    from core.model.reply import Reply


@dataclass(slots=True)
class Refusals:
    """Tells whoever used a command or a button why its answer cannot be shown: once, and never of a mere status."""

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
            await passing(_sent_alone(hook, view))
        except discord.HTTPException:
            raise refused from None
        self.is_told = True


@dataclass(slots=True)
class EarlierAnswerTarget:
    """The answer to a command of an earlier run, edited in place."""

    hook: discord.Webhook
    channel: discord.abc.Messageable
    limit_bytes: int
    message_id: int
    say: DrawTurn
    """Whether the answer still may be drawn there."""
    on_posted: Callable[[int], Awaitable[None]]
    """Gets the id of the message, where that was not known, or the old one cannot be found."""
    is_private: bool = False
    """Acknowledged for the asker's eyes alone."""
    _refusals: Refusals = field(default_factory=Refusals)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the answer, once that is known, unless it is for the asker's eyes alone."""
        return ("" if self.is_private else str(self.message_id or "")), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        try:
            await laid_out(reply, self.limit_bytes, self._send)
        except Refused as refused:
            await self._refusals.tell(self.hook, reply, refused, instead=True)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self.post(reply)

    async def _send(self, shown: DiscordCard) -> None:
        async with self.say.at(str(self.message_id or "")) as may:
            if may:
                await self._send_now(shown)

    async def _send_now(self, shown: DiscordCard) -> None:
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

    async def _send_late(self, shown: DiscordCard) -> None:
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


logger = logging.getLogger(__name__)


ORIGINAL: Any = "@original"
"""The library wants a number, but passes on what it is given."""


NOBODY = discord.AllowedMentions.none()


_LEFT_OUT = "A file is left out here: it is too large for this server."


async def laid_out(reply: Reply, limit_bytes: int, send: Callable[[DiscordCard], Awaitable[None]]) -> None:
    """Send a reply with its pictures fitted to the limit; smaller, and then with less in it, where Discord refuses it.

    Raises Refused where no form of it is taken or its place is gone, NotNow where Discord is out of order.
    """

    async def draw(shape: Reply) -> None:
        shown = images(shape.pictures)
        most_bytes = min(limit_bytes, MOST_REQUEST_BYTES // max(1, len(shown)))
        try:
            await passing(send(await _fitted(shape, shown, most_bytes)))
        except discord.HTTPException as error:
            if error.code != TOO_LARGE or not shown:
                raise
            await passing(send(await _fitted(shape, shown, most_bytes // 2)))

    await show_somehow(reply, draw, refusal)


async def _sent_alone(hook: discord.Webhook, view: discord.ui.LayoutView) -> None:
    await hook.send(view=view, ephemeral=True, allowed_mentions=NOBODY, wait=True)


async def _fitted(reply: Reply, shown: tuple[Image, ...], most_bytes: int) -> DiscordCard:
    fit = await render.fit(shown, most_bytes)
    return card(reply if len(fit) == len(shown) else replace(reply, text=f"{reply.text}\n{_LEFT_OUT}"), fit)


@dataclass(frozen=True, slots=True)
class Clickable:
    """A place whose replies name commands so that they can be clicked."""

    place: ReplyTarget
    commands: Mapping[str, str]

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self.place.post(replace(reply, commands=self.commands))

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self.place.edit(replace(reply, commands=self.commands))


@dataclass(slots=True)
class MessageTarget:
    """One message of Keaton's that answers a posted message, edited in place."""

    asked: discord.Message | discord.PartialMessage
    limit_bytes: int
    on_posted: Callable[[int], Awaitable[None]]
    """Gets the id of Keaton's message once it is there, and 0 once it was taken back."""
    say: DrawTurn
    """Whether the answer still may be drawn there."""
    nonce: str
    """Names this place: Discord gives back the message that it has with this nonce, for some minutes."""
    standing: discord.PartialMessage | discord.Message | None = None
    """Keaton's message, where an earlier run has posted one."""
    is_late: bool = False
    """An earlier run may have died after posting, before it could note so."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of Keaton's message once it is there; Discord's files go with their message."""
        return (str(self.standing.id) if self.standing else ""), ()

    async def post(self, reply: Reply) -> None:
        """Answer the message, or go on in what stands there already."""
        if reply.repeats and self.standing is None:
            return
        await laid_out(reply, self.limit_bytes, self._send)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await laid_out(reply, self.limit_bytes, self._send)

    async def _send(self, shown: DiscordCard) -> None:
        if self.standing is None:
            await sent_whole(self._send_new(shown))
            return
        try:
            await self._redraw(self.standing, shown)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            self._gone()  # a moderator deleted it: the outcome is still worth saying
            await sent_whole(self._send_new(shown))

    def _gone(self) -> None:
        """Name the place anew: Discord would give back the deleted message for the nonce that it had."""
        self.standing = None
        self.nonce = hashlib.sha256(self.nonce.encode()).hexdigest()[: len(self.nonce)]

    async def _redraw(self, standing: discord.PartialMessage | discord.Message, shown: DiscordCard) -> None:
        async with self.say.at(str(standing.id)) as may:
            if may:
                await self._redraw_now(standing, shown)

    async def _redraw_now(self, standing: discord.PartialMessage | discord.Message, shown: DiscordCard) -> None:
        try:
            await standing.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.code != ARCHIVED or not isinstance(standing.channel, discord.Thread):
                raise
            await standing.channel.edit(archived=False)  # it went to sleep while its video was looked at
            await standing.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)

    async def withdraw(self) -> None:
        """Take Keaton's message back, where there is one."""
        if self.standing is not None:
            with suppress(discord.NotFound):
                await self.standing.delete()
            self._gone()
            await self.on_posted(0)

    async def _send_new(self, shown: DiscordCard) -> None:
        where = self.asked.to_reference(fail_if_not_exists=False) if _may_reply(self.asked) else None
        try:
            self.standing = await self._sent(shown, where)
        except discord.HTTPException as error:
            if error.code not in REPLY_REFUSED:
                raise
            self.standing = await self._sent(shown, None)
        await self.on_posted(self.standing.id)
        if self.is_late:
            await self._redraw(self.standing, shown)

    async def _sent(self, shown: DiscordCard, where: discord.MessageReference | None) -> discord.Message:
        said: Any = {"view": shown.view, "files": shown.files(), "nonce": self.nonce, "allowed_mentions": NOBODY}
        if where is not None:
            said |= {"reference": where, "mention_author": False}
        sent: discord.Message = await self.asked.channel.send(**said)
        return sent


def _may_reply(asked: discord.Message | discord.PartialMessage) -> bool:
    """Tell whether Keaton may answer as a reply: that takes the right to read the history."""
    channel = asked.channel
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return True
    me: discord.Member | None = channel.guild.me
    return me is None or channel.permissions_for(me).read_message_history


@dataclass(frozen=True, slots=True)
class ChannelTurns:
    """The turns of a message of Keaton's among all that Discord counts together."""

    place: MessageTarget
    posts: PaceTurns
    edits: PaceTurns

    async def wait(self, *, urgent: bool) -> None:
        """Wait until the message may be posted, or edited where it stands already."""
        await (self.posts if self.place.standing is None else self.edits).wait(urgent=urgent)


@dataclass(slots=True)
class CommandTarget:
    """The answer to a command that was acknowledged as "thinking"."""

    interaction: discord.Interaction[Any]
    is_private: bool
    """Acknowledged for the asker's eyes alone."""
    message_id: int | None
    """Of the answer, once Discord said so."""
    say: DrawTurn
    """Whether the answer still may be drawn there."""
    _whisper: discord.WebhookMessage | None = field(default=None)
    _refusals: Refusals = field(default_factory=Refusals)

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the answer, unless it is for the asker's eyes alone."""
        return ("" if self.is_private else str(self.message_id or "")), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        whispers = reply.private and not self.is_private
        async with self.say.at(str(self.message_id or "")) as may:
            if not may:
                return
            try:
                await laid_out(reply, limit_of(self.interaction), self._say_privately if whispers else self._say)
            except Refused as refused:
                hook = self.interaction.followup
                await self._refusals.tell(hook, reply, refused, instead=self._whisper is None)

    async def _say(self, shown: DiscordCard) -> None:
        try:
            await self.interaction.edit_original_response(
                view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY
            )
        except discord.HTTPException as error:
            if error.code not in TOKEN_DEAD:
                raise
            if self.message_id is None or self.is_private:
                raise Refused("Discord has closed this command.") from error
            await self._say_late(self.message_id, shown)

    async def _say_late(self, message_id: int, shown: DiscordCard) -> None:
        """Edit as an ordinary message: the token of the interaction lives for 15 minutes only."""
        channel = self.interaction.channel
        if not isinstance(channel, discord.abc.Messageable):
            raise discord.ClientException("the channel of an interaction takes no messages")
        message = discord.PartialMessage(channel=channel, id=message_id)
        await message.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)

    async def _say_privately(self, shown: DiscordCard) -> None:
        if self._whisper is not None:
            await self._whisper.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
            return
        # A public "thinking" makes its first follow-up public too, so it has to go before.
        with suppress(discord.NotFound):  # a moderator was quicker
            await self.interaction.delete_original_response()
        self._whisper = await self.interaction.followup.send(
            view=shown.view, files=shown.files(), ephemeral=True, allowed_mentions=NOBODY, wait=True
        )


@dataclass(slots=True)
class DiscordPressTarget:
    """The message whose button was pressed, by somebody who may have been acknowledged by an earlier run."""

    hook: discord.Webhook
    """The press's own, which works for 15 minutes."""
    pressed: discord.Message | discord.PartialMessage
    limit_bytes: int
    say: DrawTurn
    """Whether no later press decides what stands there."""
    aloud: MessageTarget
    """A message of this press's own, which all see."""
    is_whispered: bool = False
    """What an answer for one person's eyes leads to is for these alone, too."""
    _own: discord.WebhookMessage | None = field(default=None)
    _refusals: Refusals = field(default_factory=Refusals)
    _under_way: Reply | None = None
    _is_answered: bool = False

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the message that shows it, unless that is for one person's eyes alone."""
        own, _ = self.aloud.seen_by_all
        return ("" if self.is_whispered else own or str(self.pressed.id)), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply: where the button is, to whoever pressed it, or to all in a message of its own."""
        try:
            await self._show(reply)
        except Refused as refused:
            await self._refusals.tell(self.hook, reply, refused, instead=False)

    async def _show(self, reply: Reply) -> None:
        if reply.updates:
            await laid_out(reply, self.limit_bytes, self._redraw)
        elif reply.private or self.is_whispered:
            with suppress(StorageUnusable, Refused, NotNow, *FAILURES):  # who pressed is told all the same
                await self._break_off()
            await laid_out(reply, self.limit_bytes, self._whisper)
        else:
            await self.aloud.post(reply)
            self._is_answered = reply.progress is None
        self._under_way = reply if reply.updates and reply.progress else None

    async def _break_off(self) -> None:
        """Let nothing stand there as under way: what came of it is told to whoever pressed."""
        if not self._is_answered:
            await self.aloud.withdraw()
        if self._under_way is not None:
            await self.post(replace(self._under_way, progress=None))

    async def edit(self, reply: Reply) -> None:
        """Show the next reply."""
        await self.post(reply)

    async def _redraw(self, shown: DiscordCard) -> None:
        async with self.say.at(str(self.pressed.id)) as may:
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
                raise  # else there is no way left to tell whoever pressed


@dataclass(frozen=True, slots=True)
class SavedDiscordTarget:
    """All that a later run must know to answer in the same place; fields may be added, with defaults."""

    token: str
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

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def read(cls, text: str) -> SavedDiscordTarget:
        """Give what `text` gave, in this version or an earlier one."""
        return cls(**{"token": "", **json.loads(text or "{}")})
