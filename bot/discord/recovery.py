"""After a restart: takes up commands and presses that an earlier run acknowledged and did not answer."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import discord

from bot.discord import messages, permissions
from bot.discord.config import DOOR, MOST_FILE_BYTES
from bot.discord.interaction_targets import CommandTarget, SavedDiscordTarget, keeper
from bot.doors.desk import about_message
from bot.doors.requests import event_of
from core.conversation.commands import find
from core.errors import FetchFailed, MessageGone
from core.model.events import Action, Address, Find, PictureFile, RemoteFile, RemoteFilePosted, Turn
from core.model.video import View

if TYPE_CHECKING:
    from bot.discord.desk import DiscordDesk
    from bot.discord.permissions import Sights
    from bot.discord.rights import Place
    from core.model.events import Incoming
    from core.model.requests import Job

logger = logging.getLogger(__name__)


class ResumingClient(Protocol):
    """What this needs of the client."""

    @property
    def application_id(self) -> int | None:
        """Return Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Return a channel that the client knows."""
        ...


async def take_up(client: ResumingClient, desk: DiscordDesk, job: Job) -> None:
    """Answer an interaction that an earlier run acknowledged, where its answer stands."""
    request, channel = job.request, client.get_channel(int(job.request.key.scope.channel))
    saved = SavedDiscordTarget.read(request.place)
    if not isinstance(channel, discord.abc.Messageable) or client.application_id is None:
        return
    try:
        event = await _event(desk.sights, channel, job, saved)
    except (discord.NotFound, discord.Forbidden, MessageGone) as error:
        logger.warning("the request of job %d cannot be taken up again: %s", job.id, error)
        await desk.requests.drop(job.ref)
        return
    taken = await desk.requests.take(request.key, event, request.place)
    if taken is None:
        return
    hook = hook_of(client, client.application_id, saved.token)  # type: ignore[arg-type]
    if isinstance(event, Action):
        card = discord.PartialMessage(channel=channel, id=saved.answer)  # type: ignore[arg-type]
        desk.start(desk.answers.press(taken, desk.answers.draw_order.of(taken), saved, hook, card, late=True))
    else:
        about = about_message(request.key.scope.channel, str(saved.of)) if saved.of else ""
        draw_turn, keep = desk.answers.draw_order.of(taken), keeper(desk.requests, taken, saved)
        target = CommandTarget(hook, channel, _limit_bytes(channel), saved.answer, draw_turn, keep, saved.private)
        desk.tasks.start(desk.answers.answer_taken(taken, target), about)


def hook_of(client: discord.Client, application_id: int, token: str) -> discord.Webhook:
    """Return what an interaction is answered through, by its token; also in private."""
    hook = discord.Webhook.partial(application_id, token, client=client)
    hook.type = discord.WebhookType.application  # a partial one is taken for a channel's, which has no private answers
    return hook


async def _event(sights: Sights, channel: discord.abc.Messageable, job: Job, saved: SavedDiscordTarget) -> Incoming:
    request = job.request
    turn = _turn(job, await _view(sights, channel, job, saved))
    limit_bytes = min(_limit_bytes(channel), MOST_FILE_BYTES)
    turn = replace(turn, moderator=saved.moderator, upload_limit_bytes=limit_bytes)
    if request.kind == "switch":
        turn = replace(turn, scope=permissions.switch_of(channel, turn.scope))
    if asked := event_of(request, turn):
        return asked
    if request.kind == "find":
        return await _find(sights, channel, turn, job, saved)
    if saved.of:
        return await _of_message(channel, turn, saved.of, request.source)
    return RemoteFilePosted(turn, _file(request.source, request.name, saved.url))


async def _find(sights: Sights, channel: object, turn: Turn, job: Job, saved: SavedDiscordTarget) -> Find:
    asked = find(turn, saved.words)
    picture = _picture(channel, saved) if saved.picture else None
    asked = replace(asked, video=job.request.name or asked.video, picture=picture)
    if not asked.filters.channel or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return asked
    at = sights.at(channel.guild, channel.guild.id, channel, channel.id, await _asker(channel, job))
    return replace(asked, rooms=await sights.rooms(at, "all I can read" if saved.private else "this server"))


async def _asker(channel: Place, job: Job) -> discord.Member:
    return await channel.guild.fetch_member(int(job.request.user_id))


def _picture(channel: object, saved: SavedDiscordTarget) -> PictureFile:
    """Return the picture that came with a command, for when the earlier run did not come to read it."""

    async def read(_limit_bytes: int) -> bytes:
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            raise MessageGone
        try:
            return await channel._state.http.get_from_cdn(saved.url)  # noqa: SLF001 - as discord.Attachment does
        except discord.NotFound as error:
            raise MessageGone from error
        except discord.HTTPException as error:
            raise FetchFailed(saved.url, "http", str(error.status)) from error

    return PictureFile(saved.picture, read)


def _file(key: str, name: str, url: str) -> RemoteFile:
    async def locate() -> Address:
        return Address(url)

    return RemoteFile(key, name, locate)


async def _of_message(channel: discord.abc.Messageable, turn: Turn, message_id: int, key: str) -> Incoming:
    message = await channel.fetch_message(message_id)
    for item in messages.videos(message, turn, asked=True):
        if item.name == key:
            return item.event
    raise MessageGone


async def _view(sights: Sights, channel: object, job: Job, saved: SavedDiscordTarget) -> View:
    """Return what may be shown there now, to all or to the asker alone; raises discord.HTTPException."""
    scope = job.request.key.scope
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return View.of(scope)
    asker = await _asker(channel, job) if saved.private else None
    at = sights.at(channel.guild, channel.guild.id, channel, channel.id, asker)
    if saved.private:
        return await sights.own(at, everywhere=saved.everywhere)
    return await sights.public(at) if saved.everywhere else sights.here(at)


def _limit_bytes(channel: object) -> int:
    guild = getattr(channel, "guild", None)
    return guild.filesize_limit if isinstance(guild, discord.Guild) else 0


def _turn(job: Job, view: View) -> Turn:
    request = job.request
    who = request.user_id, request.user_name, request.message, request.message_url
    return Turn(DOOR, request.key.scope, view, *who, late=True)
