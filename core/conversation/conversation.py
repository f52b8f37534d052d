"""Answers each event with a stream of replies, each of which replaces the one before."""

from __future__ import annotations

import secrets
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from core.errors import AnswerGone, AppError, QueueFull, TooFast
from core.model import actions
from core.model.answer import Answer, as_of
from core.model.events import (
    Action,
    FilePosted,
    Find,
    Forget,
    Help,
    LeftOut,
    LinkPosted,
    ListVideos,
    MessageDeleted,
    MessageEdited,
    RemoteFilePosted,
    Status,
    Switch,
    Unclear,
)
from core.model.reply import Progress
from core.search.resolve import within
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable

    from core.answers.browser import Browser
    from core.answers.presses import Presser
    from core.concurrency import ForegroundPriority
    from core.conversation.channels import Channels, Invitations
    from core.indexing.intake import Intake
    from core.indexing.reindex import Renewal
    from core.jobs import JobRunner
    from core.model.events import Incoming, Turn
    from core.model.query import Query
    from core.model.reply import Reply
    from core.model.video import Video, View
    from core.ports.library import Encoder, Library
    from core.ports.metrics import Watch
    from core.rate_limit import RateLimit
    from core.refinement.extra_frames import Examples
    from core.refinement.refiner import Refiner
    from core.retention import Forgetting
    from core.search.resolve import Inquiry
    from core.search.searcher import Searcher
    from core.wording.lists import VideoList

MOST_MOMENTS = 5
_MOST_NOTES = 3


class Conversation:
    """Answers each Incoming with a stream of replies, each of which replaces the one before."""

    def __init__(
        self,
        library: Library,
        forgetting: Forgetting,
        encoder: Encoder,
        taking: Intake,
        searcher: Searcher,
        browser: Browser,
        channels: Channels,
        cooldown: RateLimit,
        renewal: Renewal,
        foreman: JobRunner,
        *,
        examples: Examples,
        inquiry: Inquiry,
        presser: Presser,
        watch: Watch,
        refiner: Refiner,
        courtesy: ForegroundPriority,
        invitations: Invitations,
        catalogue: VideoList,
    ) -> None:
        self._library = library
        self._forgetting = forgetting
        self._encoder = encoder
        self._taking = taking
        self._searcher = searcher
        self._browser = browser
        self._channels = channels
        self._cooldown = cooldown
        self._renewal = renewal
        self._foreman = foreman
        self._examples = examples
        self._inquiry = inquiry
        self._presser = presser
        self._watch = watch
        self._refiner = refiner
        self._courtesy = courtesy
        self._invitations = invitations
        self._catalogue = catalogue

    async def handle(self, event: Incoming) -> AsyncIterator[Reply]:
        """Give the replies; what Keaton expects to go wrong becomes one, only a bug escapes."""
        with self._watch.turn(type(event).__name__, event.turn.door.platform):
            try:
                async for reply in self._course(event):
                    yield reply
            except AppError as error:
                self._watch.problem(type(error).__name__)
                is_told = isinstance(error, TooFast | QueueFull) and self._cooldown.is_told(event.turn)
                yield replace(replies.problem(error), repeats=is_told)

    async def suggest(self, view: View, typed: str, most: int = 25) -> tuple[Video, ...]:
        """Give videos that somebody may mean while typing a name, the best fitting first; asks the library alone."""
        return await self._library.matching(view, typed, most)

    def _course(self, event: Incoming) -> AsyncIterator[Reply]:  # noqa: C901, PLR0911, PLR0912 - a line each
        match event:
            case LinkPosted() | FilePosted() | RemoteFilePosted():
                return self._taking.take_in(event)
            case MessageEdited():
                return _each(self._channels.forget_rest(event))
            case MessageDeleted():
                return _each(self._channels.forget_message(event))
            case Find():
                return self._find(event)
            case Action():
                return self._press(event)
            case ListVideos():
                return self._videos(event)
            case Forget():
                return _each(self._forgetting.take_back(event))
            case Switch():
                return _each(self._channels.switch(event))
            case Status():
                return _each(self._channels.status(event))
            case Help():
                return _once(replies.help_text(event.turn.door))
            case LeftOut():
                return _once(replies.left_out(event))
            case Unclear():
                return _once(replies.unclear(event.turn.door, event.text))
            case _:
                assert_never(event)

    async def _find(self, event: Find) -> AsyncIterator[Reply]:
        turn = event.turn
        self._cooldown.start(turn)
        if not self._encoder.loaded:
            yield replies.working(Progress("loading", None))
        with self._courtesy.asking():
            picture = await self._examples.of(event.picture) if event.picture else None
            query = await self._inquiry.query(event, picture)
            stale = await self._renewal.stale(query)
            is_ready = await self._searcher.can_answer(query)
        if is_ready:
            self._renewal.start(stale)
        else:
            async for posted, progress in self._renewal.until_one(stale):
                yield replies.renewing(posted.video, progress)
            stale = await self._renewal.stale(query)
        async for reply in self._answer(turn, query, len(stale)):
            yield reply

    async def _answer(self, turn: Turn, query: Query, under_way: int) -> AsyncIterator[Reply]:
        with self._courtesy.asking():
            looking = await self._searcher.under_way(query)
            with self._watch.stage("search"):
                result = await self._searcher.search(query, MOST_MOMENTS)
            answer = Answer(secrets.token_urlsafe(12), query, turn.scope, result.moments, turn.user_id)
            await self._library.save_answer(answer, result.curves)
            notes = [replies.so_far(*video) for video in looking[:_MOST_NOTES]]
            notes += [replies.still_renewing(under_way)] if under_way else []
            notes += [replies.from_storage(result.from_storage)] if result.from_storage else []
            await self._refiner.begin_check(answer, result.curve)
            wish, note = actions.Show(answer.id, 1), "\n".join(notes)
            first = await self._browser.first(turn, answer, wish, result.curve, note)
        yield first
        better = await self._refiner.best(answer, result.curve)
        if better is not None:
            yield await self._browser.first(turn, better, wish, result.curve, note)

    async def _press(self, event: Action) -> AsyncIterator[Reply]:
        wish = actions.read(event.id)
        if isinstance(wish, actions.Cancel):
            if not await self._foreman.cancel(wish.job_id, event.turn):
                yield replies.cancelled()
            return
        if isinstance(wish, actions.Page):
            yield await self._catalogue.page(event.turn, wish.number, updates=True)
            return
        self._refiner.touched(wish.answer_id)
        answer = await self._library.answer(wish.answer_id)
        if answer is None:
            raise AnswerGone
        revision = 0 if isinstance(wish, actions.Refine) else wish.revision
        mine = await self._allowed(as_of(answer, revision), event.turn)
        match wish:
            case actions.Show():
                shown = self._shown(event.turn, mine, wish)
            case actions.VoteAction():
                shown = self._presser.vote(event.turn, mine, wish, event.job)
            case actions.Alike():
                shown = self._alike(event.turn, mine, wish)
            case actions.Refine():
                shown = self._invite(event, mine)
            case _:
                assert_never(wish)
        async for reply in shown:
            yield reply

    async def _shown(self, turn: Turn, answer: Answer, wish: actions.Show) -> AsyncIterator[Reply]:
        presses, is_provisional = self._refiner.presses(answer.id), False
        with nullcontext() if wish.mode == "file" else self._courtesy.asking():
            async for reply in self._browser.show(turn, answer, wish):
                is_provisional = reply.provisional
                yield reply
        if not is_provisional:
            return
        await self._refiner.settled(answer.id)
        known = await self._library.answer(answer.id)
        if known is not None and self._refiner.presses(answer.id) == presses:
            checked = replace(as_of(known, answer.revision), query=answer.query)
            async for reply in self._browser.show(turn, checked, wish):
                yield reply

    async def _alike(self, turn: Turn, answer: Answer, wish: actions.Alike) -> AsyncIterator[Reply]:
        self._cooldown.press(turn)
        async for reply in self._answer(turn, await self._presser.alike(answer, wish), 0):
            yield reply

    async def _invite(self, event: Action, answer: Answer) -> AsyncIterator[Reply]:
        await self._invitations.invite(event.turn.scope, event.turn.user_id, answer.id, event.under)
        yield replies.refining()

    async def _allowed(self, answer: Answer, turn: Turn) -> Answer:
        """Narrow an answer to what may be seen there now; raises AnswerGone where that lacks any of its videos."""
        narrowed = replace(answer, query=within(answer, turn))
        shown = {moment.video_id for moment in answer.moments}
        hidden = {one for one in shown if await self._library.posting(one, narrowed.query.view) is None}
        if hidden and hidden - {video.id for video, _ in await self._searcher.under_way(narrowed.query)}:
            raise AnswerGone
        return narrowed

    async def _videos(self, event: ListVideos) -> AsyncIterator[Reply]:
        yield await self._catalogue.page(event.turn, 1)


async def _once(reply: Reply) -> AsyncIterator[Reply]:
    yield reply


async def _each(some: Awaitable[Iterable[Reply]]) -> AsyncIterator[Reply]:
    for reply in await some:
        yield reply
