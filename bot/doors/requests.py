"""Requests: written down before they are acknowledged, ended when they are answered; and which one may draw a message.

A request may draw a message only while no later press that draws it too was written down, and while Keaton has not
taken the message back; draws of one message are serialised. This holds across restarts, since presses are written down,
with their message, before they are acknowledged. What else a request does (a vote, a message of its own) it does in any
case.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from core.errors import DatabaseGone, StorageUnusable
from core.links import path_text
from core.model.actions import draws
from core.model.events import (
    Action,
    FilePosted,
    Find,
    Forget,
    LinkPosted,
    PictureFile,
    RemoteFilePosted,
    Switch,
)
from core.model.requests import Request, card_note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from core.conversation.channels import Channels
    from core.conversation.conversation import Conversation
    from core.jobs import JobRunner
    from core.model.events import Incoming, Turn
    from core.model.requests import JobKind, JobRef, MessageKey
    from core.model.video import Scope
    from core.ports.jobs import Ledger
    from core.ports.retention import ShownMessages
    from core.retention import DepartureGrace
_BYTES_A_SECOND = 250_000
"""Of a video as people post it: a file's size is the only hint at its length."""
_MOST_PRESSES = 1000


@dataclass(frozen=True, slots=True)
class DoorContext:
    """The parts of the product that such a door uses."""

    conversation: Conversation
    channels: Channels
    ledger: Ledger
    runner: JobRunner
    grace: DepartureGrace
    shown_messages: ShownMessages

    @property
    def requests(self) -> RequestLog:
        """Return what writes requests down."""
        return RequestLog(self.runner, self.ledger)


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """Something that is to be done, and was written down."""

    event: Incoming
    key: MessageKey
    job: JobRef | None
    """None for what is done in a moment."""
    written: bool = True
    """False for what changes nothing, and was taken though it could not be written down; and for what is forgotten
    in a copy."""


class RequestLog:
    """Takes up each request once."""

    def __init__(self, runner: JobRunner, ledger: Ledger) -> None:
        self._runner = runner
        self._ledger = ledger

    async def take(self, key: MessageKey, event: Incoming, place: str = "") -> AcceptedRequest | None:
        """Write a request down; None when it was taken up before, unless by a process that died.

        `place` says where its answer stands, for what no message of the asker's leads back to. Raises StorageUnusable.
        """
        request = request_of(key, event, place)
        if request is None:
            return AcceptedRequest(event, key, None) if await self._ledger.begin(key) else None
        try:
            job = await self._runner.accept(request)
        except StorageUnusable as error:
            if not (_is_a_look(event) or (isinstance(error, DatabaseGone) and isinstance(event, Forget))):
                raise
            return AcceptedRequest(event, key, None, written=False)
        return AcceptedRequest(await self._known(event, job.ref), key, job.ref) if job else None

    async def _known(self, event: Incoming, job: JobRef) -> Incoming:
        """Let an event know by what it was written down."""
        match event:
            case LinkPosted() | FilePosted() | RemoteFilePosted() | Action() | Forget() | Switch():
                return replace(event, job=job)
            case Find(picture=PictureFile() as picture):
                return replace(event, picture=await self._runner.kept_picture(job, picture))
            case _:
                return event

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered, well or not. Raises StorageUnusable."""
        if not taken.written:
            return
        if taken.job is None:
            await self._ledger.settle(taken.key)
        else:
            await self._runner.settle(taken.job)

    async def vouch(self, job: JobRef | None) -> None:
        """Note that the person who asked moderates there. Raises StorageUnusable."""
        if job is not None:
            await self._runner.jobs.vouch(job.id)

    async def drop(self, job: JobRef | None) -> None:
        """Note that a request cannot be answered, for nobody hears of it. Raises StorageUnusable."""
        if job is not None:
            await self._runner.drop(job.id)

    async def is_outdone(self, taken: AcceptedRequest, message: str) -> bool:
        """Tell whether a press that draws a message was written down after a request, or the message was taken back.

        No where that cannot be read.
        """
        with suppress(StorageUnusable):
            if await self._ledger.recall(_taken_back(taken.event.turn.scope, message)):
                return True
            return taken.job is not None and await self._runner.jobs.is_outdone(taken.job.id, message)
        return False

    async def note_taken_back(self, scope: Scope, message: str) -> None:
        """Note that a message of Keaton's is taken back; it is, too, where that cannot be written."""
        with suppress(StorageUnusable):
            await self._ledger.remember(_taken_back(scope, message), "1")

    async def answered(self, scope: Scope, message: str, card: str) -> None:
        """Note that a message of Keaton's answers another one, and goes with it. Raises StorageUnusable."""
        if message and card:
            await self._ledger.remember(card_note(scope, message, card), card)

    async def stand(self, taken: AcceptedRequest, place: str, message: str) -> None:
        """Note where the answer stands by now, and as which message. Raises StorageUnusable."""
        if taken.job is not None:
            await self._runner.jobs.stand(taken.job.id, place, message)


def _taken_back(scope: Scope, message: str) -> str:
    return f"{scope.platform}:taken:{scope.space}:{scope.channel}:{message}"


def _is_a_look(event: Incoming) -> bool:
    """Tell whether a press only shows something: that goes on where nothing can be written."""
    return isinstance(event, Action) and event.id.startswith("show:")


def request_of(key: MessageKey, event: Incoming, place: str = "") -> Request | None:  # noqa: PLR0911 - a line each
    """Return what is to be written down of an event; None where it is done in a moment, or asked for by a message.

    What only tells how things stand is asked for again in a moment.
    """
    match event:
        case LinkPosted(turn, url):
            return _request(key, turn, "link", url, "", place)
        case RemoteFilePosted(turn, file):
            length_s = file.size_bytes / _BYTES_A_SECOND if file.size_bytes else None
            return _request(key, turn, "remote", file.key, file.name, place, length_s)
        case FilePosted(turn, path, name):
            length_s = path.stat().st_size / _BYTES_A_SECOND if path.is_file() else None
            return _request(key, turn, "file", path_text(path), name, place, length_s)
        case Find(turn, text, video):
            picture = event.picture.path if event.picture else None
            request = _request(key, turn, "find", text, video or "", place)
            return replace(request, picture=str(picture)) if picture else request
        case Action(turn, pressed) if place:
            return replace(
                _request(key, turn, "press", pressed, "", place), under=event.under if draws(pressed) else ""
            )
        case Forget(turn, name):
            return _request(key, turn, "forget", name, "", place)
        case Switch(turn, on):
            return _request(key, turn, "switch", "on" if on else "off", turn.scope.channel, place)
        case _:
            return None


def event_of(request: Request, turn: Turn) -> LinkPosted | Action | Forget | Switch | None:
    """Return what a request asks for, the other way round; None where that takes more than stands in it."""
    match request.kind:
        case "link":
            return LinkPosted(turn, request.source)
        case "press":
            return Action(turn, request.source, under=request.under)
        case "forget":
            return Forget(turn, request.source)
        case "switch":
            return Switch(turn, request.source == "on")
        case _:
            return None


def _request(
    key: MessageKey, turn: Turn, kind: JobKind, source: str, name: str, place: str, length_s: float | None = None
) -> Request:
    who = turn.user_id, turn.user_name, turn.message, turn.message_url
    may_cancel = turn.moderator or not turn.door.shared
    return Request(key, kind, source, name, *who, place, length_s, moderator=may_cancel)


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
        """Return the turn to draw a message, by its id or "" where that is not known, and whether that may still be."""
        ...


class Unnumbered:
    """The turn of what was not written down, and is drawn where nobody presses."""

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
        """Return the say of a request, at once when it was taken: for a press counts from then on."""
        turn = _Numbered(self, taken, self._number(taken))
        if isinstance(taken.event, Action) and draws(taken.event.id):
            self._count(_key(taken.event.turn.scope, taken.event.under), turn.number)
        return turn

    def _number(self, taken: AcceptedRequest) -> tuple[int, int]:
        """Order requests as they were written down; one that could not be comes behind all that were."""
        last, unwritten = self._reached
        mine = (taken.job.id, 0) if taken.job else (last, unwritten + 1)
        self._reached = max(self._reached, mine)
        return mine

    def _count(self, key: str, number: tuple[int, int]) -> None:
        self._newest[key] = max(number, self._newest.get(key, number))
        self._newest.move_to_end(key)
        while len(self._newest) > _MOST_PRESSES:
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
    """The turn of one request."""

    order: DrawOrder
    taken: AcceptedRequest
    number: tuple[int, int]

    @asynccontextmanager
    async def at(self, message: str) -> AsyncIterator[bool]:
        """Yield the turn to draw a message."""
        if not message:
            yield True
            return
        async with self.order.turn(self.taken, self.number, message) as may:
            yield may


def _key(scope: Scope, message: str) -> str:
    return f"{scope.space}:{scope.channel}:{message}"
