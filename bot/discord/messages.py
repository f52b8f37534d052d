"""What a message brings: links, video files, pictures, and the answer that it replies to."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import discord

from bot.discord.config import DOOR
from bot.discord.permissions import scope_of
from bot.discord.targets import FAILURES
from bot.doors import messages
from bot.doors.messages import Item, bounded
from core.errors import FetchFailed, MessageGone, OverLimit
from core.links import canonical, find_links, looks_like_video
from core.model.actions import answer_among
from core.model.events import Address, LinkPosted, PictureFile, RemoteFile, RemoteFilePosted, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.model.video import View

_EXPIRES_SOON_S = 60.0


def turn_of(message: discord.Message, guild_id: int, view: View, *, late: bool = False) -> Turn:
    """Return the turn of the person who wrote a message."""
    scope, author = scope_of(guild_id, message.channel.id), message.author
    turn = Turn(DOOR, scope, view, str(author.id), author.display_name, str(message.id), message.jump_url, late=late)
    return replace(turn, moderator=_moderates(message))


def _moderates(message: discord.Message) -> bool:
    who, place = message.author, message.channel
    if not isinstance(who, discord.Member) or not isinstance(place, discord.abc.GuildChannel | discord.Thread):
        return False
    return place.permissions_for(who).manage_messages


def videos(message: discord.Message, turn: Turn, *, asked: bool) -> tuple[Item, ...]:
    """Return what may be a video; of links only those that look like one, unless a person asked for it."""
    return bounded(_videos(message, turn, asked=asked))


def names(message: discord.Message, turn: Turn) -> frozenset[str]:
    """Return the names of all that may be a video in a message, the person who asks for it."""
    return frozenset(item.name for item in _videos(message, turn, asked=True))


def _videos(message: discord.Message, turn: Turn, *, asked: bool) -> list[Item]:
    written = "\n".join([message.content, *(one.content for one in message.message_snapshots)])
    links = {canonical(link): link for link in find_links(written) if asked or looks_like_video(link)}
    posted = [Item(name, LinkPosted(turn, link)) for name, link in links.items()]
    chosen = [one for one in attachments(message) if is_video(one)]
    return posted + [Item(_key(one), RemoteFilePosted(turn, _stored(message, one))) for one in chosen]


def attachments(message: discord.Message) -> list[discord.Attachment]:
    """Return the files of a message, and of those that it forwards."""
    return [*message.attachments, *itertools.chain.from_iterable(one.attachments for one in message.message_snapshots)]


def is_video(attachment: discord.Attachment) -> bool:
    """Tell whether a file says that it is a video."""
    return messages.is_video(attachment.filename, attachment.content_type or "")


def picture(message: discord.Message) -> PictureFile | None:
    """Return the first picture that came with a message."""
    return next((asked_about(one) for one in attachments(message) if is_picture(one)), None)


def is_picture(attachment: discord.Attachment) -> bool:
    """Tell whether a file says that it is a picture."""
    return messages.is_picture(attachment.filename, attachment.content_type or "")


def asked_about(attachment: discord.Attachment) -> PictureFile:
    """Return a picture that a person asks about; it is read at once."""

    async def read(limit_bytes: int) -> bytes:
        if attachment.size > limit_bytes:
            raise OverLimit(attachment.filename, "size_bytes", limit_bytes, attachment.size)
        try:
            return await attachment.read()
        except discord.NotFound as error:
            raise MessageGone from error
        except discord.HTTPException as error:
            raise FetchFailed(attachment.url, "http", str(error.status)) from error

    return PictureFile(attachment.filename, read)


async def answer_under(message: discord.Message) -> str:
    """Return the answer of Keaton's that a message replies to, or ""."""
    reference = message.reference
    if reference is None or reference.message_id is None or reference.channel_id != message.channel.id:
        return ""
    card = reference.resolved
    if not isinstance(card, discord.Message):
        try:
            card = await message.channel.fetch_message(reference.message_id)
        except FAILURES:
            return ""
    return answer_among(_ids(card.components))


def _ids(components: Iterable[object]) -> Iterator[str]:
    for one in components:
        if known := getattr(one, "custom_id", None):
            yield str(known)
        yield from _ids(getattr(one, "children", ()))


def given(attachment: discord.Attachment) -> RemoteFile:
    """Return a file that came with a command; it is used at once."""

    async def locate() -> Address:
        return Address(attachment.url)

    return RemoteFile(_key(attachment), attachment.filename, locate, attachment.size)


def _stored(message: discord.Message, attachment: discord.Attachment) -> RemoteFile:
    async def locate() -> Address:
        if not expired(attachment.url, time.time()):
            return Address(attachment.url)
        return Address(await _fresh_url(message, attachment.id))

    return RemoteFile(_key(attachment), attachment.filename, locate, attachment.size)


def expired(url: str, now_s: float) -> bool:
    """Tell whether one of Discord's signed addresses has run out, or is about to."""
    try:
        ends_s = int(parse_qs(urlsplit(url).query)["ex"][0], 16)
    except (KeyError, ValueError):
        return False
    return ends_s < now_s + _EXPIRES_SOON_S


async def _fresh_url(message: discord.Message, attachment_id: int) -> str:
    try:
        again = await message.channel.fetch_message(message.id)
    except discord.NotFound as error:
        raise MessageGone from error
    for attachment in attachments(again):
        if attachment.id == attachment_id:
            return attachment.url
    raise MessageGone


def _key(attachment: discord.Attachment) -> str:
    return f"discord:attachment:{attachment.id}"
