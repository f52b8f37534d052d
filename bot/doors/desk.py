"""What every chat door does with what people ask: writes it down, works on it in the background, shows the replies.

A door's `Answers` and `Desk` add what is its platform's own: who may see what, how messages are named, and where an
answer stands.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.doors.delivery import RETRY_S, STOPPING, deliver
from bot.doors.requests import DrawOrder
from bot.doors.targets import RecordingTarget, SettlingTarget, TidyingEnds
from core.conversation.channels import Invitations
from core.errors import AppError
from core.model.events import MessageDeleted, MessageEdited, Turn
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Sequence

    from bot.doors.delivery import ReplyTarget
    from bot.doors.messages import Item
    from bot.doors.pace import PaceTurns
    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.doors.targets import Ends, VisibleTarget
    from core.model.events import Door, Incoming
    from core.model.reply import Reply
    from core.model.requests import MessageKey
    from core.model.video import Scope

M = TypeVar("M")
"""A message of a platform."""
T = TypeVar("T", bound="VisibleTarget")

logger = logging.getLogger(__name__)


class BackgroundTasks:
    """Tasks, each about some message."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._closed = False

    def start(self, work: Coroutine[None, None, None], about: str = "") -> None:
        """Run work beside everything else; `about` names what it is about."""
        if self._closed:  # libraries may still dispatch events after their closing
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks[task] = about
        task.add_done_callback(self._done)

    async def cancel(self, about: str) -> None:
        """Stop all that is under way about something, and wait until it has stopped."""
        mine = [task for task, one in self._tasks.items() if one == about]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def close(self) -> None:
        """Stop all that is under way, since the program ends, and begin nothing any more."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel(STOPPING)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()):
            logger.error("an answer could not be given", exc_info=error)


class WaitingLines:
    """Says where waiting videos stand in the queue in one message of a channel.

    Platforms count edits of all messages together, and each step of the queue would edit every waiting one. So the
    video that has waited longest shows its position and how many come after it; the others say only that they wait.
    """

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, None]] = {}
        self._numbers = itertools.count()

    async def told(self, replies: AsyncIterator[Reply], channel: str) -> AsyncIterator[Reply]:
        """Yield the replies about one video as they are to be shown in a channel."""
        number = next(self._numbers)
        try:
            async for reply in replies:
                if reply.progress is None or reply.progress.stage != "waiting":
                    self._leave(channel, number)
                    yield reply
                else:
                    yield self._waiting(reply, channel, number)
        finally:
            self._leave(channel, number)

    def _waiting(self, reply: Reply, channel: str, number: int) -> Reply:
        line = self._lines.setdefault(channel, {})
        line[number] = None
        if next(iter(line)) == number:
            after = len(line) - 1
            words = f" {after} more of this channel {'waits' if after == 1 else 'wait'} after it."
            return replace(reply, text=reply.text + words) if after else reply
        progress = replace(reply.progress, ahead=0) if reply.progress else None
        return replace(reply, text="Waiting for my turn…", progress=progress)

    def _leave(self, channel: str, number: int) -> None:
        line = self._lines.get(channel, {})
        line.pop(number, None)
        if not line:
            self._lines.pop(channel, None)


class WorkReaction(ABC, Generic[M]):
    """The reaction under a message that Keaton works on, until the last of its links and files is done.

    Platforms limit the rate of reactions by itself, so that no answer waits for one.
    """

    def __init__(self) -> None:
        self._left: dict[Hashable, int] = {}
        self._adding: dict[Hashable, asyncio.Task[None]] = {}

    @abstractmethod
    def key(self, message: M) -> Hashable:
        """Return what tells a message from all others."""

    @abstractmethod
    async def add(self, message: M) -> None:
        """Add the reaction, when the rate allows."""

    @abstractmethod
    async def remove(self, message: M, *, at_once: bool) -> None:
        """Remove the reaction: `at_once`, or when the rate allows."""

    def expect(self, message: M, count: int) -> None:
        """Note that so many things of a message are about to be worked on."""
        key = self.key(message)
        self._left[key] = self._left.get(key, 0) + count

    @asynccontextmanager
    async def on(self, message: M) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Work on one of the things that were expected; yields what notes that it is done, at the end at the latest."""
        is_under_way = True

        async def done(*, at_once: bool = False) -> None:
            nonlocal is_under_way
            if is_under_way:
                is_under_way = False
                await self._done(message, at_once=at_once)

        key = self.key(message)
        if key not in self._adding:
            self._adding[key] = asyncio.create_task(self.add(message))
        try:
            yield done
        finally:
            await done(at_once=True)  # it was broken off: the person who stops the program does not wait for that

    async def _done(self, message: M, *, at_once: bool) -> None:
        key = self.key(message)
        self._left[key] = self._left.get(key, 1) - 1
        if self._left[key] > 0:
            return
        del self._left[key]
        adding = self._adding.pop(key)
        if not adding.done():  # there was no room for it yet, or it is on its way
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
        await self.remove(message, at_once=at_once)


class Answers(ABC, Generic[T]):
    """Shows the replies to requests, and ends each request once its last reply stands."""

    def __init__(self, context: DoorContext, min_gap_s: float, retry_s: Sequence[float] = RETRY_S) -> None:
        self.context = context
        self.requests = context.requests
        self.draw_order = DrawOrder(self.requests)
        self._min_gap_s = min_gap_s
        self._retry_s = retry_s
        self._lines = WaitingLines()

    @abstractmethod
    def turns(self, target: T, event: Incoming) -> PaceTurns | None:
        """Return the turns of a target among all that share its rate limit; None where it has a limit of its own."""

    async def prepared(self, event: Incoming, target: T) -> tuple[Incoming, T]:
        """Return an event with what the platform is asked before it is answered, and the target of its replies."""
        return event, target

    def recording(self, target: T, event: Incoming) -> ReplyTarget:
        """Return a target that records which videos it shows."""
        return RecordingTarget(target, self.context.shown_messages, event.turn.scope)

    def dressed(self, shown: ReplyTarget, target: T) -> ReplyTarget:  # noqa: ARG002 - for doors that do
        """Return a target with what the door adds to each reply."""
        return shown

    async def answer_taken(self, taken: AcceptedRequest, target: T, ends: Ends | None = None) -> None:
        """Show the replies to an accepted request; it ends then, unless the platform is out of order."""
        if await self.answer(taken.event, target, taken, ends):
            await (ends or self.requests).end(taken)

    async def answer(
        self, event: Incoming, target: T, taken: AcceptedRequest | None = None, ends: Ends | None = None
    ) -> bool:
        """Show the replies to an event; return whether the last one stands, or was refused for good."""
        event, target = await self.prepared(event, target)
        shown = self.recording(target, event)
        if taken is not None:
            shown = SettlingTarget(shown, ends or self.requests, taken)
        replies, turns = self.context.conversation.handle(event), self.turns(target, event)
        if turns is not None:
            replies = self._lines.told(replies, event.turn.scope.channel)
        return await deliver(replies, self.dressed(shown, target), self._min_gap_s, turns, self._retry_s)


class Desk(ABC, Generic[M, T]):
    """Takes what messages ask for, each thing once, and forgets what they do not hold any more."""

    def __init__(self, context: DoorContext, door: Door, answers: Answers[T], reaction: WorkReaction[M]) -> None:
        self.context = context
        self.requests = context.requests
        self.tasks = BackgroundTasks()
        self.invitations = Invitations(context.ledger, time.time)
        self.deleted = asyncio.Event()
        """Set when a message was deleted, whose answers are to be removed now."""
        self._door = door
        self._answers = answers
        self._reaction = reaction

    @abstractmethod
    def key(self, message: M, item: str) -> MessageKey:
        """Name one thing in a message."""

    @abstractmethod
    async def target(self, message: M, taken: AcceptedRequest) -> T:
        """Return where one thing in a message is answered, as an earlier run left it."""

    @abstractmethod
    async def say_problem(self, message: M, error: AppError) -> None:
        """Say why what a message asks for cannot be done."""

    async def may_answer(self, message: M, taken: Sequence[AcceptedRequest]) -> bool:  # noqa: ARG002 - for doors that ask
        """Tell whether what was taken may be answered there; if not, it is ended."""
        return True

    async def take_items(self, message: M, items: Sequence[Item]) -> None:
        """Write down what a message asks for, and have each of it answered."""
        taken: list[AcceptedRequest] = []
        for item in items:
            try:
                one = await self.requests.take(self.key(message, item.name), item.event)
            except AppError as error:  # it cannot be written down: that much can be said
                await self.say_problem(message, error)
                break
            if one is not None:
                taken.append(one)
        if not taken or not await self.may_answer(message, taken):
            return
        self._reaction.expect(message, len(taken))
        for one in taken:
            scope, about = one.key.scope, one.key.message
            self.tasks.start(self._answer_item(message, one), about_message(scope.channel, about))

    async def _answer_item(self, message: M, taken: AcceptedRequest) -> None:
        async with self._reaction.on(message) as unreact:
            target = await self.target(message, taken)
            await self._answers.answer_taken(taken, target, TidyingEnds(unreact, self.requests))

    async def forget_message(self, scope: Scope, message: str) -> None:
        """Stop what a deleted message started, forget what it brought, and have taken back what was said about it."""
        await self.tasks.cancel(about_message(scope.channel, message))
        await self._handle(MessageDeleted(self._turn_about(scope, message)))

    async def forget_rest(self, scope: Scope, message: str, names: frozenset[str]) -> None:
        """Take back what an edited message brought and does not hold any more; `names` are those that it holds."""
        await self._handle(MessageEdited(self._turn_about(scope, message), names))

    def _turn_about(self, scope: Scope, message: str) -> Turn:
        return Turn(self._door, scope, View.of(scope), "", "", message)

    async def _handle(self, event: Incoming) -> None:
        """Have an event handled that is answered with nothing."""
        async for _ in self.context.conversation.handle(event):
            pass
        self.deleted.set()


def about_message(channel: str, message: str) -> str:
    """Name all work about a message."""
    return f"{channel}:{message}"
