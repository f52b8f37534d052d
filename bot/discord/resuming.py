"""Commands that an earlier run acknowledged and did not come to answer. Owns how they are taken up again."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, assert_never

import discord

from bot.discord import posts, sight
from bot.discord.config import DOOR
from bot.discord.places import NOBODY, laid_out
from core.commands import find
from core.errors import MessageGone
from core.talk import Address, LinkPosted, RemoteFile, RemoteFilePosted, Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.desk import Desk
    from bot.discord.render import Card
    from core.jobs import Job
    from core.model import View
    from core.talk import Incoming, Reply

logger = logging.getLogger(__name__)

Interaction: TypeAlias = discord.Interaction[Any]

_DEAD = {10015, 50027}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the answer to a command stands, and what else a later run must know of it."""

    token: str
    """Edits the answer for fifteen minutes."""
    answer: int = 0
    """Keaton's message; 0 until Discord said so."""
    everywhere: bool = False
    """A search is for the whole server."""
    of: int = 0
    """The message whose menu was used."""
    url: str = ""
    """Of a file that came with the command."""
    words: str = ""
    """What was searched, as it was written."""

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


class Client(Protocol):
    """What this needs of the client."""

    @property
    def application_id(self) -> int | None:
        """Give Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...


@dataclass(slots=True)
class AnswerPlace:
    """The answer to a command of an earlier run, edited in place."""

    hook: discord.Webhook
    channel: discord.abc.Messageable
    limit_bytes: int
    message_id: int
    on_posted: Callable[[int], Awaitable[None]]
    """Gets the id of a new message, where the old one cannot be found."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the id of the answer, once that is known."""
        return str(self.message_id or ""), ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await laid_out(reply, self.limit_bytes, self._send)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await laid_out(reply, self.limit_bytes, self._send)

    async def _send(self, shown: Card) -> None:
        try:
            # The library wants a number, but passes on what it is given.
            original: Any = "@original"
            await self.hook.edit_message(
                original,
                view=shown.view,
                attachments=shown.files(),
                allowed_mentions=NOBODY,
            )
        except discord.HTTPException as error:
            if error.code not in _DEAD:
                raise
            await self._send_late(shown)

    async def _send_late(self, shown: Card) -> None:
        if self.message_id:
            message = discord.PartialMessage(channel=self.channel, id=self.message_id)  # type: ignore[arg-type]
            await message.edit(view=shown.view, attachments=shown.files(), allowed_mentions=NOBODY)
            return
        sent = await self.channel.send(view=shown.view, files=shown.files(), allowed_mentions=NOBODY)
        self.message_id = sent.id
        await self.on_posted(sent.id)


async def take_up(client: Client, desk: Desk, job: Job) -> None:
    """Answer a command that an earlier run acknowledged, where its answer stands."""
    request, channel = job.request, client.get_channel(int(job.request.errand.scope.channel))
    standing = Standing(**json.loads(request.place or '{"token": ""}'))
    if not isinstance(channel, discord.abc.Messageable) or client.application_id is None:
        return
    try:
        event = await _event(channel, job, standing)
    except (discord.HTTPException, MessageGone) as error:
        logger.warning("the command of job %d cannot be taken up again: %s", job.id, error)
        await desk.requests.drop(job.ref)
        return
    taken = await desk.requests.take(request.errand, event, request.place)
    if taken is None:
        return

    async def keep(message_id: int) -> None:
        await desk.requests.stand(taken, replace(standing, answer=message_id).text(), str(message_id))

    hook = discord.Webhook.partial(client.application_id, standing.token, client=client)  # type: ignore[arg-type]
    place = AnswerPlace(hook, channel, _limit_bytes(channel), standing.answer, keep)
    desk.start(desk.answer_taken(taken, place), standing.of)


async def _event(channel: discord.abc.Messageable, job: Job, standing: Standing) -> Incoming:
    request = job.request
    turn = _turn(job, _view(channel, job, standing))
    if standing.of and request.kind == "remote":
        return await _of_message(channel, turn, standing.of, request.source)
    match request.kind:
        case "link":
            return LinkPosted(turn, request.source)
        case "find":
            asked = find(turn, standing.words)
            return replace(asked, video=request.name or asked.video)
        case "remote" | "file":
            return RemoteFilePosted(turn, _file(request.source, request.name, standing.url))
        case _:
            assert_never(request.kind)


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


def _view(channel: object, job: Job, standing: Standing) -> View:
    scope = job.request.errand.scope
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return sight.alone(int(scope.space), int(scope.channel))
    return sight.whole_server(channel) if standing.everywhere else sight.here(channel)


def _limit_bytes(channel: object) -> int:
    guild = getattr(channel, "guild", None)
    return guild.filesize_limit if isinstance(guild, discord.Guild) else 0


def _turn(job: Job, view: View) -> Turn:
    request = job.request
    who = request.user_id, request.user_name, request.message, request.message_url
    return Turn(DOOR, request.errand.scope, view, *who, late=True)
