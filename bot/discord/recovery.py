"""After a restart: reads the messages that were missed, and takes up interactions that were not answered.

The look back is bounded and keyed on message ids, so nothing is answered twice.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import FIRST_COMPLETED
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

import aiohttp
import discord
from discord import utils

from bot.discord import messages, permissions
from bot.discord.config import DOOR, MOST_FILE_BYTES
from bot.discord.known import KnownDiscordMessages
from bot.discord.permissions import scope_of
from bot.discord.targets import EarlierAnswerTarget, SavedDiscordTarget
from bot.doors.backoff import Backoff
from bot.doors.requests import event_of
from core.conversation.commands import find
from core.errors import FetchFailed, MessageGone
from core.model.events import Action, Address, Find, PictureFile, RemoteFile, RemoteFilePosted, Turn
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping, Sequence

    from bot.discord.desk import DiscordDesk
    from bot.discord.sights import Sights
    from bot.discord.snapshots import Place
    from bot.doors.requests import AcceptedRequest, DoorContext
    from core.model.events import Incoming
    from core.model.requests import Job, MessageKey
    from core.model.video import Scope

logger = logging.getLogger(__name__)


Readable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.Thread


_ALIVE = "discord:alive"


_MISSED = "discord:missed:"


_LONGEST_WAIT_S = 3600.0


_AT_ONCE = 4


_FURTHEST = timedelta(hours=24)


_OVERLAP = timedelta(seconds=30)
"""What was heard of late may not be written down yet; what is seen twice is done once."""


_MOST_MESSAGES = 50


_MOST_POSTED = 2000


_ONE_REQUEST = 100


@dataclass(frozen=True, slots=True)
class _Mark:
    """A channel, or with 0 for it a whole server, in which something was missed."""

    guild_id: int
    channel_id: int = 0

    @property
    def name(self) -> str:
        """Give the name of its note."""
        return f"{_MISSED}{self.guild_id}:{self.channel_id}"

    @classmethod
    def read(cls, name: str) -> _Mark:
        """Give what `name` gave."""
        return cls(*map(int, name.removeprefix(_MISSED).split(":")))


class CatchUpClient(Protocol):
    """What this needs of the client."""

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Give the servers."""
        ...

    @property
    def application_id(self) -> int | None:
        """Give Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...

    async def take(self, message: discord.Message, *, late: bool = False) -> None:
        """Look at a message."""
        ...

    async def compare(self, message: discord.Message) -> None:
        """Take back what a message does not hold any more."""
        ...

    async def fetch_channel(self, channel_id: int, /) -> object:
        """Ask Discord for a channel."""
        ...


class DiscordCatchUp:
    """Notes now and then that nothing was missed, and after an absence looks at what came since."""

    def __init__(
        self,
        client: CatchUpClient,
        desk: DiscordDesk,
        parts: DoorContext,
        alive_every_s: float,
        again_s: Sequence[float],
    ) -> None:
        self._client = client
        self._desk = desk
        self._parts = parts
        self._known = KnownDiscordMessages(client, desk)
        self._alive_every_s = alive_every_s
        self._wanted = asyncio.Event()
        self._listening = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self._backoff: Backoff[_Mark] = Backoff(again_s)
        self._closed = False
        self._first = 0
        """Nothing before that is looked at."""

    async def begin(self) -> None:
        """Note at the very first start since when messages are seen: what it is killed over is looked at then."""
        if not await self._parts.ledger.recall(_ALIVE):
            self._first = utils.time_snowflake(utils.utcnow())
            await self._parts.ledger.remember(_ALIVE, str(self._first))

    def connected(self) -> None:
        """Look back: this is a new session, in which the gateway replays nothing."""
        self._wanted.set()
        if self._looking is None and not self._closed:  # discord.py may still dispatch events after its closing
            self._looking = asyncio.create_task(self._look())

    def resumed(self) -> None:
        """Go on noting: the gateway has replayed all that was missed."""
        self._listening.set()

    def disconnected(self) -> None:
        """Stop noting until all that was missed is known."""
        self._listening.clear()

    async def close(self) -> None:
        """Stop."""
        self._closed = True
        running = [task for task in (self._looking, self._noting) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def available(self, guild: discord.Guild) -> None:
        """Look back in a server that was not told of, or was away, when all others were looked at."""
        self._backoff.wake(lambda mark: mark.guild_id == guild.id)
        self._again.set()

    async def unavailable(self, guild: discord.Guild) -> None:
        """Note that from here on all that happens in a server is missed, until it is told of again."""
        await self._note_missed(_Mark(guild.id), utils.time_snowflake(utils.utcnow()))

    async def _look(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._finish_errands()
                await self._catch_up()
            except Exception:
                logger.exception("looking back failed")
            else:  # else the mark of all channels has to stay where it is
                self._listening.set()
                if self._noting is None:
                    self._noting = asyncio.create_task(self._note_alive())
            while not self._wanted.is_set():
                await self._wait_for_more()
                await self._try_again()

    async def _wait_for_more(self) -> None:
        """Wait until there is something to look at, or something that failed is due."""
        events = [asyncio.ensure_future(one.wait()) for one in (self._wanted, self._again)]
        try:
            await asyncio.wait(events, timeout=self._backoff.wait_s(_LONGEST_WAIT_S), return_when=FIRST_COMPLETED)
        finally:
            for one in events:
                one.cancel()
        self._again.clear()

    async def _note_alive(self) -> None:
        while True:
            await self._listening.wait()
            alive = utils.time_snowflake(utils.utcnow() - _OVERLAP)
            await self._parts.ledger.remember(_ALIVE, str(max(alive, self._first)))
            await asyncio.sleep(self._alive_every_s)

    async def _finish_errands(self) -> None:
        """Take up what an earlier run died over; what goes wrong with one keeps no other from it."""
        left = [one for one in await self._parts.ledger.unsettled(DOOR.platform) if one.message]
        for errand in {(one.scope, one.message): one for one in left}.values():
            await _logged(self._finish(errand), "what a message asked for could not be taken up again")
        for job in await self._parts.foreman.left(DOOR.platform):
            if not job.request.errand.message:
                work = take_up(self._client, self._desk, job)
                await _logged(work, "what a command or press asked for could not be taken up again")

    async def _finish(self, errand: MessageKey) -> None:
        channel = self._client.get_channel(int(errand.scope.channel))
        if not isinstance(channel, discord.abc.Messageable):
            return
        try:
            await self._client.take(await channel.fetch_message(int(errand.message)), late=True)
        except discord.NotFound:
            await self._note_answers(channel, errand)
            await self._desk.forget_message(errand.scope, int(errand.message))
        except discord.HTTPException as error:
            logger.warning("message %s cannot be read again: %s", errand.message, error)

    async def _note_answers(self, channel: discord.abc.Messageable, errand: MessageKey) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        asked = int(errand.message)
        with suppress(discord.HTTPException):
            async for one in channel.history(limit=_ONE_REQUEST, after=discord.Object(asked), oldest_first=True):
                me: discord.Member | None = one.guild.me if one.guild else None
                mine = me is not None and one.author.id == me.id
                if mine and one.reference is not None and one.reference.message_id == asked:
                    await self._desk.requests.answered(errand.scope, errand.message, str(one.id))

    async def _catch_up(self) -> None:
        """Look at all channels, each by itself: one that cannot be read keeps its own mark, and is tried again."""
        alive, missed = await self._parts.ledger.recall(_ALIVE), await self._missed()
        posted, gate = await self._posted(), asyncio.Semaphore(_AT_ONCE)
        self._known.begin()
        for guild in self._client.guilds:
            if guild.unavailable and alive:
                await self._note_missed(_Mark(guild.id), int(missed.get(_Mark(guild.id), alive)))

        async def look(channel: Readable) -> None:
            mark = _Mark(channel.guild.id, channel.id)
            since = missed.get(mark) or missed.get(_Mark(channel.guild.id)) or alive
            async with gate:
                await self._look_at(channel, mark, since, posted)

        async with asyncio.TaskGroup() as group:
            for channel in _channels(self._client.guilds):
                group.create_task(look(channel))
        await self._known.check_sleeping(posted)
        for mark in missed:
            if not mark.channel_id and self._is_there(mark):
                await self._settle(mark)

    async def _try_again(self) -> None:
        """Look once more where it failed, as far as it is due, and at servers that are told of by now."""
        missed = await self._missed()
        due = {mark: since for mark, since in missed.items() if self._backoff.is_due(mark)}
        if not due:
            return
        posted, looked = await self._posted(), set[_Mark]()
        self._known.begin()
        for channel in _channels(self._client.guilds):
            mark = _Mark(channel.guild.id, channel.id)
            since = due.get(mark) or due.get(_Mark(channel.guild.id))
            if since:
                looked.add(mark)
                await self._look_at(channel, mark, since, posted)
        for mark in due.keys() - looked:
            is_over = int(due[mark]) < _furthest() if mark.channel_id else self._is_there(mark)
            if is_over:
                await self._settle(mark)
            else:
                self._backoff.failed(mark)

    async def _look_at(self, channel: Readable, mark: _Mark, since: str, posted: Mapping[Scope, Sequence[int]]) -> None:
        """Forget what was deleted in a channel, and look at what came; nothing, at the very first start."""
        scope = scope_of(channel.guild.id, channel.id)
        try:
            await self._known.check(channel, scope, posted.get(scope, ()))
            if since:
                await self._read(channel, max(int(since), _furthest()))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if self._backoff.failed(mark):
                logger.warning("channel %s cannot be read back for now (%s); it is tried again", channel.id, error)
        except Exception:
            self._backoff.failed(mark)
            logger.exception("channel %s could not be read back; it is tried again", channel.id)
        else:
            await self._settle(mark)
            return
        if since:
            await self._note_missed(mark, int(since))

    async def _missed(self) -> dict[_Mark, str]:
        """Give since when what is unread, by the channel or server."""
        notes = await self._parts.ledger.notes(_MISSED)
        return {_Mark.read(name): since for name, since in notes if since}

    async def _note_missed(self, mark: _Mark, since: int) -> None:
        if mark not in await self._missed():
            await self._parts.ledger.remember(mark.name, str(since))

    async def _settle(self, mark: _Mark) -> None:
        self._backoff.done(mark)
        if await self._parts.ledger.recall(mark.name):
            await self._parts.ledger.remember(mark.name, "")

    async def _posted(self) -> dict[Scope, list[int]]:
        """Give the messages that brought something, by their channels."""
        known: dict[Scope, list[int]] = {}
        for scope, message in await self._parts.ledger.posted(DOOR.platform, _MOST_POSTED):
            known.setdefault(scope, []).append(int(message))
        return known

    def _is_there(self, mark: _Mark) -> bool:
        return any(one.id == mark.guild_id and not one.unavailable for one in self._client.guilds)

    async def _read(self, channel: Readable, since: int) -> None:
        if (channel.last_message_id or 0) <= since:
            return
        after = discord.Object(since)
        missed = [one async for one in channel.history(limit=_MOST_MESSAGES, after=after, oldest_first=False)]
        for message in reversed(missed):
            await self._client.take(message, late=True)


def _furthest() -> int:
    return utils.time_snowflake(utils.utcnow() - _FURTHEST)


async def _logged(work: Awaitable[None], trouble: str) -> None:
    """Do something; what goes wrong with it is logged, and the rest goes on."""
    try:
        await work
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        logger.warning("%s: %s", trouble, error)
    except Exception:
        logger.exception(trouble)


def _channels(guilds: Sequence[discord.Guild]) -> Iterator[Readable]:
    """Give the channels whose history may be read: elsewhere Discord would show an empty one."""
    for guild in guilds:
        me: discord.Member | None = guild.me
        if me is None or guild.unavailable:
            continue
        readable: list[Readable] = [*guild.text_channels]
        for one in (*readable, *guild.voice_channels, *guild.threads):
            allowed = one.permissions_for(me)
            may_join = allowed.connect or not isinstance(one, discord.VoiceChannel)
            if allowed.view_channel and allowed.read_message_history and may_join:
                yield one


class ResumingClient(Protocol):
    """What this needs of the client."""

    @property
    def application_id(self) -> int | None:
        """Give Keaton's own id."""
        ...

    def get_channel(self, id: int, /) -> object:  # noqa: A002
        """Give a channel that the client knows."""
        ...


async def take_up(client: ResumingClient, desk: DiscordDesk, job: Job) -> None:
    """Answer an interaction that an earlier run acknowledged, where its answer stands."""
    request, channel = job.request, client.get_channel(int(job.request.errand.scope.channel))
    standing = SavedDiscordTarget.read(request.place)
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
    desk: DiscordDesk,
    taken: AcceptedRequest,
    standing: SavedDiscordTarget,
    hook: discord.Webhook,
    channel: discord.abc.Messageable,
) -> EarlierAnswerTarget:
    async def keep(message_id: int) -> None:
        await desk.requests.stand(taken, replace(standing, answer=message_id).text(), str(message_id))

    say, limit_bytes = desk.word.of(taken), _limit_bytes(channel)
    return EarlierAnswerTarget(hook, channel, limit_bytes, standing.answer, say, keep, is_private=standing.private)


async def _event(sights: Sights, channel: discord.abc.Messageable, job: Job, standing: SavedDiscordTarget) -> Incoming:
    request = job.request
    turn = _turn(job, await _view(sights, channel, job, standing))
    limit_bytes = min(_limit_bytes(channel), MOST_FILE_BYTES)
    turn = replace(turn, moderator=standing.moderator, upload_limit_bytes=limit_bytes)
    if request.kind == "switch":
        turn = replace(turn, scope=permissions.switch_of(channel, turn.scope))
    if asked := event_of(request, turn):
        return asked
    if request.kind == "find":
        return await _find(sights, channel, turn, job, standing)
    if standing.of:
        return await _of_message(channel, turn, standing.of, request.source)
    return RemoteFilePosted(turn, _file(request.source, request.name, standing.url))


async def _find(sights: Sights, channel: object, turn: Turn, job: Job, standing: SavedDiscordTarget) -> Find:
    asked = find(turn, standing.words)
    picture = _picture(channel, standing) if standing.picture else None
    asked = replace(asked, video=job.request.name or asked.video, picture=picture)
    if not asked.filters.channel or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return asked
    at = sights.at(channel.guild, channel.guild.id, channel, channel.id, await _asker(channel, job))
    return replace(asked, rooms=await sights.rooms(at, "all I can read" if standing.private else "this server"))


async def _asker(channel: Place, job: Job) -> discord.Member:
    return await channel.guild.fetch_member(int(job.request.user_id))


def _picture(channel: object, standing: SavedDiscordTarget) -> PictureFile:
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
    for item in messages.videos(message, turn, asked=True):
        if item.name == key:
            return item.event
    raise MessageGone


async def _view(sights: Sights, channel: object, job: Job, standing: SavedDiscordTarget) -> View:
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
