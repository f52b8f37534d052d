"""Writes down what somebody asks a door for, before it is acknowledged, and ends it. Must not know any platform."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from core.actions import draws
from core.errors.disk import StorageUnusable
from core.jobs import Request
from core.ledger import card_note
from core.links import path_text
from core.talk import Action, FilePosted, Find, Forget, LinkPosted, PictureFile, RemoteFilePosted, Switch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.delivery import Shown
    from core.foreman import Foreman
    from core.jobs import JobKind
    from core.ledger import Errand, Ledger
    from core.model import Scope
    from core.shown import Reply
    from core.talk import Incoming, JobRef, Turn

_BYTES_A_SECOND = 250_000
"""Of a film as people post it: a file's size is the only hint at its length."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that is to be done, and was written down."""

    event: Incoming
    errand: Errand
    job: JobRef | None
    """None for what is done in a moment."""
    written: bool = True
    """False for what changes nothing, and was taken though there was no room to write it down."""


class Ends(Protocol):
    """Ends requests."""

    async def end(self, taken: Taken) -> None:
        """Note that a request was answered."""
        ...


class Requests:
    """Takes up each request once."""

    def __init__(self, foreman: Foreman, ledger: Ledger) -> None:
        self._foreman = foreman
        self._ledger = ledger

    async def take(self, errand: Errand, event: Incoming, place: str = "") -> Taken | None:
        """Write a request down; None when it was taken up before, unless by a process that died.

        `place` says where its answer stands, for what no message of the asker's leads back to. Raises StorageUnusable.
        """
        request = request_of(errand, event, place)
        if request is None:
            return Taken(event, errand, None) if await self._ledger.begin(errand) else None
        try:
            job = await self._foreman.accept(request)
        except StorageUnusable:
            if not _is_a_look(event):
                raise
            return Taken(event, errand, None, written=False)
        return Taken(await self._known(event, job.ref), errand, job.ref) if job else None

    async def _known(self, event: Incoming, job: JobRef) -> Incoming:
        """Let an event know by what it was written down."""
        match event:
            case LinkPosted() | FilePosted() | RemoteFilePosted() | Action() | Forget() | Switch():
                return replace(event, job=job)
            case Find(picture=PictureFile() as picture):
                return replace(event, picture=await self._foreman.kept_picture(job, picture))
            case _:
                return event

    async def end(self, taken: Taken) -> None:
        """Note that a request was answered, well or not. Raises StorageUnusable."""
        if not taken.written:
            return
        if taken.job is None:
            await self._ledger.settle(taken.errand)
        else:
            await self._foreman.settle(taken.job)

    async def vouch(self, job: JobRef | None) -> None:
        """Note that whoever asked moderates there. Raises StorageUnusable."""
        if job is not None:
            await self._foreman.vouch(job)

    async def drop(self, job: JobRef | None) -> None:
        """Note that a request cannot be answered, for nobody hears of it. Raises StorageUnusable."""
        if job is not None:
            await self._foreman.drop(job)

    async def is_outdone(self, taken: Taken, message: str) -> bool:
        """Tell whether a press that draws a message was written down after a request; no where that cannot be read."""
        with suppress(StorageUnusable):
            return taken.job is not None and await self._foreman.is_outdone(taken.job, message)
        return False

    async def answered(self, scope: Scope, message: str, card: str) -> None:
        """Note that a message of Keaton's answers another one, and goes with it. Raises StorageUnusable."""
        if message and card:
            await self._ledger.remember(card_note(scope, message, card), card)

    async def stand(self, taken: Taken, place: str, message: str) -> None:
        """Note where the answer stands by now, and as which message. Raises StorageUnusable."""
        if taken.job is not None:
            await self._foreman.stand(taken.job, place, message)


class Answered:
    """A place for the replies to something that was written down, which is answered as soon as one is no progress.

    What may come after that (a finer peak) is not worth an answer that people have begun to browse by the next start.
    """

    def __init__(self, place: Shown, requests: Ends, taken: Taken) -> None:
        self._place = place
        self._requests = requests
        self._taken = taken

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._place.post(reply)
        await self._end(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._place.edit(reply)
        await self._end(reply)

    async def _end(self, reply: Reply) -> None:
        if reply.progress is None and not reply.provisional and isinstance(self._taken.event, Find | Action):
            await self._requests.end(self._taken)


class Tidied:
    """Ends requests once something else is seen to, which else would be left behind by a crash between the two."""

    def __init__(self, tidy: Callable[[], Awaitable[None]], ends: Ends) -> None:
        self._tidy = tidy
        self._ends = ends

    async def end(self, taken: Taken) -> None:
        """Note that a request was answered."""
        await self._tidy()
        await self._ends.end(taken)


def _is_a_look(event: Incoming) -> bool:
    """Tell whether a press only shows something: that goes on where nothing can be written."""
    return isinstance(event, Action) and event.id.startswith("show:")


def request_of(errand: Errand, event: Incoming, place: str = "") -> Request | None:  # noqa: PLR0911 - a line each
    """Give what is to be written down of an event; None where it is done in a moment, or asked for by a message.

    What only tells how things stand is asked for again in a moment.
    """
    match event:
        case LinkPosted(turn, url):
            return _request(errand, turn, "link", url, "", place)
        case RemoteFilePosted(turn, file):
            length_s = file.size_bytes / _BYTES_A_SECOND if file.size_bytes else None
            return _request(errand, turn, "remote", file.key, file.name, place, length_s)
        case FilePosted(turn, path, name):
            length_s = path.stat().st_size / _BYTES_A_SECOND if path.is_file() else None
            return _request(errand, turn, "file", path_text(path), name, place, length_s)
        case Find(turn, text, video):
            picture = event.picture.path if event.picture else None
            request = _request(errand, turn, "find", text, video or "", place)
            return replace(request, picture=str(picture)) if picture else request
        case Action(turn, pressed) if place:
            return replace(
                _request(errand, turn, "press", pressed, "", place), under=event.under if draws(pressed) else ""
            )
        case Forget(turn, name):
            return _request(errand, turn, "forget", name, "", place)
        case Switch(turn, on):
            return _request(errand, turn, "switch", "on" if on else "off", turn.scope.channel, place)
        case _:
            return None


def event_of(request: Request, turn: Turn) -> LinkPosted | Action | Forget | Switch | None:
    """Give what a request asks for, the other way round; None where that takes more than stands in it."""
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
    errand: Errand, turn: Turn, kind: JobKind, source: str, name: str, place: str, length_s: float | None = None
) -> Request:
    who = turn.user_id, turn.user_name, turn.message, turn.message_url
    may_cancel = turn.moderator or not turn.door.shared
    return Request(errand, kind, source, name, *who, place, length_s, moderator=may_cancel)
