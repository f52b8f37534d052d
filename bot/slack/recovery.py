"""After a restart: reads the messages that were missed, and takes up commands that were not answered.

The look back is bounded, and the ledger lets nothing be answered twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.doors.backoff import Backoff
from bot.doors.pace import Pace
from bot.doors.requests import event_of
from bot.slack import messages as posts
from bot.slack.known import KnownSlackMessages
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.targets import SavedSlackTarget, ThreadTarget, keeper, mark
from core.conversation.commands import find
from core.model.events import Action, Forget, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import AcceptedRequest
    from bot.slack.config import SlackConfig
    from bot.slack.desk import SlackDesk
    from bot.slack.whispers import Whisper
    from core.model.events import Incoming
    from core.model.requests import Job
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)


_FURTHEST_S = 24 * 3600.0


_OVERLAP_S = 30.0
"""Slack's clock and ours may differ, and a lost connection is noticed late: what is seen twice is done once."""


_MOST_MESSAGES = 50


_MOST_THREADS = 10


_OUTSIDE = frozenset({"channel_not_found", "not_in_channel"})
"""Nothing of a channel is missed that Keaton is not in."""


class SlackCatchUp:
    """Notes now and then that Keaton listens, and after each new connection reads what came since the last note.

    Slack replays nothing. All channels that Keaton knows are read, each by itself: one that cannot be read keeps a mark
    of its own, and is tried again.
    """

    def __init__(
        self,
        desk: SlackDesk,
        client: AsyncWebClient,
        ledger: Ledger,
        config: SlackConfig,
        is_listening: Callable[[], bool],
    ) -> None:
        self._desk = desk
        self._client = client
        self._ledger = ledger
        self._is_listening = is_listening
        self._pace = Pace(config.readings)
        self._known = KnownSlackMessages(desk, client, ledger, desk.workspace.team_id, self._pace)
        self._alive = f"slack:alive:{desk.workspace.team_id}"
        self._missed_note = f"slack:missed:{desk.workspace.team_id}:"
        self._alive_every_s = config.alive_every_s
        self._backoff: Backoff[str] = Backoff(config.read_again_s)
        self._wanted = asyncio.Event()
        self._has_looked = False
        self._first_s = 0.0
        """Nothing before that is looked at."""

    def connected(self) -> None:
        """Look back: what happened before this connection was opened may have been told to none."""
        self._wanted.set()

    async def resume(self) -> None:
        """Take up what an earlier run died over; done before Slack can send the same again.

        At the very first start it is noted since when Keaton listens: what it is killed over is looked at then.
        """
        if not await self._ledger.recall(self._alive):
            self._first_s = time.time()
            await self._ledger.remember(self._alive, f"{self._first_s:.6f}")
        try:
            await self._desk.resume(take_up)
        except Exception:
            logger.exception("what was left undone cannot be taken up")

    async def run(self) -> None:
        """After each connection catch up; while it is open note that nothing is missed."""
        while True:
            try:
                if self._wanted.is_set():
                    self._wanted.clear()
                    await self._catch_up()
                await self._try_again()
                await self._note_alive()
            except Exception:
                logger.exception("looking back failed; it is tried again")
                self._wanted.set()
                await asyncio.sleep(self._alive_every_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._backoff.wait_s(self._alive_every_s))

    async def _note_alive(self) -> None:
        """Note that nothing was missed until now, but not where a new connection is still to be looked behind."""
        if self._is_listening() and not self._wanted.is_set() and self._has_looked:
            alive_s = max(time.time() - _OVERLAP_S, self._first_s)
            await self._ledger.remember(self._alive, f"{alive_s:.6f}")

    async def _catch_up(self) -> None:
        """Read what was posted since Keaton was last seen listening; at the very first start nothing."""
        if alive := await self._ledger.recall(self._alive):
            missed = await self._missed()
            for _, channel in await self._ledger.notes(self._desk.channels_note):
                await self._look_at(channel, missed.get(channel) or alive)
            await self._known.check()
        self._has_looked = True

    async def _try_again(self) -> None:
        """Read once more where it failed, as far as it is due."""
        for channel, since in (await self._missed()).items():
            if self._backoff.is_due(channel):
                await self._look_at(channel, since)

    async def _look_at(self, channel: str, since: str) -> None:
        """Look at what came in a channel; where that fails, it keeps its mark."""
        since_s = max(float(since), time.time() - _FURTHEST_S)
        try:
            await self._read(channel, since_s)
        except FAILURES as error:
            if reason_of(error) not in _OUTSIDE:
                if self._backoff.failed(channel):
                    logger.warning("channel %s cannot be read back (%s); it is tried again", channel, reason_of(error))
                await self._note_missed(channel, since)
                return
        except Exception:
            self._backoff.failed(channel)
            logger.exception("channel %s could not be read back; it is tried again", channel)
            if float(since) > time.time() - _FURTHEST_S:
                await self._note_missed(channel, since)
                return
        self._backoff.done(channel)
        await self._note_missed(channel, "")

    async def _read(self, channel: str, since_s: float) -> None:
        """Take the messages of a channel and its threads, oldest first; one that fails keeps no other from it."""
        trouble: Exception | None = None
        for raw in await self._since(channel, since_s):
            try:
                message = posts.read({**raw, "channel": channel})
                if isinstance(message, posts.SlackMessage):
                    await self._desk.take(message, late=True)
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

    async def _missed(self) -> dict[str, str]:
        """Return since when what is unread, by the channel."""
        notes = await self._ledger.notes(self._missed_note)
        return {name.removeprefix(self._missed_note): since for name, since in notes if since}

    async def _note_missed(self, channel: str, since: str) -> None:
        """Note since when a channel is unread, or with "" that it is not."""
        if await self._ledger.recall(self._missed_note + channel) != since:
            await self._ledger.remember(self._missed_note + channel, since)


async def take_up(desk: SlackDesk, job: Job) -> None:
    """Answer a command that an earlier run acknowledged, where its answer stands."""
    request = job.request
    channel, standing = request.errand.scope.channel, SavedSlackTarget(**json.loads(request.place or "{}"))
    event = await _event(desk, job, standing)
    if event is None:
        logger.warning("the command of job %d cannot be taken up again: its file is gone", job.id)
        await desk.requests.drop(job.ref)
        return
    taken = await desk.requests.take(request.errand, event, request.place)
    if taken is None:
        return
    # A thread that a button stands in has a reply; one that an answer was asked for in may have none.
    thread_ts = standing.thread_ts if isinstance(event, Action) else ""
    whisper = desk.answers.whisper(channel, request.user_id, thread_ts)
    if isinstance(event, Action):
        await _press(desk, taken, standing, whisper)
    else:
        await _answer(desk, taken, standing, whisper)


async def _press(desk: SlackDesk, taken: AcceptedRequest, standing: SavedSlackTarget, whisper: Whisper) -> None:
    thread_ts, channel = standing.thread_ts or standing.ts, taken.event.turn.scope.channel
    say = desk.answers.word.of(taken)
    own = standing.own or await desk.slack.marked(channel, thread_ts, mark(taken))
    desk.chores.start(desk.answers.press(taken, say, replace(standing, own=own), whisper))


async def _answer(desk: SlackDesk, taken: AcceptedRequest, standing: SavedSlackTarget, whisper: Whisper) -> None:
    thread_ts, channel = standing.thread_ts, taken.event.turn.scope.channel
    ts = standing.ts or await desk.slack.marked(channel, thread_ts, mark(taken))
    keep, is_private = keeper(desk.requests, taken, standing), isinstance(taken.event, Forget)
    say = desk.answers.word.of(taken)
    place = ThreadTarget(
        desk.slack, channel, thread_ts, whisper, keep, say, ts, is_private=is_private, about=mark(taken)
    )
    desk.chores.start(desk.answers.answer_taken(taken, place))


async def _event(desk: SlackDesk, job: Job, standing: SavedSlackTarget) -> Incoming | None:
    request = job.request
    turn = await desk.turn(
        request.errand.scope.channel, request.user_id, request.message, request.message_url, late=True
    )
    if asked := event_of(request, replace(turn, moderator=request.moderator)):
        return asked
    if request.kind == "find":
        picture = desk.picture_later(standing.picture) if standing.picture else None
        return replace(find(turn, standing.words), picture=picture)
    file = await desk.file(request.source)
    return RemoteFilePosted(turn, file) if file else None
