"""Commands on Slack that were written down: where their answers stand, and how a later run takes them up again."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.requests import event_of
from bot.slack.places import Place
from core.commands import find
from core.talk import Action, Forget, RemoteFilePosted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.requests import Requests, Taken
    from bot.slack.desk import Desk
    from bot.slack.whispers import Whisper
    from core.jobs import Job
    from core.talk import Incoming

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the answer to a command stands, or the message whose button was pressed; fields may be added."""

    thread_ts: str = ""
    """The thread, or "" for the channel itself."""
    ts: str = ""
    """Keaton's message, or "" until Slack said so."""
    words: str = ""
    """What was written behind the command."""
    picture: str = ""
    """The id of the picture that is asked about."""
    own: str = ""
    """A message of a press's own, or "" until Slack said so."""
    alone: bool = False
    """Whoever pressed is the only one who sees the message."""

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


def mark(taken: Taken) -> str:
    """Give what marks the answer unseen, to be found again after a crash; "" for what is done in a moment."""
    return f"job:{taken.job.id}" if taken.job else ""


def keeper(requests: Requests, taken: Taken, standing: Standing) -> Callable[[str], Awaitable[None]]:
    """Give what notes where the answer stands."""

    async def keep(ts: str) -> None:
        now = replace(standing, own=ts) if isinstance(taken.event, Action) else replace(standing, ts=ts)
        await requests.stand(taken, now.text(), "")
        turn = taken.event.turn
        await requests.answered(turn.scope, turn.message, ts)

    return keep


async def take_up(desk: Desk, job: Job) -> None:
    """Answer a command that an earlier run acknowledged, where its answer stands."""
    request = job.request
    channel, standing = request.errand.scope.channel, Standing(**json.loads(request.place or "{}"))
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


async def _press(desk: Desk, taken: Taken, standing: Standing, whisper: Whisper) -> None:
    thread_ts, channel = standing.thread_ts or standing.ts, taken.event.turn.scope.channel
    say = desk.answers.word.of(taken)
    own = standing.own or await desk.slack.marked(channel, thread_ts, mark(taken))
    desk.chores.start(desk.answers.press(taken, say, replace(standing, own=own), whisper))


async def _answer(desk: Desk, taken: Taken, standing: Standing, whisper: Whisper) -> None:
    thread_ts, channel = standing.thread_ts, taken.event.turn.scope.channel
    ts = standing.ts or await desk.slack.marked(channel, thread_ts, mark(taken))
    keep, is_private = keeper(desk.requests, taken, standing), isinstance(taken.event, Forget)
    say = desk.answers.word.of(taken)
    place = Place(desk.slack, channel, thread_ts, whisper, keep, say, ts, is_private=is_private, about=mark(taken))
    desk.chores.start(desk.answers.answer_taken(taken, place))


async def _event(desk: Desk, job: Job, standing: Standing) -> Incoming | None:
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
