"""Where replies stand in a channel: messages of Keaton's, what fits into them, and what Discord's refusals mean."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import aiohttp
import discord

from bot.discord import render
from bot.discord.config import MOST_REQUEST_BYTES
from bot.discord.render import card, images
from bot.doors.delivery import NotNow, Refused, sent_whole, show_somehow
from bot.doors.desk import WorkReaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.discord.render import DiscordCard, Image
    from bot.doors.delivery import ReplyTarget
    from bot.doors.pace import Pace, PaceTurns
    from bot.doors.requests import DrawTurn
    from core.model.reply import Reply

logger = logging.getLogger(__name__)

NOBODY = discord.AllowedMentions.none()
_LEFT_OUT = "A file is left out here: it is too large for this server."
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
EYES = "👀"
WARNING = "⚠️"
"""Stands under a message whose answer Discord takes in no form."""


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


async def _fitted(reply: Reply, shown: tuple[Image, ...], most_bytes: int) -> DiscordCard:
    fit = await render.fit(shown, most_bytes)
    return card(reply if len(fit) == len(shown) else replace(reply, text=f"{reply.text}\n{_LEFT_OUT}"), fit)


@dataclass(frozen=True, slots=True)
class Clickable:
    """A target whose replies name commands so that they can be clicked."""

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
    draw_turn: DrawTurn
    """Whether the answer still may be drawn there."""
    nonce: str
    """Names this place: Discord gives back the message that it has with this nonce, for some minutes."""
    posted: discord.PartialMessage | discord.Message | None = None
    """Keaton's message, where an earlier run has posted one."""
    is_late: bool = False
    """An earlier run may have died after posting, before it could note so."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the id of Keaton's message once it is there; Discord's files go with their message."""
        return (str(self.posted.id) if self.posted else ""), ()

    async def post(self, reply: Reply) -> None:
        """Answer the message, or go on in what stands there already."""
        if reply.repeats and self.posted is None:
            return
        await laid_out(reply, self.limit_bytes, self._send)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await laid_out(reply, self.limit_bytes, self._send)

    async def _send(self, shown: DiscordCard) -> None:
        if self.posted is None:
            await sent_whole(self._send_new(shown))
            return
        try:
            await self._redraw(self.posted, shown)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            self._gone()  # a moderator deleted it: the outcome is still worth saying
            await sent_whole(self._send_new(shown))

    def _gone(self) -> None:
        """Name the place anew: Discord would give back the deleted message for the nonce that it had."""
        self.posted = None
        self.nonce = hashlib.sha256(self.nonce.encode()).hexdigest()[: len(self.nonce)]

    async def _redraw(self, posted: discord.PartialMessage | discord.Message, shown: DiscordCard) -> None:
        async with self.draw_turn.at(str(posted.id)) as may:
            if may:
                await self._redraw_now(posted, shown)

    async def _redraw_now(self, posted: discord.PartialMessage | discord.Message, shown: DiscordCard) -> None:
        try:
            await posted.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.code != ARCHIVED or not isinstance(posted.channel, discord.Thread):
                raise
            await posted.channel.edit(archived=False)  # it went to sleep while its video was looked at
            await posted.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)

    async def withdraw(self) -> None:
        """Take Keaton's message back, where there is one."""
        if self.posted is not None:
            with suppress(discord.NotFound):
                await self.posted.delete()
            self._gone()
            await self.on_posted(0)

    async def _send_new(self, shown: DiscordCard) -> None:
        where = self.asked.to_reference(fail_if_not_exists=False) if _may_reply(self.asked) else None
        try:
            self.posted = await self._sent(shown, where)
        except discord.HTTPException as error:
            if error.code not in REPLY_REFUSED:
                raise
            self.posted = await self._sent(shown, None)
        await self.on_posted(self.posted.id)
        if self.is_late:
            await self._redraw(self.posted, shown)

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
        await (self.posts if self.place.posted is None else self.edits).wait(urgent=urgent)


def refusal(error: Exception) -> str | None:
    """Return what an admin can do about an answer that Discord refuses; None for all else."""
    if not isinstance(error, discord.HTTPException) or error.code in TOKEN_DEAD:
        return None
    if error.status >= _SERVER_ERROR or error.status in {401, 404, 429}:
        return None
    default = f"Discord did not take my whole answer (error {error.code}). Whoever runs me can look at the log."
    return _ADVICE.get(error.code, default)


async def passing(sending: Awaitable[object]) -> None:
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


class DiscordWorkReaction(WorkReaction[discord.Message]):
    """Eyes under a message. Discord counts reactions of a channel by themselves, one in a quarter of a second."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace
        self._there: set[int] = set()
        """Messages that may bear the reaction."""

    def key(self, message: discord.Message) -> int:
        """Return what tells a message from all others."""
        return message.id

    async def add(self, message: discord.Message) -> None:
        """Add the reaction, when the rate allows."""
        if may_react(message):
            await self._pace.wait(str(message.channel.id), urgent=False)
            self._there.add(message.id)
            with suppress(*FAILURES):
                await message.add_reaction(EYES)

    async def remove(self, message: discord.Message, *, at_once: bool) -> None:
        """Remove the reaction, where it may be there."""
        me: discord.Member | None = message.guild.me if message.guild else None
        if message.id not in self._there and not _bears(message):
            return
        self._there.discard(message.id)
        if me is None:
            return
        if not at_once:
            await self._pace.wait(str(message.channel.id), urgent=True)
        with suppress(*FAILURES):
            await message.remove_reaction(EYES, me)


class WarningTarget:
    """A target below a message, which gets a warning sign where the last word about it is refused in every form."""

    def __init__(self, place: ReplyTarget, message: discord.Message | discord.PartialMessage) -> None:
        self._place = place
        self._message = message

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply, self._place.post)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply, self._place.edit)

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        try:
            await draw(reply)
        except Refused:
            if reply.progress is None and isinstance(self._message, discord.Message) and may_react(self._message):
                with suppress(*FAILURES):
                    await self._message.add_reaction(WARNING)
            raise


def _bears(message: discord.Message) -> bool:
    """Tell whether an earlier run, which did not get to take it away, left the reaction there."""
    return any(one.me and str(one.emoji) == EYES for one in message.reactions)


def may_react(message: discord.Message) -> bool:
    """Tell whether Keaton may react there: refused requests count towards a ban."""
    me: discord.Member | None = message.guild.me if message.guild else None
    if me is None or not isinstance(message.channel, discord.abc.GuildChannel | discord.Thread):
        return True
    allowed = message.channel.permissions_for(me)
    return allowed.add_reactions and allowed.read_message_history
