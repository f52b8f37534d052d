"""Notes where films are shown on Slack: beside messages, as files in their threads. Must not know what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.showing import Noted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.pictures import Pictures
    from bot.slack.whispers import Whisper
    from core.model import Scope
    from core.showcase import Showcase
    from core.shown import Reply

_FILE = "file:"


class Place(Protocol):
    """A place that tells which files it brought into a thread."""

    beside: tuple[str, ...]

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the ts of the message and the ids of its files, or "" where it is for one person's eyes."""
        ...

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        ...


class Whispering(Place, Protocol):
    """A place that can show something to the asker alone, too."""

    @property
    def whisper(self) -> Whisper:
        """Give the way to do so."""
        ...


class NotedFiles(Noted):
    """A place that notes which films it shows, in its message and below it."""

    def __init__(self, place: Place, showcase: Showcase, scope: Scope, pictures: Pictures) -> None:
        super().__init__(place, showcase, scope)
        self._files_of, self._shown_in = place, (showcase, scope)
        self._pictures = pictures

    async def _show(self, reply: Reply, draw: Callable[[Reply], Awaitable[None]]) -> None:
        await super()._show(reply, draw)
        await self._pictures.settled((*self._files_of.seen_by_all[1], *self._files_of.beside))

    async def _note(self, reply: Reply, noted: str = "") -> str:
        message = await super()._note(reply, noted)
        showcase, scope = self._shown_in
        for file_id in self._files_of.beside if reply.films else ():
            await showcase.show(scope, _FILE + file_id, reply.films, (file_id,))
        return message


def is_file(message: str) -> bool:
    """Tell whether what was noted is a file of its own, and no message that could be changed."""
    return message.startswith(_FILE)
