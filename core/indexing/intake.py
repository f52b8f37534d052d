"""Answers posted videos: checks limits, has them indexed, and reports progress and result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias, assert_never

from core.concurrency import reported
from core.errors import FilmForgotten
from core.model.events import FilePosted, LinkPosted, RemoteFilePosted
from core.model.reply import Progress
from core.model.requests import Poster
from core.model.video import Indexed, View
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.indexing.indexer import Indexer
    from core.jobs import JobRunner
    from core.model.events import Turn
    from core.model.reply import Reply
    from core.ports.library import Encoder, Library
    from core.ports.video import Plotter
    from core.rate_limit import RateLimit

    Work = Callable[[Callable[[Progress], None]], Awaitable[Indexed]]

Posted: TypeAlias = LinkPosted | FilePosted | RemoteFilePosted


class Intake:
    """Answers posted videos."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        plotter: Plotter,
        indexer: Indexer,
        cooldown: RateLimit,
        foreman: JobRunner,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._plotter = plotter
        self._indexer = indexer
        self._cooldown = cooldown
        self._foreman = foreman

    async def take_in(self, event: Posted) -> AsyncIterator[Reply]:
        """Give a reply for each step, then one that shows the video; raises AppError."""
        try:
            async for reply in self._course(event):
                yield reply
        except Exception as error:
            await self._foreman.fail(event.job, error)
            raise

    async def _course(self, event: Posted) -> AsyncIterator[Reply]:
        turn, job = event.turn, event.job
        self._cooldown.start(turn)
        with self._cooldown.place(turn):
            if not self._encoder.loaded:
                yield replies.working(Progress("loading", None), job)
            async for news in reported(partial(self._foreman.carry_out, job, self._work(event))):
                match news:
                    case Progress():
                        yield replies.working(news, job)
                    case Indexed():
                        yield await self._shown(news, turn)

    def _work(self, event: Posted) -> Work:
        turn = event.turn
        who = Poster(turn.scope, turn.user_id, turn.user_name, turn.message, turn.message_url, event.job)
        match event:
            case LinkPosted():
                return lambda report: self._indexer.link(event.url, who, report)
            case FilePosted():
                return lambda report: self._indexer.file(event.path, event.name, event.url, who, report)
            case RemoteFilePosted():
                return lambda report: self._indexer.remote(event.file, who, report)
            case _:
                assert_never(event)

    async def _shown(self, result: Indexed, turn: Turn) -> Reply:
        thumbnails = await self._library.thumbnails(result.video.id)
        sheet = await self._plotter.sheet(thumbnails) if thumbnails else None
        if await self._library.posting(result.video.id, View.of(turn.scope)) is None:
            raise FilmForgotten
        return replies.indexed(result, sheet, turn)
