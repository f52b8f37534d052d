"""Interactions that an earlier run acknowledged and did not come to answer. Owns how they are taken up again."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import discord

from bot.discord import posts, sight
from bot.discord.config import DOOR, MOST_FILE_BYTES
from bot.discord.earlier import AnswerPlace
from bot.discord.standing import Standing
from bot.requests import event_of
from core.commands import find
from core.errors.links import FetchFailed
from core.errors.turns import MessageGone
from core.model import View
from core.talk import Action, Address, Find, PictureFile, RemoteFile, RemoteFilePosted, Turn

if TYPE_CHECKING:
    from bot.discord.desk import Desk
    from bot.discord.sights import Sights
    from bot.discord.snapshots import Place
    from bot.requests import Taken
    from core.jobs import Job
    from core.talk import Incoming

logger = logging.getLogger(__name__)


class Client(Protocol):
    """What this needs of the client."""

    @property
    def application_id(self) -> int | None:
        """Give Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...


async def take_up(client: Client, desk: Desk, job: Job) -> None:
    """Answer an interaction that an earlier run acknowledged, where its answer stands."""
    request, channel = job.request, client.get_channel(int(job.request.errand.scope.channel))
    standing = Standing.read(request.place)
    if not isinstance(channel, discord.abc.Messageable) or client.application_id is None:
        return
    try:
        event = await _event(desk.sights, channel, job, standing)
    except (discord.HTTPException, MessageGone) as error:
        logger.warning("the request of job %d cannot be taken up again: %s", job.id, error)
        await desk.requests.drop(job.ref)
        return
    taken = await desk.requests.take(request.errand, event, request.place)
    if taken is None:
        return
    hook = hook_of(client, client.application_id, standing.token)  # type: ignore[arg-type]
    if isinstance(event, Action):
        card = discord.PartialMessage(channel=channel, id=standing.answer)  # type: ignore[arg-type]
        desk.start(desk.press(taken, desk.word.of(taken), standing, hook, card, late=True))
    else:
        desk.start(desk.answer_taken(taken, _place(desk, taken, standing, hook, channel)), standing.of)


def hook_of(client: discord.Client, application_id: int, token: str) -> discord.Webhook:
    """Give what an interaction is answered through, by its token; also in private."""
    hook = discord.Webhook.partial(application_id, token, client=client)
    hook.type = discord.WebhookType.application  # a partial one is taken for a channel's, which has no private answers
    return hook


def _place(
    desk: Desk, taken: Taken, standing: Standing, hook: discord.Webhook, channel: discord.abc.Messageable
) -> AnswerPlace:
    async def keep(message_id: int) -> None:
        await desk.requests.stand(taken, replace(standing, answer=message_id).text(), str(message_id))

    say, limit_bytes = desk.word.of(taken), _limit_bytes(channel)
    return AnswerPlace(hook, channel, limit_bytes, standing.answer, say, keep, is_private=standing.private)


async def _event(sights: Sights, channel: discord.abc.Messageable, job: Job, standing: Standing) -> Incoming:
    request = job.request
    turn = _turn(job, await _view(sights, channel, job, standing))
    limit_bytes = min(_limit_bytes(channel), MOST_FILE_BYTES)
    turn = replace(turn, moderator=standing.moderator, upload_limit_bytes=limit_bytes)
    if request.kind == "switch":
        turn = replace(turn, scope=sight.switch_of(channel, turn.scope))
    if asked := event_of(request, turn):
        return asked
    if request.kind == "find":
        return await _find(sights, channel, turn, job, standing)
    if standing.of:
        return await _of_message(channel, turn, standing.of, request.source)
    return RemoteFilePosted(turn, _file(request.source, request.name, standing.url))


async def _find(sights: Sights, channel: object, turn: Turn, job: Job, standing: Standing) -> Find:
    asked = find(turn, standing.words)
    picture = _picture(channel, standing) if standing.picture else None
    asked = replace(asked, video=job.request.name or asked.video, picture=picture)
    if not asked.filters.channel or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return asked
    at = sights.at(channel.guild, channel.guild.id, channel, channel.id, await _asker(channel, job))
    return replace(asked, rooms=await sights.rooms(at, "all I can read" if standing.private else "this server"))


async def _asker(channel: Place, job: Job) -> discord.Member:
    return await channel.guild.fetch_member(int(job.request.user_id))


def _picture(channel: object, standing: Standing) -> PictureFile:
    """Give the picture that came with a command, for when the earlier run did not come to read it."""

    async def read(_limit_bytes: int) -> bytes:
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            raise MessageGone
        try:
            return await channel._state.http.get_from_cdn(standing.url)  # noqa: SLF001 - as discord.Attachment does
        except discord.NotFound as error:
            raise MessageGone from error
        except discord.HTTPException as error:
            raise FetchFailed(standing.url, "http", str(error.status)) from error

    return PictureFile(standing.picture, read)


def _file(key: str, name: str, url: str) -> RemoteFile:
    async def locate() -> Address:
        return Address(url)

    return RemoteFile(key, name, locate)


async def _of_message(channel: discord.abc.Messageable, turn: Turn, message_id: int, key: str) -> Incoming:
    message = await channel.fetch_message(message_id)
    for item in posts.films(message, turn, asked=True):
        if item.name == key:
            return item.event
    raise MessageGone


async def _view(sights: Sights, channel: object, job: Job, standing: Standing) -> View:
    """Give what may be shown there now, to all or to the asker alone; raises discord.HTTPException."""
    scope = job.request.errand.scope
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return View.of(scope)
    asker = await _asker(channel, job) if standing.private else None
    at = sights.at(channel.guild, channel.guild.id, channel, channel.id, asker)
    if standing.private:
        return await sights.own(at, everywhere=standing.everywhere)
    return await sights.public(at) if standing.everywhere else sights.here(at)


def _limit_bytes(channel: object) -> int:
    guild = getattr(channel, "guild", None)
    return guild.filesize_limit if isinstance(guild, discord.Guild) else 0


def _turn(job: Job, view: View) -> Turn:
    request = job.request
    who = request.user_id, request.user_name, request.message, request.message_url
    return Turn(DOOR, request.errand.scope, view, *who, late=True)
