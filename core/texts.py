"""Texts that were encoded lately, remembered. Owns which; must not know how texts are encoded.

Questions that come while others are being encoded go together in the next batch: thirty-two askers cost two or three
forward passes, not thirty-two.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import EncoderInfo, Floats, Pixels
    from core.ports import Encoder

MOST_AT_ONCE = 64


class RememberingEncoder:
    """Implements ports.Encoder by another one; (text, model) pairs that came lately are not computed again."""

    def __init__(self, encoder: Encoder, most: int) -> None:
        """Take the encoder and how many texts to remember; 2 KB each for 512 dimensions."""
        self._encoder = encoder
        self._most = most
        self._known: OrderedDict[str, Floats] = OrderedDict()
        self._info: EncoderInfo | None = None
        self._wanted: dict[str, asyncio.Future[Floats]] = {}
        self._work: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Tell whether the model stands ready, so that nobody need wait."""
        return self._encoder.loaded

    async def ready(self) -> EncoderInfo:
        """Wait until the model is loaded and tested; raises what the encoder's own does."""
        return await self._encoder.ready()

    async def images(self, pixels: Pixels) -> Floats:
        """Give unit vectors of pictures, as the encoder does."""
        return await self._encoder.images(pixels)

    async def looks(self, pixels: Pixels) -> Floats:
        """Give unit vectors of a film's frames, as the encoder does."""
        return await self._encoder.looks(pixels)

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Give (N, D) float32 unit vectors."""
        info = await self._encoder.ready()
        if info != self._info:  # vectors of two models are never mixed
            self._known.clear()
            self._info = info
        vectors = await asyncio.gather(*(self._vector(text) for text in texts))
        return np.stack(vectors) if vectors else np.empty((0, info.dim), np.float32)

    async def _vector(self, text: str) -> Floats:
        self._looked_up(hit=text in self._known)
        if text in self._known:
            self._known.move_to_end(text)
            return self._known[text]
        if text not in self._wanted:
            self._wanted[text] = asyncio.get_running_loop().create_future()
            self._wanted[text].add_done_callback(_look_at_error)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._encode())
        return await asyncio.shield(self._wanted[text])

    def _looked_up(self, *, hit: bool) -> None:
        """Note whether a text's vector was known; here nobody counts."""

    async def _encode(self) -> None:
        await asyncio.sleep(0)  # who asks in the same moment comes along
        while self._wanted:
            batch = dict(list(self._wanted.items())[:MOST_AT_ONCE])
            try:
                vectors = await self._encoder.texts(list(batch))
            except BaseException as error:  # noqa: BLE001 - each asker gets it
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


def _look_at_error(future: asyncio.Future[Floats]) -> None:
    """Mark the error as seen: whoever waits gets it, and if nobody does, asyncio need not complain."""
    if not future.cancelled():
        future.exception()
