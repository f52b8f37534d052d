"""After a restart: reads the messages that were missed, and takes up commands that were not answered.

The look back is bounded, and the ledger lets nothing be answered twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.doors.requests import event_of
from bot.slack import messages as posts
from bot.slack.known import KnownSlackMessages
from bot.slack.refusals import FAILURES, reason_of
from bot.slack.targets import SavedSlackTarget, ThreadTarget, keeper, mark
from core.conversation.commands import find
from core.model.events import Action, Forget, RemoteFilePosted

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.requests import AcceptedRequest
    from bot.slack.config import Workspace
    from bot.slack.desk import SlackDesk
    from bot.slack.whispers import Whisper
    from core.model.events import Incoming
    from core.model.requests import Job
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)


_FURTHEST_S = 24 * 3600.0


_OVERLAP_S = 10.0
"""Slack's clock and ours may differ, and a note may be old: what is seen twice is done once."""


_MOST_MESSAGES = 50


_MOST_CHANNELS = 100


class SlackCatchUp:
    """Notes now and then that Keaton listens, and at the start reads what came since, in channels that it knows."""

    def __init__(
        self, desk: SlackDesk, client: AsyncWebClient, ledger: Ledger, workspace: Workspace, alive_every_s: float
    ) -> None:
        self._desk = desk
        self._client = client
        self._ledger = ledger
        self._known = KnownSlackMessages(desk, client, ledger, workspace.team_id)
        self._alive = f"slack:alive:{workspace.team_id}"
        self._alive_every_s = alive_every_s

    async def resume(self) -> None:
        """Take up what an earlier run died over; done before Slack can send the same again."""
        try:
            await self._desk.resume(take_up)
        except Exception:
            logger.exception("what was left undone cannot be taken up")

    async def run(self) -> None:
        """Catch up, then note for ever that nothing is missed."""
        try:
            await self._read_on()
            await self._known.check()
        except Exception:
            logger.exception("looking back failed")
        while True:
            await self._ledger.remember(self._alive, f"{time.time():.6f}")
            await asyncio.sleep(self._alive_every_s)

    async def _read_on(self) -> None:
        """Read what was posted since Keaton was last seen listening; at the very first start nothing."""
        alive = await self._ledger.recall(self._alive)
        if not alive:
            return
        since_s = max(float(alive) - _OVERLAP_S, time.time() - _FURTHEST_S)
        for _, channel in (await self._ledger.notes(self._desk.channels_note))[:_MOST_CHANNELS]:
            for raw in reversed(await self._missed(channel, since_s)):
                message = posts.read({**raw, "channel": channel})
                if isinstance(message, posts.SlackMessage):
                    await self._desk.take(message, late=True)

    async def _missed(self, channel: str, since_s: float) -> list[dict[str, Any]]:
        """Give the newest messages of a channel, newest first; those within threads are not among them."""
        try:
            found = await self._client.conversations_history(
                channel=channel, oldest=f"{since_s:.6f}", limit=_MOST_MESSAGES
            )
        except FAILURES as error:
            logger.warning("what was missed in a channel cannot be read: %s", reason_of(error))
            return []
        messages: list[dict[str, Any]] = found["messages"]
        return messages


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
