"""After a start and each new connection: what an earlier run left, and what was missed. Slack replays nothing."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.doors.catch_up import FURTHEST_S, CatchUp, Presence
from bot.doors.pace import Pace
from bot.doors.requests import event_of
from bot.slack import messages as posts
from bot.slack.config import DOOR
from bot.slack.messages import SlackMessage
from bot.slack.permissions import OUTSIDE
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.targets import SavedSlackTarget, ThreadTarget, keeper, mark
from core.conversation.commands import find
from core.model.events import Action, Forget, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.slack.config import SlackConfig
    from bot.slack.desk import SlackDesk
    from bot.slack.whispers import Whisper
    from core.model.events import Incoming
    from core.model.requests import Job, MessageKey
    from core.model.video import Scope
    from core.ports.jobs import Ledger
    from core.retention import DepartureGrace

logger = logging.getLogger(__name__)

_MOST_MESSAGES = 50
_MOST_THREADS = 10
_MOST_KNOWN = 500
_MOST_REQUESTS = 100
"""Both methods are of tier 3: some fifty a minute."""
_A_PAGE = 200
_GONE = {"message_not_found", "thread_not_found"}


class SlackCatchUp(CatchUp[SlackMessage, str]):
    """Reads what was missed on Slack, in all channels that Keaton knows, and in their threads."""

    failures = FAILURES

    def __init__(
        self,
        desk: SlackDesk,
        client: AsyncWebClient,
        context: DoorContext,
        config: SlackConfig,
        is_listening: Callable[[], bool],
    ) -> None:
        super().__init__(context, DOOR.platform, desk.workspace.team_id, config.alive_every_s, config.read_again_s)
        self._desk = desk
        self._client = client
        self._is_listening = is_listening
        self._pace = Pace(config.readings)

    def is_listening(self) -> bool:
        """Tell whether the connection stands."""
        return self._is_listening()

    def mark(self, at_s: float) -> str:
        """Return the time, as the ids of messages begin with it."""
        return f"{at_s:.6f}"

    def reason(self, error: Exception) -> str:
        """Return Slack's own word for what went wrong."""
        return reason_of(error)

    def is_outside(self, error: Exception) -> bool:
        """Tell whether Keaton is not in a channel."""
        return reason_of(error) in OUTSIDE

    async def resume(self) -> None:
        """Take up what an earlier run died over; done before Slack can send the same again."""
        await self._logged(self._vouch(), "what may do who cancelled something could not be asked")
        await super().resume()

    async def _vouch(self) -> None:
        await self._desk.answers.vouch_left(await self.left())

    async def catch_up(self, alive: str) -> None:
        """Read what was posted since Keaton was last seen listening, and compare known messages."""
        missed = await self.missed()
        for _, channel in await self.ledger.notes(self._desk.channels_note):
            await self._look_at(channel, missed.get(channel) or alive)
        self._requests_left = _MOST_REQUESTS
        for scope, ids in (await self.known(_MOST_KNOWN)).items():
            found = [one for one in ids if _is_ts(one)]
            if scope.space == self._desk.workspace.team_id:
                check = self.check(scope.channel, scope, found)
                await self._logged(check, "known messages of a channel cannot be read")

    async def try_again(self) -> None:
        """Read once more where it failed, as far as it is due."""
        for channel, since in (await self.missed()).items():
            if self.backoff.is_due(channel):
                await self._look_at(channel, since)

    async def _look_at(self, channel: str, since: str) -> None:
        since_s = max(float(since or 0), time.time() - FURTHEST_S)
        await self.look_at(channel, since, self._read(channel, since_s))

    async def _read(self, channel: str, since_s: float) -> None:
        """Take the messages of a channel and its threads, oldest first; one that fails keeps no other from it."""
        trouble: Exception | None = None
        for raw in await self._since(channel, since_s):
            try:
                message = posts.read({**raw, "channel": channel})
                if isinstance(message, SlackMessage):
                    await self.take(message)
            except Exception as error:  # noqa: BLE001 - whatever it is, the channel is tried again
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    async def _since(self, channel: str, since_s: float) -> list[dict[str, Any]]:
        """Return the newest messages of a channel, and those of its threads that were replied to; raises FAILURES.

        A thread is found by its first message, which tells of its newest reply and may be far older than that.
        """
        await self._pace.wait("conversations.history", urgent=True)
        told = await self._client.conversations_history(channel=channel, limit=_MOST_MESSAGES)
        found = [one for one in told["messages"] if float(one["ts"]) >= since_s]
        threads = [one for one in told["messages"] if float(one.get("latest_reply") or 0) >= since_s]
        for root in threads[:_MOST_THREADS]:
            await self._pace.wait("conversations.replies", urgent=True)
            below = await self._client.conversations_replies(
                channel=channel, ts=root["ts"], oldest=f"{since_s:.6f}", limit=_MOST_MESSAGES
            )
            found += [one for one in below["messages"] if float(one["ts"]) >= since_s and one["ts"] != root["ts"]]
        return sorted(found, key=lambda one: float(one["ts"]))

    async def fetch(self, scope: Scope, message: str) -> SlackMessage | None:
        """Return a message that Keaton saw before, or None where it is gone; raises what Slack fails with."""
        return await self._desk.reader.message(scope.channel, message)

    async def take(self, message: SlackMessage) -> None:
        """Look at a message that was missed."""
        await self._desk.take(message, late=True)

    async def forget(self, scope: Scope, message: str) -> None:
        """Forget what a message brought."""
        await self._desk.forget_message(scope, message)

    async def note_answers(self, keys: Sequence[MessageKey]) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""
        for one in keys:
            await self._desk.note_answer(one)

    async def take_up(self, job: Job) -> None:
        """Answer a command that an earlier run acknowledged, where its answer stands."""
        await take_up(self._desk, job)

    async def may_ask(self, method: str) -> bool:
        """Count a request about known messages; tell whether it may be made, in its turn."""
        self._requests_left -= 1
        if self._requests_left < 0:
            return False
        await self._pace.wait(f"conversations.{method}", urgent=True)
        return True

    async def page(self, channel: str, newest: str) -> tuple[Mapping[str, SlackMessage], Decimal]:
        """Return a page of a channel's history; raises what Slack fails with."""
        told = await self._client.conversations_history(channel=channel, latest=newest, inclusive=True, limit=_A_PAGE)
        found = told["messages"]
        oldest = min((Decimal(one["ts"]) for one in found), default=Decimal(0)) if told.get("has_more") else Decimal(0)
        there = [one for one in found if one.get("subtype") != "tombstone"]
        return {one["ts"]: posts.read_any(one, channel, "") for one in there}, oldest

    async def compare(self, scope: Scope, message: str, there: SlackMessage | None) -> None:
        """Take back what a message does not hold any more; one that is on no page may stand in a thread."""
        if there is None:
            if not await self.may_ask("replies"):
                return
            there = await self._in_thread(scope.channel, message)
        await (self.forget(scope, message) if there is None else self._desk.compare(there))

    async def _in_thread(self, channel: str, ts: str) -> SlackMessage | None:
        """Return a message that is in no channel's history, or None where it is gone; raises what Slack fails with."""
        try:
            told = await self._client.conversations_replies(
                channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
            )
        except FAILURES as error:
            if reason_of(error) in _GONE:
                return None
            raise
        found: list[dict[str, Any]] = told["messages"]
        raw = next((one for one in found if one["ts"] == ts and one.get("subtype") != "tombstone"), None)
        return posts.read_any(raw, channel, "") if raw else None


async def take_up(desk: SlackDesk, job: Job) -> None:
    """Answer a command that an earlier run acknowledged, where its answer stands."""
    request = job.request
    channel, saved = request.key.scope.channel, SavedSlackTarget.read(request.place)
    event = await _event(desk, job, saved)
    if event is None:
        logger.warning("the command of job %d cannot be taken up again: its file is gone", job.id)
        await desk.requests.drop(job.ref)
        return
    taken = await desk.requests.take(request.key, event, request.place)
    if taken is None:
        return
    # A thread that a button stands in has a reply; one that an answer was asked for in may have none.
    thread_ts = saved.thread_ts if isinstance(event, Action) else ""
    whisper = desk.answers.whisper(channel, request.user_id, thread_ts)
    if isinstance(event, Action):
        await _press(desk, taken, saved, whisper)
    else:
        await _answer(desk, taken, saved, whisper)


async def _press(desk: SlackDesk, taken: AcceptedRequest, saved: SavedSlackTarget, whisper: Whisper) -> None:
    thread_ts, channel = saved.thread_ts or saved.ts, taken.event.turn.scope.channel
    draw_turn = desk.answers.draw_order.of(taken)
    own = saved.own or await desk.slack.marked(channel, thread_ts, mark(taken))
    desk.tasks.start(desk.answers.press(taken, draw_turn, replace(saved, own=own), whisper))


async def _answer(desk: SlackDesk, taken: AcceptedRequest, saved: SavedSlackTarget, whisper: Whisper) -> None:
    thread_ts, channel = saved.thread_ts, taken.event.turn.scope.channel
    ts = saved.ts or await desk.slack.marked(channel, thread_ts, mark(taken))
    keep, is_private = keeper(desk.requests, taken, saved), isinstance(taken.event, Forget)
    draw_turn = desk.answers.draw_order.of(taken)
    place = ThreadTarget(
        desk.slack, channel, thread_ts, whisper, keep, draw_turn, ts, is_private=is_private, about=mark(taken)
    )
    desk.tasks.start(desk.answers.answer_taken(taken, place))


async def _event(desk: SlackDesk, job: Job, saved: SavedSlackTarget) -> Incoming | None:
    request = job.request
    turn = await desk.turn(request.key.scope.channel, request.user_id, request.message, request.message_url, late=True)
    if asked := event_of(request, replace(turn, moderator=request.moderator)):
        return asked
    if request.kind == "find":
        picture = desk.picture_later(saved.picture) if saved.picture else None
        return replace(find(turn, saved.words), picture=picture)
    file = await desk.file(request.source)
    return RemoteFilePosted(turn, file) if file else None


def _is_ts(message: str) -> bool:
    return message.replace(".", "", 1).isdigit()


async def signed_in(grace: DepartureGrace, ledger: Ledger, token: str, team_id: str) -> None:
    """Note whose token it is, and that Keaton is there."""
    await ledger.remember(_note(token), team_id)
    await Presence(grace, DOOR.platform).back(team_id)


async def refused(grace: DepartureGrace, ledger: Ledger, token: str) -> None:
    """Let the grace period of the workspace begin that a token was good for once."""
    if team_id := await ledger.recall(_note(token)):
        await Presence(grace, DOOR.platform).left(team_id)


def _note(token: str) -> str:
    return f"slack:token:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
