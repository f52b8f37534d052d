"""Heavy computing beside the event loop. Owns the thread pool's discipline; must not know what is computed."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from core.courtesy import BATCH_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from core.courtesy import Courtesy
    from core.engines.clip import Clip
    from core.model import EncoderInfo, Floats, Pixels

P = ParamSpec("P")
T = TypeVar("T")

_NICENESS = 10
"""A tenth of the processor while others want it, all of it else."""


def _giving_way(work: Callable[[], T]) -> T:
    """Work while others have the processor before this thread, and before those that it starts from now on.

    Only Linux knows that of threads. It cannot be taken back, so the thread must be there for such work alone.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    return work()


class CarryingPool(ThreadPoolExecutor):
    """Threads that know on whose behalf they work: what is logged there bears the turn's id. Each work is timed."""

    def __init__(self, size: int, name: str, took: Callable[[float], None], clock_s: Callable[[], float]) -> None:
        super().__init__(size, thread_name_prefix=name)
        self._took = took
        self._clock_s = clock_s

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function with the context of whoever asks."""
        return super().submit(copy_context().run, self._timed, partial(fn, *args, **kwargs))

    def _timed(self, work: Callable[[], T]) -> T:
        began_s = self._clock_s()
        try:
            return work()
        finally:
            self._took(self._clock_s() - began_s)


class ThreadedEncoder:
    """Implements ports.Encoder: a model that loads in the background and computes on bounded pools.

    Films have a pool of their own, so that a query never waits behind a batch of frames; and the processor is a
    query's first: while somebody waits for an answer a batch stands still, wherever it is.
    """

    def __init__(self, load: Callable[[], Clip], pool: Executor, films: Executor, courtesy: Courtesy) -> None:
        self._load = load
        self._pool = pool
        self._films = films
        self._courtesy = courtesy
        self._loading: asyncio.Future[Clip] | None = None

    def start(self) -> None:
        """Begin to load, without waiting."""
        if self._loading is None or (self._loading.done() and self._failed()):
            self._loading = asyncio.ensure_future(self._run(self._load))
            self._loading.add_done_callback(_look_at_error)

    @property
    def loaded(self) -> bool:
        """Tell whether the model stands ready."""
        return self._loading is not None and self._loading.done() and not self._failed()

    async def ready(self) -> EncoderInfo:
        """Wait for the model; a failed load is tried again at the next call."""
        return (await self._clip()).info

    async def images(self, pixels: Pixels) -> Floats:
        """Give unit vectors of pictures."""
        clip = await self._clip()
        return await self._run(lambda: clip.images(pixels))

    async def looks(self, pixels: Pixels) -> Floats:
        """Give unit vectors of a film's frames."""
        clip, leave = await self._clip(), self._courtesy.leave(BATCH_S)
        work = partial(clip.looks, pixels, leave)
        return await asyncio.get_running_loop().run_in_executor(self._films, _giving_way, work)

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Give unit vectors of texts."""
        clip = await self._clip()
        return await self._run(lambda: clip.texts(texts))

    async def _clip(self) -> Clip:
        self.start()
        assert self._loading is not None  # noqa: S101 - start() has just set it
        return await asyncio.shield(self._loading)

    def _failed(self) -> bool:
        loading = self._loading
        return loading is not None and (loading.cancelled() or loading.exception() is not None)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _look_at_error(loading: asyncio.Future[Clip]) -> None:
    """Mark the error as seen: whoever waits gets it, and if nobody does, asyncio need not complain."""
    if not loading.cancelled():
        loading.exception()
