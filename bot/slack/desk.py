"""Turns what happens on Slack into events and has the replies shown.

Owns that each thing is done once, and where it is answered; must not know how events come in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backoff import REMOVAL_STEPS_S, Backoff
from bot.chores import Chores
from bot.doors import Item
from bot.pace import Pace
from bot.requests import Tidied
from bot.showing import Removals
from bot.slack import posts, resuming
from bot.slack.answers import Answers
from bot.slack.asking import asked
from bot.slack.config import DOOR
from bot.slack.people import Membership, People
from bot.slack.places import Place
from bot.slack.reactions import Eyes
from bot.slack.reading import Reader
from bot.slack.refusals import FAILURES, RefusedError, reason_of
from bot.slack.render import card
from bot.slack.rooms import is_talk
from bot.slack.stays import Stays
from bot.slack.words import HELLO, plain
from core import replies
from core.commands import parse_about
from core.errors import AppError
from core.errors.disk import StorageUnusable
from core.errors.turns import MessageGone
from core.invitations import Invitations
from core.ledger import Errand, card_note
from core.model import View
from core.shown import Reply
from core.talk import MessageDeleted, MessageEdited, PictureFile, RemoteFilePosted, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors import Parts
    from bot.requests import Taken
    from bot.slack.config import SlackConfig, Workspace
    from bot.slack.files import Files
    from bot.slack.posts import Deleted, Message
    from bot.slack.speaking import Slack
    from bot.slack.whispers import Voice
    from core.talk import Incoming, RemoteFile

logger = logging.getLogger(__name__)

_MENTION = "mention"


class Desk:
    """Takes messages and presses; answers appear on Slack."""

    def __init__(
        self,
        parts: Parts,
        config: SlackConfig,
        workspace: Workspace,
        client: AsyncWebClient,
        slack: Slack,
        files: Files,
        voice: Voice,
    ) -> None:
        self._parts = parts
        self.requests = parts.requests
        self._client = client
        self._reader = Reader(client)
        self._files = files
        self.answers = Answers(parts, slack, voice, workspace, config.min_gap_s)
        self.workspace = workspace
        self.slack = slack
        self.people = People(client)
        self._eyes = Eyes(client, Pace(config.reactions), Pace(config.reactions))
        self._greeted: set[str] = set()
        self.membership = Membership(client)
        self.stays = Stays(parts.grace, workspace.team_id)
        self.chores = Chores()
        self._invitations = Invitations(parts.ledger, time.time)
        self.deleted = asyncio.Event()
        """Set when a message was deleted, whose answers are to be removed now."""
        self.removals = Removals(config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), self.deleted)

    @property
    def channels_note(self) -> str:
        """Give what the notes of channels that Keaton is in begin with."""
        return f"slack:channel:{self.workspace.team_id}:"

    async def take(self, message: Message, *, late: bool = False) -> None:
        """Look at a message, posted now or found again after a crash."""
        if message.user_id == self.workspace.bot_id:  # what Keaton shares is not always marked as an app's
            return
        if self.membership.see(message.channel):
            await self._note_channel(message.channel)
        if message.is_edit:
            await self.compare(message)
        if message.mentions(self.workspace.bot_id) or is_talk(message.channel):
            await self._take_mention(message, late=late)
        elif await self._take_reply(message, late=late):
            pass
        elif message.files or posts.links(message, asked=False):
            await self._take_films(message, late=late)

    async def _note_channel(self, channel: str) -> None:
        """Note that Keaton is in a channel; where that cannot be written down now, with the next message there."""
        try:
            await self._parts.ledger.remember(self.channels_note + channel, channel)
            await self.stays.back(channel)
        except StorageUnusable as error:
            self.membership.left(channel)
            logger.warning("the channel %s could not be noted: %s", channel, error.reason)

    async def _take_reply(self, message: Message, *, late: bool) -> bool:
        """Take words in an answer's thread as an addition to its question, where their writer pressed *Refine*."""
        if not message.thread_ts:
            return False
        scope = self.workspace.scope(message.channel)
        where = message.user_id, message.thread_ts, message.ts, float(message.ts)
        answer_id = await self._invitations.accept(scope, *where)
        if not answer_id:
            return False
        turn, picture = await self.turn_of(message, late=late), await self._files.picture(message.files)
        event = parse_about(turn, plain(message.text), picture, answer_id)[0]
        await self._take_items(message, (Item(_MENTION, event),), late=late)
        return True

    async def _take_films(self, message: Message, *, late: bool) -> None:
        """Look at what is posted, where this channel is on."""
        if not await self._parts.channels.is_on(self.workspace.scope(message.channel)):
            return
        turn = await self.turn_of(message, late=late)
        await self._take_items(message, await posts.films(message, turn, self._files, asked=False), late=late)

    async def _take_mention(self, message: Message, *, late: bool) -> None:
        """Do what a message says that mentions Keaton, whether the channel is on or not."""
        turn = await self.turn_of(message, late=late)
        items = await posts.films(message, turn, self._files, asked=True)
        if not items:
            picture, answer_id = await self._files.picture(message.files), await self._reader.answer_above(message)
            items = (Item(_MENTION, asked(turn, plain(message.text), self.workspace, picture, answer_id)),)
        await self._take_items(message, items, late=late)

    def picture_later(self, file_id: str) -> PictureFile:
        """Give a posted picture that Slack is asked for when it is read; then it may be gone."""

        async def read(limit_bytes: int) -> bytes:
            file = await self._files.picture_of(file_id)
            if file is None:
                raise MessageGone
            return await file.read(limit_bytes)

        return PictureFile("picture", read)

    def films_unasked(self, message: Message) -> tuple[Item, ...]:
        """Return what may be a film in a message, without asking Slack about anything."""
        url = self.workspace.permalink(message.channel, message.ts, message.thread_ts)
        scope, name = self.workspace.scope(message.channel), self.people.known(message.user_id)
        turn = Turn(DOOR, scope, View.of(scope), message.user_id, name, message.ts, url)
        return posts.films_unasked(message, turn, self._files)

    async def asked_about(self, event: Incoming) -> Incoming | None:
        """Return an event with what Slack had to be asked for; None where its file is no film."""
        event = replace(event, turn=replace(event.turn, user_name=await self.people.name(event.turn.user_id)))
        if isinstance(event, RemoteFilePosted) and not event.file.name:
            file = await self.file(event.file.key)
            return replace(event, file=file) if file else None
        return event

    async def _take_items(self, message: Message, items: Sequence[Item], *, late: bool) -> None:
        taken: list[Taken] = []
        for item in items:
            try:
                one = await self.requests.take(self._errand(message, item), item.event)
            except AppError as error:  # it cannot be written down: that much can be said
                whisper = self.answers.whisper(message.channel, message.user_id, message.thread_ts)
                await whisper(card(replies.problem(error)))
                break
            if one is not None:
                taken.append(one)
        self._eyes.expect(message, len(taken))
        for one in taken:
            self.chores.start(self._run_errand(message, one, late=late), posts.about(message.channel, message.ts))

    async def _run_errand(self, message: Message, taken: Taken, *, late: bool) -> None:
        async with self._eyes.on(message) as unreact:
            place = await self._place(message, taken, late=late)
            await self.answers.answer_taken(taken, place, Tidied(unreact, self.requests))

    async def _place(self, message: Message, taken: Taken, *, late: bool) -> Place:
        """Give the place where one thing in a message is answered, as an earlier run left it.

        Films are spoken of in the message's thread; a word to Keaton is answered where it was said.
        """
        item, turn, say = taken.errand.item, taken.event.turn, self.answers.word.of(taken)
        note = card_note(turn.scope, message.ts, item)

        async def keep(ts: str) -> None:
            await self._parts.ledger.remember(note, ts)

        thread_ts = message.thread_ts if item == _MENTION else message.root_ts
        mark = _mark(message.ts, item)
        standing = await self._parts.ledger.recall(note)
        if late and not standing:  # the earlier run may have died before it noted what it posted
            standing = await self.slack.marked(message.channel, thread_ts, mark)
        whisper = self.answers.whisper(message.channel, message.user_id, message.thread_ts)
        asked_at = "" if message.thread_ts else turn.message_url
        where = self.slack, message.channel, thread_ts, whisper, keep, say, standing
        return Place(*where, about=mark, asked_at=asked_at, asked_aloud=True)

    async def file(self, key: str) -> RemoteFile | None:
        """Give a film by the key of its file, where it is still there."""
        return await self._files.film({"id": key.rpartition(":")[2], "file_access": "check_file_info"})

    async def compare(self, message: Message) -> None:
        """Take back what a message brought and does not hold any more."""
        scope = self.workspace.scope(message.channel)
        turn = Turn(DOOR, scope, View.of(scope), "", "", message.ts)
        edited = MessageEdited(turn, posts.names(message, self._files))
        async for _ in self._parts.conversation.handle(edited):
            pass
        self.deleted.set()

    async def forget_message(self, gone: Deleted) -> None:
        """Stop what a deleted message started, forget what it brought, and have taken back what was said about it."""
        await self.chores.cancel(posts.about(gone.channel, gone.ts))
        scope = self.workspace.scope(gone.channel)
        turn = Turn(DOOR, scope, View.of(scope), "", "", gone.ts)
        async for _ in self._parts.conversation.handle(MessageDeleted(turn)):
            pass
        self.deleted.set()

    async def talk(self, user_id: str) -> str:
        """Return the channel of the direct messages with somebody; raises what Slack fails with."""
        return await self.answers.direct.channel(user_id)

    async def shares(self, user_id: str, channel: str) -> bool:
        """Tell whether somebody and Keaton are both in a channel; no where Slack does not tell."""
        with suppress(*FAILURES):
            return channel in {one for one, _ in await self.answers.rooms.shared_with(user_id)}
        return False

    async def greet(self, channel: str) -> None:
        """Say once in a channel that Keaton was invited to how it is used."""
        note = f"slack:greeted:{self.workspace.team_id}:{channel}"
        is_new = channel not in self._greeted
        self._greeted.add(channel)
        if is_new and not await self._parts.ledger.recall(note):
            with suppress(RefusedError, StorageUnusable):
                await self._parts.ledger.remember(note, "1")
                await self.slack.post(channel, "", card(Reply(HELLO)))

    async def is_new(self, channel: str, trigger: str) -> bool:
        """Tell whether a command or press was not seen before; asked once for each, whatever Slack sends again."""
        errand = Errand(self.workspace.scope(channel), "", f"trigger:{trigger}")
        begun = await self._parts.ledger.begin(errand)
        await self._parts.ledger.settle(errand)
        return begun

    async def resume(self) -> None:
        """Take up what an earlier run died over."""
        mine = [one for one in await self._parts.foreman.left(DOOR.platform) if self._is_ours(one.request.errand)]
        await self.answers.vouch_left(mine)
        left = [one for one in await self._parts.ledger.unsettled(DOOR.platform) if one.message]
        for errand in {(one.scope, one.message): one for one in left}.values():
            if self._is_ours(errand):
                await self._finish([one for one in left if (one.scope, one.message) == (errand.scope, errand.message)])
        for job in await self._parts.foreman.left(DOOR.platform):
            if not job.request.errand.message and self._is_ours(job.request.errand):
                await resuming.take_up(self, job)

    def _is_ours(self, errand: Errand) -> bool:
        return errand.scope.space == self.workspace.team_id

    async def _finish(self, errands: Sequence[Errand]) -> None:
        """Go on with what was asked for in one message."""
        channel, ts = errands[0].scope.channel, errands[0].message
        try:
            message = await self._reader.message(channel, ts)
        except FAILURES as error:
            logger.warning("a message cannot be read again: %s", reason_of(error))
            return
        if message is None:
            for one in errands:
                await self._note_answer(one)
            await self.forget_message(posts.Deleted(channel, ts))
        else:
            await self.take(message, late=True)

    async def _note_answer(self, errand: Errand) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        thread_ts, mark = "" if errand.item == _MENTION else errand.message, _mark(errand.message, errand.item)
        card = await self.slack.marked(errand.scope.channel, thread_ts, mark)
        await self.requests.answered(errand.scope, errand.message, card)

    async def turn_of(self, message: Message, *, late: bool = False) -> Turn:
        """Give the turn of whoever wrote a message."""
        url = self.workspace.permalink(message.channel, message.ts, message.thread_ts)
        return await self.turn(message.channel, message.user_id, message.ts, url, late=late)

    async def turn(self, channel: str, user_id: str, ts: str = "", url: str = "", *, late: bool = False) -> Turn:
        """Give the turn of somebody in a channel."""
        scope, name = self.workspace.scope(channel), await self.people.name(user_id)
        return Turn(DOOR, scope, View.of(scope), user_id, name, ts, url, late=late)

    def _errand(self, message: Message, item: Item) -> Errand:
        return Errand(self.workspace.scope(message.channel), message.ts, item.name)


def _mark(ts: str, item: str) -> str:
    return f"{ts}:{item}"
