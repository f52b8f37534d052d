"""Switching a channel on and off, how it stands, and what a deleted or edited message takes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotForGuests
from core.wording import replies

if TYPE_CHECKING:
    from core.jobs import JobRunner
    from core.model.events import MessageDeleted, MessageEdited, Status, Switch
    from core.model.reply import Reply
    from core.model.video import Scope
    from core.ports.jobs import Ledger
    from core.ports.library import Encoder, Library, Media


class Channels:
    """Knows where Keaton looks at what is posted."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        media: Media,
        encoder: Encoder,
        foreman: JobRunner,
        *,
        on_by_default: bool,
    ) -> None:
        self._ledger = ledger
        self._library = library
        self._media = media
        self._encoder = encoder
        self._foreman = foreman
        self._on_by_default = on_by_default

    async def is_on(self, scope: Scope) -> bool:
        """Tell whether what is posted in a channel is looked at without being asked."""
        return await self._ledger.is_on(scope, by_default=self._on_by_default)

    async def switch(self, event: Switch) -> tuple[Reply, ...]:
        """Switch a channel, unless somebody has switched it since; say how it stands. Raises NotForGuests."""
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

    async def forget_message(self, event: MessageDeleted) -> tuple[Reply, ...]:
        """Forget what only a deleted message brought in; there is nothing to say to that.

        First its answers are noted to be removed: once its requests have ended, nothing else leads a next run there.
        """
        await self._ledger.take_cards_back(event.turn.scope, event.turn.message)
        await self._foreman.cancel_message(event.turn.scope, event.turn.message)
        gone = await self._ledger.retract(event.turn.scope, event.turn.message)
        await self._foreman.break_off()
        for video_id in gone:
            await self._foreman.forget(video_id)
        return ()

    async def forget_rest(self, event: MessageEdited) -> tuple[Reply, ...]:
        """Take back what an edited message does not bring any more; there is nothing to say to that."""
        scope, message = event.turn.scope, event.turn.message
        if not await self._ledger.brought(scope, message):
            return ()
        await self._foreman.cancel_others(scope, message, event.items)
        gone = await self._ledger.retract_others(scope, message, event.items)
        await self._foreman.break_off()
        for video_id in gone:
            await self._foreman.forget(video_id)
        return ()
