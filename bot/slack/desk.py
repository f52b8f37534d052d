"""Turns messages, presses and commands into events and delivers the replies. Each thing is done once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bot.doors.catch_up import Presence
from bot.doors.desk import Answers, Desk, WorkReaction
from bot.doors.messages import TAKEN_BACK, Item, Removals, Stuck
from bot.doors.pace import REMOVAL_STEPS_S, Backoff, Pace
from bot.slack import messages, targets
from bot.slack.config import DOOR
from bot.slack.messages import Reader, SlackMessage, asked
from bot.slack.permissions import Membership, People, Rights, Rooms, is_talk
from bot.slack.refusals import FAILURES, LATER, UNCHANGEABLE, RefusedError, reason_of
from bot.slack.render import HELLO, card, plain
from bot.slack.targets import RecordingFileTarget, SlackPressTarget, ThreadTarget, Whispering, is_file
from bot.slack.whispers import EphemeralTarget, ToOne
from core.conversation.commands import parse_about
from core.errors import AppError, MessageGone, StorageUnusable
from core.model.actions import cancels
from core.model.events import Action, Forget, PictureFile, RemoteFilePosted, Switch, Turn
from core.model.reply import Reply
from core.model.requests import MessageKey, card_note
from core.model.video import View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.delivery import ReplyTarget
    from bot.doors.pace import PaceTurns
    from bot.doors.requests import AcceptedRequest, DoorContext, DrawTurn
    from bot.slack.config import SlackConfig, Workspace
    from bot.slack.messages import SlackFiles
    from bot.slack.render import SlackCard
    from bot.slack.sender import Slack
    from bot.slack.whispers import DirectMessages, Draw, Voice, Whisper
    from core.model.events import Incoming, RemoteFile
    from core.model.requests import Job, JobRef
    from core.ports.retention import Stale

logger = logging.getLogger(__name__)

Ruled = TypeVar("Ruled", bound="Forget | Action")
_RIGHTS_WITHIN_S = 3.0
"""Nothing else is taken up before."""
EYES = "eyes"
_MENTION = "mention"


class SlackAnswers(Answers[Whispering]):
    """Shows the replies to requests on Slack, each to those who may see it."""

    def __init__(
        self, context: DoorContext, slack: Slack, voice: Voice, workspace: Workspace, config: SlackConfig
    ) -> None:
        super().__init__(context, config.min_gap_s, config.retry_s)
        self._slack = slack
        self._voice = voice
        self._rights = Rights(slack.client)
        self.rooms = Rooms(slack.client, context.ledger, workspace)

    @property
    def direct(self) -> DirectMessages:
        """Return the direct messages with each person."""
        return self._voice.direct

    async def prepared(self, event: Incoming, target: Whispering) -> tuple[Incoming, Whispering]:
        """Return an event with the rights of who asks and what its answer may draw on.

        Where not all who are there may see that, the asker alone does.
        """
        is_own = is_talk(event.turn.scope.channel)  # all channels count there, of which nobody moderates each
        if (isinstance(event, Forget) and not is_own) or (isinstance(event, Action) and cancels(event.id)):
            event = await self._with_rights(event)
        if isinstance(event, Switch) and not await self._rights.is_member(event.turn.user_id):
            event = replace(event, turn=replace(event.turn, guest=True))
        pressed_alone = isinstance(target, EphemeralTarget)
        opened = await self.rooms.opened(event, alone=pressed_alone)
        to_one = opened.alone and not pressed_alone
        return opened.event, EphemeralTarget(self._slack, target.whisper) if to_one else target

    def recording(self, target: Whispering, event: Incoming) -> ReplyTarget:
        """Return a target that records which videos it shows, also in files below its message."""
        return RecordingFileTarget(target, self.context.shown_messages, event.turn.scope, self._slack.pictures)

    def turns(self, target: Whispering, event: Incoming) -> PaceTurns | None:
        """Return the turns of a message that all see."""
        if not isinstance(target, ThreadTarget | SlackPressTarget):
            return None
        return self._slack.paces.of(target, event.turn.scope.channel)

    async def vouched(self, press: Action, job: JobRef | None) -> Action:
        """Return a press with what its presser may do, where that counts; it is noted for a later run.

        That run does not begin a video that a person has cancelled who may.
        """
        if not cancels(press.id):
            return press
        press = await self._with_rights(press)
        if press.turn.moderator:
            await self.requests.vouch(job)
        return press

    async def vouch_left(self, jobs: Sequence[Job]) -> None:
        """Ask what may do who pressed *Cancel* before this run, where an earlier run died before it had asked."""
        for job in jobs:
            request = job.request
            if request.kind == "press" and cancels(request.source) and not request.moderator:
                with suppress(TimeoutError):  # then it is asked when the press is answered
                    async with asyncio.timeout(_RIGHTS_WITHIN_S):
                        if await self._rights.moderates(request.user_id, request.key.scope.channel):
                            await self.requests.vouch(job.ref)

    async def _with_rights(self, event: Ruled) -> Ruled:
        turn = event.turn
        moderates = turn.moderator or await self._rights.moderates(turn.user_id, turn.scope.channel)
        return replace(event, turn=replace(turn, moderator=moderates))

    async def press(
        self,
        taken: AcceptedRequest,
        draw_turn: DrawTurn,
        saved: targets.SavedSlackTarget,
        whisper: Whisper,
        redraw: Draw | None = None,
    ) -> None:
        """Answer the press of a button under the message that stands there.

        `redraw` replaces that message where one person alone sees it, as long as Slack lets.
        """
        if saved.alone:
            in_turn = _in_turn(draw_turn, saved.ts, redraw) if redraw else None
            await self.answer_taken(taken, EphemeralTarget(self._slack, whisper, in_turn))
            return
        channel = taken.event.turn.scope.channel
        keep, mark = targets.keeper(self.requests, taken, saved), targets.mark(taken)
        where = channel, saved.ts, saved.thread_ts
        place = SlackPressTarget(self._slack, *where, whisper, draw_turn, keep, saved.own, mark)
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
        """Return a way to show a card to a person alone; `thread_ts` is that of a thread that has a reply."""
        return ToOne(self._voice, channel, user_id, thread_ts, url)


def _in_turn(draw_turn: DrawTurn, ts: str, redraw: Draw) -> Draw:
    """Let a message be replaced only as long as no later press decides what stands there."""

    async def send(shown: SlackCard) -> None:
        async with draw_turn.at(ts) as may:
            if may:
                await redraw(shown)

    return send


class SlackWorkReaction(WorkReaction[SlackMessage]):
    """Eyes under a message. Slack counts adding and removing reactions each by itself."""

    def __init__(self, client: AsyncWebClient, added: Pace, removed: Pace) -> None:
        super().__init__()
        self._client = client
        self._added, self._removed = added, removed

    def key(self, message: SlackMessage) -> tuple[str, str]:
        """Return what tells a message from all others."""
        return message.channel, message.ts

    async def add(self, message: SlackMessage) -> None:
        """Add the reaction, when the rate allows."""
        await self._added.wait("", urgent=False)
        with suppress(*FAILURES):
            await self._client.reactions_add(channel=message.channel, timestamp=message.ts, name=EYES)

    async def remove(self, message: SlackMessage, *, at_once: bool) -> None:
        """Remove the reaction."""
        if not at_once:
            await self._removed.wait("", urgent=True)
        with suppress(*FAILURES):
            await self._client.reactions_remove(channel=message.channel, timestamp=message.ts, name=EYES)


class SlackDesk(Desk[SlackMessage, Whispering]):
    """Takes messages and presses; answers appear on Slack."""

    def __init__(
        self,
        context: DoorContext,
        config: SlackConfig,
        workspace: Workspace,
        client: AsyncWebClient,
        slack: Slack,
        files: SlackFiles,
        voice: Voice,
    ) -> None:
        self.answers = SlackAnswers(context, slack, voice, workspace, config)
        reaction = SlackWorkReaction(client, Pace(config.reactions), Pace(config.reactions))
        super().__init__(context, DOOR, self.answers, reaction)
        self.reader = Reader(client)
        self._files = files
        self.workspace = workspace
        self.slack = slack
        self.people = People(client)
        self._greeted: set[str] = set()
        self.membership = Membership(client)
        self.presence = Presence(context.grace, DOOR.platform)
        self.removals = Removals(
            config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), self.deleted, self.answers.draw_order
        )

    @property
    def channels_note(self) -> str:
        """Return what the notes of channels that Keaton is in begin with."""
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
            await self.context.ledger.remember(self.channels_note + channel, channel)
            await self.presence.back(self.workspace.team_id, channel)
        except StorageUnusable as error:
            self.membership.left(channel)
            logger.warning("the channel %s could not be noted: %s", channel, error.reason)

    async def _take_reply(self, message: SlackMessage, *, late: bool) -> bool:
        """Take words in an answer's thread as an addition to its question, where their writer pressed *Refine*."""
        if not message.thread_ts:
            return False
        scope = self.workspace.scope(message.channel)
        where = message.user_id, message.thread_ts, message.ts, float(message.ts)
        answer_id = await self.invitations.accept(scope, *where)
        if not answer_id:
            return False
        turn, picture = await self.turn_of(message, late=late), await self._files.picture(message.files)
        event = parse_about(turn, plain(message.text), picture, answer_id)[0]
        await self.take_items(message, (Item(_MENTION, event),))
        return True

    async def _take_videos(self, message: SlackMessage, *, late: bool) -> None:
        """Look at what is posted, where this channel is on."""
        if not await self.context.channels.is_on(self.workspace.scope(message.channel)):
            return
        turn = await self.turn_of(message, late=late)
        await self.take_items(message, await messages.videos(message, turn, self._files, asked=False))

    async def _take_mention(self, message: SlackMessage, *, late: bool) -> None:
        """Do what a message says that mentions Keaton, whether the channel is on or not."""
        turn = await self.turn_of(message, late=late)
        items = await messages.videos(message, turn, self._files, asked=True)
        if not items:
            picture, answer_id = await self._files.picture(message.files), await self.reader.answer_above(message)
            items = (Item(_MENTION, asked(turn, plain(message.text), self.workspace, picture, answer_id)),)
        await self.take_items(message, items)

    def picture_later(self, file_id: str) -> PictureFile:
        """Return a posted picture that Slack is asked for when it is read; then it may be gone."""

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

    def key(self, message: SlackMessage, item: str) -> MessageKey:
        """Name one thing in a message."""
        return MessageKey(self.workspace.scope(message.channel), message.ts, item)

    async def say_problem(self, message: SlackMessage, error: AppError) -> None:
        """Say it to the writer of a message alone."""
        whisper = self.answers.whisper(message.channel, message.user_id, message.thread_ts)
        await whisper(card(replies.problem(error)))

    async def target(self, message: SlackMessage, taken: AcceptedRequest) -> ThreadTarget:
        """Return where one thing in a message is answered, as an earlier run left it.

        Videos are spoken of in the message's thread; a word to Keaton is answered where it was said.
        """
        item, turn, draw_turn = taken.key.item, taken.event.turn, self.answers.draw_order.of(taken)
        note = card_note(turn.scope, message.ts, item)

        async def keep(ts: str) -> None:
            await self.context.ledger.remember(note, ts)

        thread_ts = message.thread_ts if item == _MENTION else message.root_ts
        mark = _mark(message.ts, item)
        posted = await self.context.ledger.recall(note)
        if turn.late and not posted:  # the earlier run may have died before it noted what it posted
            posted = await self.slack.marked(message.channel, thread_ts, mark)
        whisper = self.answers.whisper(message.channel, message.user_id, message.thread_ts)
        asked_at = "" if message.thread_ts else turn.message_url
        where = self.slack, message.channel, thread_ts, whisper, keep, draw_turn, posted
        return ThreadTarget(*where, about=mark, asked_at=asked_at, asked_aloud=True)

    async def file(self, key: str) -> RemoteFile | None:
        """Return a video by the key of its file, where it is still there."""
        return await self._files.video({"id": key.rpartition(":")[2], "file_access": "check_file_info"})

    async def compare(self, message: SlackMessage) -> None:
        """Take back what a message brought and does not hold any more."""
        names = messages.names(message, self._files)
        await self.forget_rest(self.workspace.scope(message.channel), message.ts, names)

    async def talk(self, user_id: str) -> str:
        """Return the channel of the direct messages with a person; raises what Slack fails with."""
        return await self.answers.direct.channel(user_id)

    async def shares(self, user_id: str, channel: str) -> bool:
        """Tell whether a person and Keaton are both in a channel; raises what Slack fails with."""
        return channel in {one for one, _ in await self.answers.rooms.shared_with(user_id)}

    async def greet(self, channel: str) -> None:
        """Say once in a channel that Keaton was invited to how it is used."""
        note = f"slack:greeted:{self.workspace.team_id}:{channel}"
        is_new = channel not in self._greeted
        self._greeted.add(channel)
        if is_new and not await self.context.ledger.recall(note):
            with suppress(RefusedError, StorageUnusable):
                await self.context.ledger.remember(note, "1")
                await self.slack.post(channel, "", card(Reply(HELLO)))

    async def is_new(self, channel: str, trigger: str) -> bool:
        """Tell whether a command or press was not seen before; asked once for each, whatever Slack sends again."""
        key = MessageKey(self.workspace.scope(channel), "", f"trigger:{trigger}")
        begun = await self.context.ledger.begin(key)
        await self.context.ledger.settle(key)
        return begun

    async def note_answer(self, key: MessageKey) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        thread_ts, mark = "" if key.item == _MENTION else key.message, _mark(key.message, key.item)
        card = await self.slack.marked(key.scope.channel, thread_ts, mark)
        await self.requests.answered(key.scope, key.message, card)

    async def turn_of(self, message: SlackMessage, *, late: bool = False) -> Turn:
        """Return the turn of the person who wrote a message."""
        url = self.workspace.permalink(message.channel, message.ts, message.thread_ts)
        return await self.turn(message.channel, message.user_id, message.ts, url, late=late)

    async def turn(self, channel: str, user_id: str, ts: str = "", url: str = "", *, late: bool = False) -> Turn:
        """Return the turn of a person in a channel."""
        scope, name = self.workspace.scope(channel), await self.people.name(user_id)
        return Turn(DOOR, scope, View.of(scope), user_id, name, ts, url, late=late)


def _mark(ts: str, item: str) -> str:
    return f"{ts}:{item}"
