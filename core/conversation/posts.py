"""What is posted: videos are indexed with progress and result told; edited and deleted messages take theirs back."""

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
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from core.indexing.indexer import Indexer
    from core.jobs import JobRunner
    from core.model.events import MessageDeleted, MessageEdited, Turn
    from core.model.reply import Reply
    from core.ports.jobs import Ledger
    from core.ports.library import Encoder, Library
    from core.ports.video import Plotter
    from core.rate_limit import RateLimit

    Work = Callable[[Callable[[Progress], None]], Awaitable[Indexed]]

Posted: TypeAlias = LinkPosted | FilePosted | RemoteFilePosted


class Posts:
    """Takes in posted videos, and takes back what a message does not bring any more."""

    def __init__(
        self,
        library: Library,
        ledger: Ledger,
        encoder: Encoder,
        plotter: Plotter,
        indexer: Indexer,
        rate_limit: RateLimit,
        runner: JobRunner,
    ) -> None:
        self._library = library
        self._ledger = ledger
        self._encoder = encoder
        self._plotter = plotter
        self._indexer = indexer
        self._rate_limit = rate_limit
        self._runner = runner

    async def take_in(self, event: Posted) -> AsyncIterator[Reply]:
        """Yield a reply for each step, then one that shows the video; raises AppError."""
        try:
            async for reply in self._course(event):
                yield reply
        except Exception as error:
            await self._runner.fail(event.job, error)
            raise

    async def deleted(self, event: MessageDeleted) -> tuple[Reply, ...]:
        """Forget what only a deleted message brought in; there is nothing to say to that.

        First its answers are noted to be removed: once its requests have ended, nothing else leads a next run there.
        """
        scope, message = event.turn.scope, event.turn.message
        await self._ledger.take_cards_back(scope, message)
        await self._runner.cancel_message(scope, message)
        await self._let_go(await self._ledger.retract(scope, message))
        return ()

    async def edited(self, event: MessageEdited) -> tuple[Reply, ...]:
        """Forget what an edited message does not bring any more; there is nothing to say to that."""
        scope, message = event.turn.scope, event.turn.message
        if await self._ledger.brought(scope, message):
            await self._runner.cancel_others(scope, message, event.items)
            await self._let_go(await self._ledger.retract_others(scope, message, event.items))
        return ()

    async def _let_go(self, video_ids: Iterable[str]) -> None:
        await self._runner.break_off()
        for video_id in video_ids:
            await self._runner.forget(video_id)

    async def _course(self, event: Posted) -> AsyncIterator[Reply]:
        turn, job = event.turn, event.job
        self._rate_limit.start(turn)
        with self._rate_limit.place(turn):
            if not self._encoder.loaded:
                yield replies.working(Progress("loading", None), job)
            async for news in reported(partial(self._runner.carry_out, job, self._work(event))):
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
