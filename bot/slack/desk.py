"""Turns messages, presses and commands into events and delivers the replies. Each thing is done once."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bot.doors.backoff import REMOVAL_STEPS_S, Backoff
from bot.doors.delivery import BackgroundTasks, deliver
from bot.doors.draw_order import DrawOrder
from bot.doors.messages import TAKEN_BACK, Item, Removals, Stuck
from bot.doors.pace import Pace
from bot.doors.targets import SettlingTarget, TidyingEnds
from bot.doors.waiting import WaitingLines
from bot.slack import messages, targets
from bot.slack.config import DOOR
from bot.slack.messages import Reader
from bot.slack.permissions import Membership, People, Rights, Rooms, is_talk
from bot.slack.presence import SlackPresence
from bot.slack.questions import asked
from bot.slack.reactions import WorkReaction
from bot.slack.refusals import FAILURES, LATER, UNCHANGEABLE, RefusedError, reason_of
from bot.slack.render import HELLO, card, plain
from bot.slack.targets import EphemeralTarget, RecordingFileTarget, SlackPressTarget, ThreadTarget, is_file
from bot.slack.targets import ThreadTarget as PlaceOfAll
from bot.slack.whispers import ToOne
from core.conversation.channels import Invitations
from core.conversation.commands import parse_about
from core.errors import AppError, MessageGone, StorageUnusable
from core.model.actions import cancels
from core.model.events import Action, Forget, MessageDeleted, MessageEdited, PictureFile, RemoteFilePosted, Switch, Turn
from core.model.reply import Reply
from core.model.requests import MessageKey, card_note
from core.model.video import View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.draw_order import DrawTurn
    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.doors.targets import Ends
    from bot.slack.config import SlackConfig, Workspace
    from bot.slack.files import SlackFiles
    from bot.slack.messages import Deleted, SlackMessage
    from bot.slack.render import SlackCard
    from bot.slack.sender import Slack
    from bot.slack.targets import Draw, FileTarget, Whispering
    from bot.slack.whispers import DirectMessages, Voice, Whisper
    from core.model.events import Incoming, RemoteFile
    from core.model.requests import Job, JobRef
    from core.ports.retention import Stale

logger = logging.getLogger(__name__)


Ruled = TypeVar("Ruled", bound="Forget | Action")


_RIGHTS_WITHIN_S = 3.0
"""Nothing else is taken up before."""


class Answers:
    """Shows them."""

    def __init__(self, parts: DoorContext, slack: Slack, voice: Voice, workspace: Workspace, min_gap_s: float) -> None:
        self._parts = parts
        self._requests = parts.requests
        self._slack = slack
        self._voice = voice
        self._rights = Rights(slack.client)
        self.rooms = Rooms(slack.client, parts.ledger, workspace)
        self.word = DrawOrder(self._requests)
        self._min_gap_s = min_gap_s
        self._lines = WaitingLines()

    @property
    def direct(self) -> DirectMessages:
        """Give the direct messages with each person."""
        return self._voice.direct

    async def answer_taken(self, taken: AcceptedRequest, place: Whispering, ends: Ends | None = None) -> None:
        """Show the replies to something that was written down; then it is done, unless Slack is out of order."""
        if await self.answer(taken.event, place, taken, ends):
            await (ends or self._requests).end(taken)

    async def answer(
        self, event: Incoming, place: Whispering, taken: AcceptedRequest | None = None, ends: Ends | None = None
    ) -> bool:
        """Show the replies to an event in a place, and return whether the last one stands there.

        Where not all who are there may see them, the asker alone does.
        """
        is_own = is_talk(event.turn.scope.channel)  # all channels count there, of which nobody moderates each
        if (isinstance(event, Forget) and not is_own) or (isinstance(event, Action) and cancels(event.id)):
            event = await self._with_rights(event)
        if isinstance(event, Switch) and not await self._rights.is_member(event.turn.user_id):
            event = replace(event, turn=replace(event.turn, guest=True))
        pressed_alone = isinstance(place, EphemeralTarget)
        opened = await self.rooms.opened(event, alone=pressed_alone)
        to_one = opened.alone and not pressed_alone
        return await self._show(
            opened.event, EphemeralTarget(self._slack, place.whisper) if to_one else place, taken, ends
        )

    async def _show(self, event: Incoming, place: FileTarget, taken: AcceptedRequest | None, ends: Ends | None) -> bool:
        noted = RecordingFileTarget(place, self._parts.showcase, event.turn.scope, self._slack.pictures)
        shown = SettlingTarget(noted, ends or self._requests, taken) if taken else noted
        channel = event.turn.scope.channel
        replies = self._lines.told(self._parts.conversation.handle(event), channel)
        turns = self._slack.paces.of(place, channel) if isinstance(place, PlaceOfAll | SlackPressTarget) else None
        return await deliver(replies, shown, self._min_gap_s, turns)

    async def vouched(self, press: Action, job: JobRef | None) -> Action:
        """Return a press with what its presser may do, where that counts; it is noted for a later run.

        That run does not begin a video that somebody has cancelled who may.
        """
        if not cancels(press.id):
            return press
        press = await self._with_rights(press)
        if press.turn.moderator:
            await self._requests.vouch(job)
        return press

    async def vouch_left(self, jobs: Sequence[Job]) -> None:
        """Ask what may do who pressed *Cancel* before this run, where an earlier run died before it had asked."""
        for job in jobs:
            request = job.request
            if request.kind == "press" and cancels(request.source) and not request.moderator:
                with suppress(TimeoutError):  # then it is asked when the press is answered
                    async with asyncio.timeout(_RIGHTS_WITHIN_S):
                        if await self._rights.moderates(request.user_id, request.errand.scope.channel):
                            await self._requests.vouch(job.ref)

    async def _with_rights(self, event: Ruled) -> Ruled:
        turn = event.turn
        moderates = turn.moderator or await self._rights.moderates(turn.user_id, turn.scope.channel)
        return replace(event, turn=replace(turn, moderator=moderates))

    async def press(
        self,
        taken: AcceptedRequest,
        say: DrawTurn,
        standing: targets.SavedSlackTarget,
        whisper: Whisper,
        redraw: Draw | None = None,
    ) -> None:
        """Answer the press of a button under the message that stands there.

        `redraw` replaces that message where one person alone sees it, as long as Slack lets.
        """
        if standing.alone:
            in_turn = _in_turn(say, standing.ts, redraw) if redraw else None
            await self.answer_taken(taken, EphemeralTarget(self._slack, whisper, in_turn))
            return
        channel = taken.event.turn.scope.channel
        keep, mark = targets.keeper(self._requests, taken, standing), targets.mark(taken)
        where = channel, standing.ts, standing.thread_ts
        place = SlackPressTarget(self._slack, *where, whisper, say, keep, standing.own, mark)
        await self.answer_taken(taken, place)

    async def change(self, stale: Stale) -> bool:
        """Remove a message, or let it say that its video was forgotten; with its pictures. Raises Stuck."""
        are_gone = await self._slack.pictures.delete(stale.files)
        try:
            if stale.goes:
                await self._slack.client.chat_delete(channel=stale.scope.channel, ts=stale.message)
            elif not is_file(stale.message):
                await self._slack.paces.updates.wait("", urgent=False)
                await self._slack.update(stale.scope.channel, stale.message, replace(card(TAKEN_BACK), is_status=True))
        except (*FAILURES, RefusedError) as error:
            reason = error.reason if isinstance(error, RefusedError) else reason_of(error)
            if reason not in UNCHANGEABLE:
                raise Stuck(LATER.get(reason, f"Slack says {reason}")) from error
        if not are_gone:
            raise Stuck("Slack does not delete its pictures")
        return True

    def whisper(self, channel: str, user_id: str, thread_ts: str = "", url: str = "") -> ToOne:
        """Give a way to show a card to somebody alone; `thread_ts` is that of a thread that has a reply."""
        return ToOne(self._voice, channel, user_id, thread_ts, url)


def _in_turn(say: DrawTurn, ts: str, redraw: Draw) -> Draw:
    """Let a message be replaced only as long as no later press decides what stands there."""

    async def send(shown: SlackCard) -> None:
        async with say.at(ts) as may:
            if may:
                await redraw(shown)

    return send


_MENTION = "mention"


class SlackDesk:
    """Takes messages and presses; answers appear on Slack."""

    def __init__(
        self,
        parts: DoorContext,
        config: SlackConfig,
        workspace: Workspace,
        client: AsyncWebClient,
        slack: Slack,
        files: SlackFiles,
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
        self._eyes = WorkReaction(client, Pace(config.reactions), Pace(config.reactions))
        self._greeted: set[str] = set()
        self.membership = Membership(client)
        self.stays = SlackPresence(parts.grace, workspace.team_id)
        self.chores = BackgroundTasks()
        self._invitations = Invitations(parts.ledger, time.time)
        self.deleted = asyncio.Event()
        """Set when a message was deleted, whose answers are to be removed now."""
        self.removals = Removals(config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), self.deleted, self.answers.word)

    @property
    def channels_note(self) -> str:
        """Give what the notes of channels that Keaton is in begin with."""
        return f"slack:channel:{self.workspace.team_id}:"

    async def take(self, message: SlackMessage, *, late: bool = False) -> None:
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
        elif message.files or messages.links(message, asked=False):
            await self._take_videos(message, late=late)

    async def _note_channel(self, channel: str) -> None:
        """Note that Keaton is in a channel; where that cannot be written down now, with the next message there."""
        try:
            await self._parts.ledger.remember(self.channels_note + channel, channel)
            await self.stays.back(channel)
        except StorageUnusable as error:
            self.membership.left(channel)
            logger.warning("the channel %s could not be noted: %s", channel, error.reason)

    async def _take_reply(self, message: SlackMessage, *, late: bool) -> bool:
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

    async def _take_videos(self, message: SlackMessage, *, late: bool) -> None:
        """Look at what is posted, where this channel is on."""
        if not await self._parts.channels.is_on(self.workspace.scope(message.channel)):
            return
        turn = await self.turn_of(message, late=late)
        await self._take_items(message, await messages.videos(message, turn, self._files, asked=False), late=late)

    async def _take_mention(self, message: SlackMessage, *, late: bool) -> None:
        """Do what a message says that mentions Keaton, whether the channel is on or not."""
        turn = await self.turn_of(message, late=late)
        items = await messages.videos(message, turn, self._files, asked=True)
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

    def videos_unasked(self, message: SlackMessage) -> tuple[Item, ...]:
        """Return what may be a video in a message, without asking Slack about anything."""
        url = self.workspace.permalink(message.channel, message.ts, message.thread_ts)
        scope, name = self.workspace.scope(message.channel), self.people.known(message.user_id)
        turn = Turn(DOOR, scope, View.of(scope), message.user_id, name, message.ts, url)
        return messages.videos_unasked(message, turn, self._files)

    async def asked_about(self, event: Incoming) -> Incoming | None:
        """Return an event with what Slack had to be asked for; None where its file is no video."""
        event = replace(event, turn=replace(event.turn, user_name=await self.people.name(event.turn.user_id)))
        if isinstance(event, RemoteFilePosted) and not event.file.name:
            file = await self.file(event.file.key)
            return replace(event, file=file) if file else None
        return event

    async def _take_items(self, message: SlackMessage, items: Sequence[Item], *, late: bool) -> None:
        taken: list[AcceptedRequest] = []
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
            self.chores.start(self._run_errand(message, one, late=late), messages.about(message.channel, message.ts))

    async def _run_errand(self, message: SlackMessage, taken: AcceptedRequest, *, late: bool) -> None:
        async with self._eyes.on(message) as unreact:
            place = await self._place(message, taken, late=late)
            await self.answers.answer_taken(taken, place, TidyingEnds(unreact, self.requests))

    async def _place(self, message: SlackMessage, taken: AcceptedRequest, *, late: bool) -> ThreadTarget:
        """Give the place where one thing in a message is answered, as an earlier run left it.

        Videos are spoken of in the message's thread; a word to Keaton is answered where it was said.
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
        return ThreadTarget(*where, about=mark, asked_at=asked_at, asked_aloud=True)

    async def file(self, key: str) -> RemoteFile | None:
        """Give a video by the key of its file, where it is still there."""
        return await self._files.video({"id": key.rpartition(":")[2], "file_access": "check_file_info"})

    async def compare(self, message: SlackMessage) -> None:
        """Take back what a message brought and does not hold any more."""
        scope = self.workspace.scope(message.channel)
        turn = Turn(DOOR, scope, View.of(scope), "", "", message.ts)
        edited = MessageEdited(turn, messages.names(message, self._files))
        async for _ in self._parts.conversation.handle(edited):
            pass
        self.deleted.set()

    async def forget_message(self, gone: Deleted) -> None:
        """Stop what a deleted message started, forget what it brought, and have taken back what was said about it."""
        await self.chores.cancel(messages.about(gone.channel, gone.ts))
        scope = self.workspace.scope(gone.channel)
        turn = Turn(DOOR, scope, View.of(scope), "", "", gone.ts)
        async for _ in self._parts.conversation.handle(MessageDeleted(turn)):
            pass
        self.deleted.set()

    async def talk(self, user_id: str) -> str:
        """Return the channel of the direct messages with somebody; raises what Slack fails with."""
        return await self.answers.direct.channel(user_id)

    async def shares(self, user_id: str, channel: str) -> bool:
        """Tell whether somebody and Keaton are both in a channel; raises what Slack fails with."""
        return channel in {one for one, _ in await self.answers.rooms.shared_with(user_id)}

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
        errand = MessageKey(self.workspace.scope(channel), "", f"trigger:{trigger}")
        begun = await self._parts.ledger.begin(errand)
        await self._parts.ledger.settle(errand)
        return begun

    async def resume(self, take_up: Callable[[SlackDesk, Job], Awaitable[None]]) -> None:
        """Go on with what an earlier run died over; what no message asked for, `take_up` goes on with."""
        mine = [one for one in await self._parts.foreman.left(DOOR.platform) if self._is_ours(one.request.errand)]
        await self.answers.vouch_left(mine)
        left = [one for one in await self._parts.ledger.unsettled(DOOR.platform) if one.message]
        for errand in {(one.scope, one.message): one for one in left}.values():
            if self._is_ours(errand):
                await self._finish([one for one in left if (one.scope, one.message) == (errand.scope, errand.message)])
        for job in await self._parts.foreman.left(DOOR.platform):
            if not job.request.errand.message and self._is_ours(job.request.errand):
                await take_up(self, job)

    def _is_ours(self, errand: MessageKey) -> bool:
        return errand.scope.space == self.workspace.team_id

    async def _finish(self, errands: Sequence[MessageKey]) -> None:
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
            await self.forget_message(messages.Deleted(channel, ts))
        else:
            await self.take(message, late=True)

    async def _note_answer(self, errand: MessageKey) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        thread_ts, mark = "" if errand.item == _MENTION else errand.message, _mark(errand.message, errand.item)
        card = await self.slack.marked(errand.scope.channel, thread_ts, mark)
        await self.requests.answered(errand.scope, errand.message, card)

    async def turn_of(self, message: SlackMessage, *, late: bool = False) -> Turn:
        """Give the turn of whoever wrote a message."""
        url = self.workspace.permalink(message.channel, message.ts, message.thread_ts)
        return await self.turn(message.channel, message.user_id, message.ts, url, late=late)

    async def turn(self, channel: str, user_id: str, ts: str = "", url: str = "", *, late: bool = False) -> Turn:
        """Give the turn of somebody in a channel."""
        scope, name = self.workspace.scope(channel), await self.people.name(user_id)
        return Turn(DOOR, scope, View.of(scope), user_id, name, ts, url, late=late)

    def _errand(self, message: SlackMessage, item: Item) -> MessageKey:
        return MessageKey(self.workspace.scope(message.channel), message.ts, item.name)


def _mark(ts: str, item: str) -> str:
    return f"{ts}:{item}"
