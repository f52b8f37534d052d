"""A channel's settings: whether what is posted there is indexed, and who may refine which answer by a reply.

Who pressed *Refine* under an answer is invited: their next reply there is taken as words to add to its query. An
invitation lasts ten minutes and is good for one reply; other replies to an answer are people talking.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from core.errors import NotForGuests
from core.limits import INVITED_S
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model.events import Status, Switch
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.jobs import Ledger
    from core.ports.library import Encoder, Library


class Channels:
    """Which channels are switched on, and how things stand there."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        encoder: Encoder,
        *,
        on_by_default: bool,
    ) -> None:
        self._ledger = ledger
        self._library = library
        self._encoder = encoder
        self._on_by_default = on_by_default

    async def is_on(self, scope: Scope) -> bool:
        """Tell whether what is posted in a channel is indexed without being asked."""
        return await self._ledger.is_on(scope, by_default=self._on_by_default)

    async def switch(self, event: Switch) -> tuple[Reply, ...]:
        """Switch a channel, unless it was switched since; say how it stands. Raises NotForGuests."""
        if event.turn.guest:
            raise NotForGuests
        on = await self._ledger.switch(event.turn.scope, on=event.on, job=event.job)
        return (replies.switched(on=on, since=on != event.on),)

    async def status(self, event: Status) -> tuple[Reply, ...]:
        """Say how things stand in a channel."""
        videos = await self._library.count(event.turn.view)
        on = await self.is_on(event.turn.scope)
        model = (await self._encoder.ready()).model if self._encoder.loaded else ""
        return (replies.status(event, videos, model, on=on),)


_CLOCKS_DIFFER_S: Final = 60.0
"""A platform's clock, by which messages are dated, and ours."""
_NOTES: Final = "refine:"


class Invitations:
    """Remembers one invitation for each person in each channel, across restarts."""

    def __init__(self, ledger: Ledger, time_s: Callable[[], float]) -> None:
        self._ledger = ledger
        self._time_s = time_s
        self._accepting = asyncio.Lock()
        """Of two replies that come at once, one is told that the other was taken."""

    async def invite(self, scope: Scope, user_id: str, answer_id: str, under: str) -> None:
        """Note that *Refine* was pressed under a message. Raises StorageUnusable.

        `under` is the platform's id of the message whose replies count, or "" for any message of Keaton's there.
        """
        now_s = self._time_s()
        for name, text in await self._ledger.notes(_NOTES):
            if float(text.split()[1]) < now_s - INVITED_S - _CLOCKS_DIFFER_S:
                await self._ledger.remember(name, "")
        await self._ledger.remember(_note(scope, user_id), f"{answer_id} {now_s:.3f} {under or '-'} -")

    async def accept(self, scope: Scope, user_id: str, under: str, message: str, at_s: float) -> str:
        """Return the answer that a reply refines, or "" where nobody asked for it. Raises StorageUnusable.

        `at_s` is when the reply was written, in seconds since 1970. The same reply may ask again; a second one may not.
        """
        async with self._accepting:
            return await self._accept(_note(scope, user_id), under, message, at_s)

    async def _accept(self, name: str, under: str, message: str, at_s: float) -> str:
        text = await self._ledger.recall(name)
        if not text:
            return ""
        answer_id, since, where, taken = text.split()
        is_in_time = -_CLOCKS_DIFFER_S <= at_s - float(since) <= INVITED_S
        if not is_in_time or where not in {"-", under} or taken not in {"-", message}:
            return ""
        if taken == "-":
            await self._ledger.remember(name, f"{answer_id} {since} {where} {message}")
        return answer_id


def _note(scope: Scope, user_id: str) -> str:
    return f"{_NOTES}{scope.platform}:{scope.space}:{scope.channel}:{user_id}"
