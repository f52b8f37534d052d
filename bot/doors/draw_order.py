"""Which of several requests decides what a message shows? The one that was written down last.

A request may draw a message only while no later press that draws it too was written down, and while Keaton has not
taken the message back; draws of one message are serialised. This holds across restarts, since presses are written down,
with their message, before they are acknowledged. What else a request does (a vote, a message of its own) it does in any
case.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from core.model.actions import draws
from core.model.events import Action

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from bot.doors.requests import AcceptedRequest
    from core.model.video import Scope

_KEPT = 1000


class Later(Protocol):
    """Knows what was written down."""

    async def is_outdone(self, taken: AcceptedRequest, message: str) -> bool:
        """Tell whether a press that draws a message was written down after a request, or it was taken back."""
        ...

    async def note_taken_back(self, scope: Scope, message: str) -> None:
        """Note that a message of Keaton's is taken back: nothing may be drawn there any more."""
        ...


class DrawTurn(Protocol):
    """What one request has to say about messages of Keaton's."""

    def at(self, message: str) -> AbstractAsyncContextManager[bool]:
        """Give the turn to draw a message, by its id or "" where that is not known, and whether that may still be."""
        ...


class Unnumbered:
    """The say of what was not written down, and is drawn where nobody presses."""

    @asynccontextmanager
    async def at(self, _message: str) -> AsyncIterator[bool]:
        """Let it draw."""
        yield True


class DrawOrder:
    """Remembers the presses of this run, also those that could not be written down, and asks for all that were."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._newest: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._reached = (0, 0)

    def of(self, taken: AcceptedRequest) -> DrawTurn:
        """Give the say of a request, at once when it was taken: for a press counts from then on."""
        say = _Numbered(self, taken, self._number(taken))
        if isinstance(taken.event, Action) and draws(taken.event.id):
            self._count(_key(taken.event.turn.scope, taken.event.under), say.number)
        return say

    def _number(self, taken: AcceptedRequest) -> tuple[int, int]:
        """Order requests as they were written down; one that could not be comes behind all that were."""
        last, unwritten = self._reached
        mine = (taken.job.id, 0) if taken.job else (last, unwritten + 1)
        self._reached = max(self._reached, mine)
        return mine

    def _count(self, key: str, number: tuple[int, int]) -> None:
        self._newest[key] = max(number, self._newest.get(key, number))
        self._newest.move_to_end(key)
        while len(self._newest) > _KEPT:
            self._newest.popitem(last=False)

    @asynccontextmanager
    async def turn(self, taken: AcceptedRequest, number: tuple[int, int], message: str) -> AsyncIterator[bool]:
        """Wait until nobody draws a message; tell whether this request may."""
        key = _key(taken.event.turn.scope, message)
        async with self._lock(key):
            is_outdone = self._newest.get(key, number) > number
            yield not (is_outdone or await self._later.is_outdone(taken, message))

    @asynccontextmanager
    async def taking_back(self, scope: Scope, message: str) -> AsyncIterator[None]:
        """Wait until nobody draws a message; from then on no request may.

        Else the last word of a request that forgetting has ended would stand in place of what tells so, or, where the
        message was deleted, in a new one.
        """
        async with self._lock(_key(scope, message)):
            await self._later.note_taken_back(scope, message)
            yield

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class _Numbered:
    """The say of one request."""

    word: DrawOrder
    taken: AcceptedRequest
    number: tuple[int, int]

    @asynccontextmanager
    async def at(self, message: str) -> AsyncIterator[bool]:
        """Give the turn to draw a message."""
        if not message:
            yield True
            return
        async with self.word.turn(self.taken, self.number, message) as may:
            yield may


def _key(scope: Scope, message: str) -> str:
    return f"{scope.space}:{scope.channel}:{message}"
