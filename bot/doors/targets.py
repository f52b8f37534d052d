"""Where replies appear: what all targets do beside showing, and the target of a press.

A target records which videos its message shows, and ends a request once it is answered. A `SavedTarget` is stored with
the request, so that a later run can answer in the same place.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from bot.doors.delivery import NotNow, Refused
from core.errors import StorageUnusable
from core.model.events import Action, Find

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.doors.delivery import ReplyTarget
    from bot.doors.requests import AcceptedRequest
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.retention import ShownMessages


class Ends(Protocol):
    """Ends requests."""

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered."""
        ...


class SettlingTarget:
    """A target of an accepted request, which is answered as soon as a reply is no progress.

    What may come after that (a finer peak) is not worth an answer that people have begun to browse by the next start.
    """

    def __init__(self, place: ReplyTarget, requests: Ends, taken: AcceptedRequest) -> None:
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


class TidyingEnds:
    """Ends requests once something else is seen to, which else would be left behind by a crash between the two."""

    def __init__(self, tidy: Callable[[], Awaitable[None]], ends: Ends) -> None:
        self._tidy = tidy
        self._ends = ends

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered."""
        await self._tidy()
        await self._ends.end(taken)


class VisibleTarget(Protocol):
    """A target that knows its message."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return the ids of the message and of its files; "" where it is not posted, or for one person alone."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        ...


class RecordingTarget:
    """A target that records which videos it shows."""

    def __init__(self, place: VisibleTarget, shown_messages: ShownMessages, scope: Scope) -> None:
        self._place = place
        self._shown_messages = shown_messages
        self._scope = scope

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply, self._place.post)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply, self._place.edit)

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        """Note what is shown before it is, where the message is known, and after: forgetting finds the note."""
        noted = ""
        with suppress(StorageUnusable):  # what only shows something goes on where nothing can be written
            noted = await self._note(reply)
        await draw(reply)
        await self._note(reply, noted)

    async def _note(self, reply: Reply, noted: str = "") -> str:
        message, files = self._place.seen_by_all
        if not reply.videos or not message or reply.private:
            return ""
        await self._shown_messages.show(self._scope, message, reply.videos, files, is_noted=message == noted)
        return message


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """What a later run must know to answer in the same place; fields may be added, with defaults."""

    def json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `json` returned, in this version or an earlier one."""
        return cls(**json.loads(text or "{}"))


@dataclass(slots=True)
class PressTarget(ABC):
    """Shows the replies to a press: in the message with the button, in one of its own, or to the presser alone."""

    failures: ClassVar[tuple[type[Exception], ...]]
    """What the platform's library raises."""

    _under_way: Reply | None = field(default=None, init=False)
    """What the message that holds the button shows as under way."""
    _is_answered: bool = field(default=False, init=False)
    """What this press has to say stands in the message of its own."""

    @abstractmethod
    async def redraw(self, reply: Reply) -> None:
        """Show a reply in the message that holds the button."""

    @abstractmethod
    async def tell(self, reply: Reply) -> None:
        """Show a reply to the presser alone."""

    @abstractmethod
    async def speak(self, reply: Reply) -> None:
        """Show a reply to all, in a message of its own."""

    @abstractmethod
    async def withdraw(self) -> None:
        """Take the message of its own back, where there is one."""

    def is_for_one(self, reply: Reply) -> bool:
        """Tell whether the presser alone may see a reply."""
        return reply.private

    async def route(self, reply: Reply) -> None:
        """Show a reply where it belongs; raises what the platform raises."""
        if reply.updates:
            await self.redraw(reply)
        elif self.is_for_one(reply):
            await self._break_off()
            await self.tell(reply)
        else:
            await self.speak(reply)
            self._is_answered = reply.progress is None
        self._under_way = reply if reply.updates and reply.progress else None

    async def _break_off(self) -> None:
        """Let nothing be shown as under way, as far as the platform lets: the presser is told what came of it."""
        with suppress(StorageUnusable, Refused, NotNow, *self.failures):
            if not self._is_answered:
                await self.withdraw()
            if self._under_way is not None:
                await self.redraw(replace(self._under_way, progress=None))
