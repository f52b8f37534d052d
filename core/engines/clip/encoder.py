"""The `Encoder` port: runs the model on bounded thread pools, off the event loop.

Queries that arrive while others are encoded go into the next batch together, and recent texts are remembered.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from core.concurrency import BATCH_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from core.concurrency import ForegroundPriority
    from core.engines.clip.model import ClipModel
    from core.model.video import EncoderInfo, Floats, Pixels
    from core.ports.library import Encoder
    from core.ports.metrics import Watch

P = ParamSpec("P")


T = TypeVar("T")


_NICENESS = 10
"""A tenth of the processor while others want it, all of it else."""


def _at_low_priority(work: Callable[[], T]) -> T:
    """Work at a low priority on this thread, and on those that it starts from now on.

    Only Linux has priorities of threads. They cannot be raised again, so the thread must do such work alone.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    return work()


class CarryingPool(ThreadPoolExecutor):
    """Threads that carry the context of the caller, so that what is logged has the turn's id. Each work is timed."""

    def __init__(self, size: int, name: str, took: Callable[[float], None], clock_s: Callable[[], float]) -> None:
        super().__init__(size, thread_name_prefix=name)
        self._took = took
        self._clock_s = clock_s

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function with the context of the caller."""
        return super().submit(copy_context().run, self._timed, partial(fn, *args, **kwargs))

    def _timed(self, work: Callable[[], T]) -> T:
        began_s = self._clock_s()
        try:
            return work()
        finally:
            self._took(self._clock_s() - began_s)


class ThreadedEncoder:
    """Implements ports.Encoder: a model that loads in the background and computes on bounded pools.

    Videos have a pool of their own, so that a query never waits behind a batch of frames; and queries have the
    processor first: while an answer is waited for a batch is paused, wherever it is.
    """

    def __init__(
        self,
        load: Callable[[], ClipModel],
        pool: Executor,
        videos: Executor,
        priority: ForegroundPriority,
        watch: Watch,
    ) -> None:
        self._load = load
        self._pool = pool
        self._videos = videos
        self._priority = priority
        self._watch = watch
        self._loading: asyncio.Future[ClipModel] | None = None

    def start(self) -> None:
        """Begin to load, without waiting."""
        if self._loading is None or (self._loading.done() and self._failed()):
            self._loading = asyncio.ensure_future(self._run(self._load))
            self._loading.add_done_callback(_mark_seen)

    @property
    def loaded(self) -> bool:
        """Tell whether the model is loaded."""
        return self._loading is not None and self._loading.done() and not self._failed()

    async def ready(self) -> EncoderInfo:
        """Wait for the model; a failed load is tried again at the next call."""
        return (await self._clip()).info

    async def images(self, pixels: Pixels) -> Floats:
        """Return unit vectors of pictures."""
        clip = await self._clip()
        return await self._run(lambda: clip.images(pixels))

    async def frames(self, pixels: Pixels) -> Floats:
        """Return unit vectors of a video's frames."""
        clip, leave = await self._clip(), self._priority.leave(BATCH_S)
        loop, work = asyncio.get_running_loop(), partial(clip.frames, pixels, leave)
        began_s = loop.time()
        with self._watch.stage("encode"):
            vectors = await loop.run_in_executor(self._videos, _at_low_priority, work)
        self._watch.encoded(len(pixels), loop.time() - began_s)
        return vectors

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors of texts."""
        with self._watch.stage("words"):
            clip = await self._clip()
            return await self._run(lambda: clip.texts(texts))

    async def _clip(self) -> ClipModel:
        self.start()
        assert self._loading is not None  # noqa: S101 - start() has just set it
        return await asyncio.shield(self._loading)

    def _failed(self) -> bool:
        loading = self._loading
        return loading is not None and (loading.cancelled() or loading.exception() is not None)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _mark_seen(future: asyncio.Future[T]) -> None:
    """Mark the error as seen: a waiter gets it, and asyncio need not complain where there is none."""
    if not future.cancelled():
        future.exception()


MOST_AT_ONCE = 64


class RememberingEncoder:
    """Implements ports.Encoder by another one; (text, model) pairs that came lately are not computed again."""

    def __init__(self, encoder: Encoder, most: int, watch: Watch) -> None:
        """Take the encoder and how many texts to remember; 2 KB each for 512 dimensions."""
        self._encoder = encoder
        self._most = most
        self._watch = watch
        self._known: OrderedDict[str, Floats] = OrderedDict()
        self._info: EncoderInfo | None = None
        self._wanted: dict[str, asyncio.Future[Floats]] = {}
        self._work: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Tell whether the model is loaded, so that nothing has to wait."""
        return self._encoder.loaded

    async def ready(self) -> EncoderInfo:
        """Wait until the model is loaded and tested; raises what the encoder's own does."""
        return await self._encoder.ready()

    async def images(self, pixels: Pixels) -> Floats:
        """Return unit vectors of pictures, as the encoder does."""
        return await self._encoder.images(pixels)

    async def frames(self, pixels: Pixels) -> Floats:
        """Return unit vectors of a video's frames, as the encoder does."""
        return await self._encoder.frames(pixels)

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Return (N, D) float32 unit vectors."""
        info = await self._encoder.ready()
        if info != self._info:  # vectors of two models are never mixed
            self._known.clear()
            self._info = info
        vectors = await asyncio.gather(*(self._vector(text) for text in texts))
        return np.stack(vectors) if vectors else np.empty((0, info.dim), np.float32)

    async def _vector(self, text: str) -> Floats:
        self._watch.cache("texts", hit=text in self._known)
        if text in self._known:
            self._known.move_to_end(text)
            return self._known[text]
        if text not in self._wanted:
            self._wanted[text] = asyncio.get_running_loop().create_future()
            self._wanted[text].add_done_callback(_mark_seen)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._encode())
        return await asyncio.shield(self._wanted[text])

    async def _encode(self) -> None:
        await asyncio.sleep(0)  # texts that are asked for in the same moment come along
        while self._wanted:
            batch = dict(list(self._wanted.items())[:MOST_AT_ONCE])
            try:
                vectors = await self._encoder.texts(list(batch))
            except BaseException as error:  # noqa: BLE001 - each caller gets it
                self._settle(batch, error)
            else:
                self._remember(batch, vectors)

    def _remember(self, batch: dict[str, asyncio.Future[Floats]], vectors: Floats) -> None:
        for (text, future), vector in zip(batch.items(), vectors, strict=True):
            self._known[text] = vector
            self._wanted.pop(text)
            future.set_result(vector)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def _settle(self, batch: dict[str, asyncio.Future[Floats]], error: BaseException) -> None:
        for text, future in batch.items():
            self._wanted.pop(text)
            if isinstance(error, Exception):
                future.set_exception(error)
            else:
                future.cancel()
        if not isinstance(error, Exception):
            raise error
