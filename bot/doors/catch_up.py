"""What a door does after an absence: it takes up what an earlier run left, and looks at what was missed meanwhile.

The look back is bounded, and requests are written down by the id of their message, so that nothing is answered twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.doors.pace import Backoff
from core.model.video import Scope
from core.ports.retention import WHOLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from bot.doors.requests import DoorContext
    from core.model.requests import Job, MessageKey
    from core.retention import DepartureGrace

M = TypeVar("M")
"""A message of a platform."""
C = TypeVar("C")
"""A channel of a platform, as its messages are asked for."""

FURTHEST_S = 24 * 3600.0
"""Older messages are not looked at any more."""
_OVERLAP_S = 30.0
"""What was heard of late may not be written down yet, clocks differ, and a lost connection is noticed late."""
_SKEW_S = 2.0
"""So far a platform's clock may be behind at the very first start, before which nothing is looked at."""

logger = logging.getLogger(__name__)


class Presence:
    """Tells the grace period where Keaton is and where it is not any more."""

    def __init__(self, grace: DepartureGrace, platform: str) -> None:
        self.grace = grace
        self._platform = platform

    def scope(self, space: str, channel: str = WHOLE) -> Scope:
        """Return the scope of a channel, or of a whole server or workspace."""
        return Scope(self._platform, space, channel)

    async def left(self, space: str, channel: str = WHOLE) -> None:
        """Note that Keaton was removed."""
        await self.grace.left(self.scope(space, channel))

    async def back(self, space: str, channel: str = WHOLE) -> None:
        """Note that Keaton is there."""
        await self.grace.back(self.scope(space, channel))

    async def deleted(self, space: str, channel: str) -> None:
        """Forget what a channel held; once more later, for a video that was on its way."""
        await self.grace.gone(self.scope(space, channel))
        await self.left(space, channel)


class CatchUp(ABC, Generic[M, C]):
    """Notes now and then that nothing was missed, and after each new connection looks at what came since that note.

    Each channel is looked at by itself: one that cannot be read keeps a mark since when, and is tried again.
    """

    failures: tuple[type[Exception], ...]
    """What the platform's library raises."""

    def __init__(
        self, context: DoorContext, platform: str, space: str, alive_every_s: float, again_s: Sequence[float]
    ) -> None:
        """`space` is the only one that the door serves, or ""."""
        self.ledger = context.ledger
        self._context = context
        self._platform = platform
        self._space = space
        of = f":{space}" if space else ""
        self._alive = f"{platform}:alive{of}"
        self._missed = f"{platform}:missed{of}:"
        self._alive_every_s = alive_every_s
        self.backoff: Backoff[str] = Backoff(again_s)
        self._wanted = asyncio.Event()
        self._wake = asyncio.Event()
        self._has_looked = False
        self._first_s = 0.0
        """Nothing before that is looked at."""
        self._requests_left = 0

    @abstractmethod
    def is_listening(self) -> bool:
        """Tell whether the platform tells what happens."""

    @abstractmethod
    def mark(self, at_s: float) -> str:
        """Return what stands for a time in the ids of messages."""

    @abstractmethod
    async def catch_up(self, alive: str) -> None:
        """Look at all channels since that mark; "" where there is none."""

    @abstractmethod
    async def try_again(self) -> None:
        """Look once more at channels that could not be read, as far as they are due."""

    @abstractmethod
    async def fetch(self, scope: Scope, message: str) -> M | None:
        """Return a message that asked for something, or None where it is gone; raises what the library raises."""

    @abstractmethod
    async def take(self, message: M) -> None:
        """Look at a message that was missed, or was not finished with."""

    @abstractmethod
    async def forget(self, scope: Scope, message: str) -> None:
        """Forget what a message brought that is gone."""

    @abstractmethod
    async def note_answers(self, keys: Sequence[MessageKey]) -> None:
        """Note what an earlier run answered to a message that is gone, where it died before it could."""

    @abstractmethod
    async def take_up(self, job: Job) -> None:
        """Answer a command or press that an earlier run acknowledged, where its answer stands."""

    @abstractmethod
    async def may_ask(self, method: str) -> bool:
        """Count a request about known messages; tell whether it may be made, in its turn."""

    @abstractmethod
    async def page(self, channel: C, newest: str) -> tuple[Mapping[str, M], Decimal]:
        """Return messages of a channel from that id back, and the id from which on none is missing."""

    @abstractmethod
    async def compare(self, scope: Scope, message: str, there: M | None) -> None:
        """Take back what a known message does not hold any more; None where it is on no page."""

    async def begin(self) -> None:
        """Note at the very first start since when Keaton listens: what it is killed over is looked at then."""
        if not await self.ledger.recall(self._alive):
            self._first_s = time.time() - _SKEW_S
            await self.ledger.remember(self._alive, self.mark(self._first_s))

    def connected(self) -> None:
        """Look back: what happened before this connection was opened may have been told to none."""
        self._wanted.set()
        self.wake()

    def wake(self) -> None:
        """See at once whether something is due."""
        self._wake.set()

    async def run(self) -> None:
        """After each connection catch up; while it is open note that nothing is missed."""
        while True:
            try:
                if self._wanted.is_set():
                    self._wanted.clear()
                    await self.catch_up(await self.ledger.recall(self._alive))
                    self._has_looked = True
                await self.try_again()
                await self._note_alive()
            except Exception:
                logger.exception("looking back failed; it is tried again")
                self._wanted.set()
                await asyncio.sleep(self._alive_every_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self.backoff.wait_s(self._alive_every_s))
            self._wake.clear()

    async def _note_alive(self) -> None:
        """Note that nothing was missed until now, but not where a new connection is still to be looked behind."""
        if self.is_listening() and not self._wanted.is_set() and self._has_looked:
            alive_s = max(time.time() - _OVERLAP_S, self._first_s)
            await self.ledger.remember(self._alive, self.mark(alive_s))

    async def resume(self) -> None:
        """Take up what an earlier run died over; what goes wrong with one request keeps no other from it."""
        left = [one for one in await self.ledger.unsettled(self._platform) if one.message and self._is_mine(one)]
        by_message: dict[tuple[Scope, str], list[MessageKey]] = {}
        for one in left:
            by_message.setdefault((one.scope, one.message), []).append(one)
        for keys in by_message.values():
            await self._logged(self._finish(keys), "what a message asked for could not be taken up again")
        for job in await self.left():
            if not job.request.key.message:
                await self._logged(self.take_up(job), "what a command or press asked for could not be taken up again")

    async def left(self) -> list[Job]:
        """Return the requests that an earlier run left open."""
        return [one for one in await self._context.runner.jobs.left(self._platform) if self._is_mine(one.request.key)]

    def _is_mine(self, key: MessageKey) -> bool:
        return key.scope.space == self._space or not self._space

    async def _finish(self, keys: Sequence[MessageKey]) -> None:
        """Go on with what was asked for in one message."""
        scope, message_id = keys[0].scope, keys[0].message
        message = await self.fetch(scope, message_id)
        if message is None:
            await self.note_answers(keys)
            await self.forget(scope, message_id)
        else:
            await self.take(message)

    async def _logged(self, work: Awaitable[None], trouble: str) -> None:
        try:
            await work
        except self.failures as error:
            logger.warning("%s: %s", trouble, self.reason(error))
        except Exception:
            logger.exception(trouble)

    def reason(self, error: Exception) -> object:
        """Return why something failed, for the log."""
        return error

    async def look_at(self, name: str, since: str, reading: Awaitable[None]) -> None:
        """Await the reading of a channel; where that fails, it keeps its mark, and is tried again."""
        try:
            await reading
        except self.failures as error:
            if self.is_outside(error):
                await self.settle(name)
                return
            if self.backoff.failed(name):
                logger.warning(
                    "channel %s cannot be read back for now (%s); it is tried again", name, self.reason(error)
                )
        except Exception:
            self.backoff.failed(name)
            logger.exception("channel %s could not be read back; it is tried again", name)
        else:
            await self.settle(name)
            return
        if since:
            await self.note_missed(name, since)

    def is_outside(self, error: Exception) -> bool:  # noqa: ARG002 - for doors that know
        """Tell whether an error says that Keaton is not in a channel: nothing there is missed."""
        return False

    async def missed(self) -> dict[str, str]:
        """Return the mark since when what is unread, by the name of the channel."""
        notes = await self.ledger.notes(self._missed)
        return {name.removeprefix(self._missed): since for name, since in notes if since}

    async def note_missed(self, name: str, since: str) -> None:
        """Note since when a channel is unread; an earlier mark stays."""
        if not await self.ledger.recall(self._missed + name):
            await self.ledger.remember(self._missed + name, since)

    async def settle(self, name: str) -> None:
        """Note that nothing of a channel is unread."""
        self.backoff.done(name)
        if await self.ledger.recall(self._missed + name):
            await self.ledger.remember(self._missed + name, "")

    async def known(self, most: int) -> dict[Scope, list[str]]:
        """Return the newest messages that brought something, by their channels."""
        found: dict[Scope, list[str]] = {}
        for scope, message in await self.ledger.posted(self._platform, most):
            found.setdefault(scope, []).append(message)
        return found

    async def check(self, channel: C, scope: Scope, ids: Sequence[str]) -> None:
        """Compare a channel's known messages with what they are now; raises what the library raises.

        Pages from the newest known message back, with a bound on requests.
        """
        left = sorted(map(Decimal, ids), reverse=True)
        names = {Decimal(one): one for one in ids}
        while left and await self.may_ask("history"):
            there, oldest = await self.page(channel, names[left[0]])
            for one in (one for one in left if one >= oldest):
                await self.compare(scope, names[one], there.get(names[one]))
            left = [one for one in left if one < oldest]
