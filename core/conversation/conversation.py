"""Answers each event with a stream of replies, each of which replaces the one before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from core.errors import AppError, QueueFull, TooFast
from core.model import actions
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
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable

    from core.conversation.channels import Channels
    from core.conversation.posts import Posts
    from core.conversation.presses import PressHandler
    from core.conversation.questions import Questions
    from core.jobs import JobRunner
    from core.model.events import Incoming
    from core.model.reply import Reply
    from core.ports.metrics import Watch
    from core.rate_limit import RateLimit
    from core.retention import Forgetting
    from core.wording.lists import VideoList


class Conversation:
    """Hands each event on to the part of the core that answers it, and makes expected errors replies."""

    def __init__(
        self,
        posts: Posts,
        questions: Questions,
        presses: PressHandler,
        channels: Channels,
        forgetting: Forgetting,
        videos: VideoList,
        runner: JobRunner,
        rate_limit: RateLimit,
        watch: Watch,
    ) -> None:
        self._posts = posts
        self._questions = questions
        self._presses = presses
        self._channels = channels
        self._forgetting = forgetting
        self.videos = videos
        """Also suggests titles while a name is typed."""
        self._runner = runner
        self._rate_limit = rate_limit
        self._watch = watch

    async def handle(self, event: Incoming) -> AsyncIterator[Reply]:
        """Yield the replies; an expected error becomes one, only a bug escapes."""
        with self._watch.turn(type(event).__name__, event.turn.door.platform):
            try:
                async for reply in self._replies(event):
                    yield reply
            except AppError as error:
                self._watch.problem(type(error).__name__)
                is_told = isinstance(error, TooFast | QueueFull) and self._rate_limit.is_told(event.turn)
                yield replace(replies.problem(error), repeats=is_told)

    def _replies(self, event: Incoming) -> AsyncIterator[Reply]:  # noqa: C901, PLR0911, PLR0912 - a line each
        match event:
            case LinkPosted() | FilePosted() | RemoteFilePosted():
                return self._posts.take_in(event)
            case MessageEdited():
                return _each(self._posts.edited(event))
            case MessageDeleted():
                return _each(self._posts.deleted(event))
            case Find():
                return self._questions.find(event)
            case Action():
                return self._press(event)
            case ListVideos():
                return _one(self.videos.page(event.turn, 1))
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

    async def _press(self, event: Action) -> AsyncIterator[Reply]:
        wish = actions.read(event.id)
        match wish:
            case actions.Cancel():
                if not await self._runner.cancel(wish.job_id, event.turn):
                    yield replies.cancelled()
            case actions.Page():
                yield await self.videos.page(event.turn, wish.number, updates=True)
            case _:
                async for reply in self._presses.press(event, wish):
                    yield reply


async def _once(reply: Reply) -> AsyncIterator[Reply]:
    yield reply


async def _one(some: Awaitable[Reply]) -> AsyncIterator[Reply]:
    yield await some


async def _each(some: Awaitable[Iterable[Reply]]) -> AsyncIterator[Reply]:
    for reply in await some:
        yield reply
