"""Answers on Slack: shown where they belong, and taken back. Owns whose rights count; must not know what was posted."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from bot.delivery import deliver
from bot.lastword import LastWord
from bot.requests import Answered
from bot.showing import TAKEN_BACK, Stuck
from bot.slack import resuming
from bot.slack.alone import Alone
from bot.slack.people import Rights
from bot.slack.places import Place as PlaceOfAll
from bot.slack.places import PressPlace
from bot.slack.refusals import FAILURES, UNCHANGEABLE, RefusedError, reason_of
from bot.slack.render import card
from bot.slack.rooms import Rooms, is_talk
from bot.slack.showing import NotedFiles, is_file
from bot.slack.whispers import ToOne
from bot.waiting import WaitingLines
from core.actions import cancels
from core.talk import Action, Forget, Switch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.doors import Parts
    from bot.lastword import Say
    from bot.requests import Ends, Taken
    from bot.slack.alone import Draw
    from bot.slack.config import Workspace
    from bot.slack.render import Card
    from bot.slack.showing import Place, Whispering
    from bot.slack.speaking import Slack
    from bot.slack.whispers import DirectMessages, Voice, Whisper
    from core.jobs import Job
    from core.showcase import Stale
    from core.talk import Incoming, JobRef

logger = logging.getLogger(__name__)

Ruled = TypeVar("Ruled", bound="Forget | Action")

_RIGHTS_WITHIN_S = 3.0
"""Nothing else is taken up before."""


class Answers:
    """Shows them."""

    def __init__(self, parts: Parts, slack: Slack, voice: Voice, workspace: Workspace, min_gap_s: float) -> None:
        self._parts = parts
        self._requests = parts.requests
        self._slack = slack
        self._voice = voice
        self._rights = Rights(slack.client)
        self.rooms = Rooms(slack.client, parts.ledger, workspace)
        self.word = LastWord(self._requests)
        self._min_gap_s = min_gap_s
        self._lines = WaitingLines()

    @property
    def direct(self) -> DirectMessages:
        """Give the direct messages with each person."""
        return self._voice.direct

    async def answer_taken(self, taken: Taken, place: Whispering, ends: Ends | None = None) -> None:
        """Show the replies to something that was written down; then it is done."""
        await self.answer(taken.event, place, taken, ends)
        await (ends or self._requests).end(taken)

    async def answer(
        self, event: Incoming, place: Whispering, taken: Taken | None = None, ends: Ends | None = None
    ) -> None:
        """Show the replies to an event in a place, and end what it was written down as.

        Where not all who are there may see them, the asker alone does.
        """
        is_own = is_talk(event.turn.scope.channel)  # all channels count there, of which nobody moderates each
        if (isinstance(event, Forget) and not is_own) or (isinstance(event, Action) and cancels(event.id)):
            event = await self._with_rights(event)
        if isinstance(event, Switch) and not await self._rights.is_member(event.turn.user_id):
            event = replace(event, turn=replace(event.turn, guest=True))
        pressed_alone = isinstance(place, Alone)
        opened = await self.rooms.opened(event, alone=pressed_alone)
        to_one = opened.alone and not pressed_alone
        await self._show(opened.event, Alone(self._slack, place.whisper) if to_one else place, taken, ends)

    async def _show(self, event: Incoming, place: Place, taken: Taken | None, ends: Ends | None) -> None:
        noted = NotedFiles(place, self._parts.showcase, event.turn.scope, self._slack.pictures)
        shown = Answered(noted, ends or self._requests, taken) if taken else noted
        channel = event.turn.scope.channel
        replies = self._lines.told(self._parts.conversation.handle(event), channel)
        turns = self._slack.paces.of(place, channel) if isinstance(place, PlaceOfAll | PressPlace) else None
        await deliver(replies, shown, self._min_gap_s, turns)

    async def vouched(self, press: Action, job: JobRef | None) -> Action:
        """Return a press with what its presser may do, where that counts; it is noted for a later run.

        That run does not begin a film that somebody has cancelled who may.
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
        taken: Taken,
        say: Say,
        standing: resuming.Standing,
        whisper: Whisper,
        redraw: Draw | None = None,
    ) -> None:
        """Answer the press of a button under the message that stands there.

        `redraw` replaces that message where one person alone sees it, as long as Slack lets.
        """
        if standing.alone:
            in_turn = _in_turn(say, standing.ts, redraw) if redraw else None
            await self.answer_taken(taken, Alone(self._slack, whisper, in_turn))
            return
        channel = taken.event.turn.scope.channel
        keep, mark = resuming.keeper(self._requests, taken, standing), resuming.mark(taken)
        where = channel, standing.ts, standing.thread_ts
        place = PressPlace(self._slack, *where, whisper, say, keep, standing.own, mark)
        await self.answer_taken(taken, place)

    async def change(self, stale: Stale) -> bool:
        """Remove a message, or let it say that its film was forgotten; with its pictures. Raises Stuck."""
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
                raise Stuck(f"Slack says {reason}") from error
        if not are_gone:
            raise Stuck("Slack does not delete its pictures")
        return True

    def whisper(self, channel: str, user_id: str, thread_ts: str = "", url: str = "") -> ToOne:
        """Give a way to show a card to somebody alone; `thread_ts` is that of a thread that has a reply."""
        return ToOne(self._voice, channel, user_id, thread_ts, url)


def _in_turn(say: Say, ts: str, redraw: Draw) -> Draw:
    """Let a message be replaced only as long as no later press decides what stands there."""

    async def send(shown: Card) -> None:
        async with say.at(ts) as may:
            if may:
                await redraw(shown)

    return send
