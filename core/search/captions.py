"""The background captions of `captions.txt` as embeddings: computed once for a model, then cached."""

from __future__ import annotations

import asyncio
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.video import EncoderInfo, Floats
    from core.ports.library import BlobCache, Encoder

_AT_ONCE = 16
"""Texts in one forward pass: few, so that nobody's query waits long behind them."""


def captions() -> tuple[str, ...]:
    """Read the captions of `captions.txt`."""
    lines = files("core.search").joinpath("captions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class Background:
    """The bank for the present model: encoded once, then kept on the disk and in memory."""

    def __init__(self, encoder: Encoder, keepsakes: BlobCache, texts: Sequence[str]) -> None:
        self._encoder = encoder
        self._keepsakes = keepsakes
        self._texts = tuple(texts)
        self._lock = asyncio.Lock()
        self._bank: Floats | None = None

    async def bank(self) -> Floats:
        """Give (K, D) float32 unit vectors; raises what `Encoder.ready` raises.

        On a processor ViT-B-32 takes ten seconds for them, the first time that it runs over a data folder.
        """
        async with self._lock:
            if self._bank is None:
                self._bank = await self._load()
            return self._bank

    async def _load(self) -> Floats:
        info = await self._encoder.ready()
        name = _name(info, self._texts)
        kept = _read(await self._keepsakes.get(name), (len(self._texts), info.dim))
        if kept is not None:
            return kept
        parts = [self._texts[at : at + _AT_ONCE] for at in range(0, len(self._texts), _AT_ONCE)]
        bank: Floats = np.concatenate([await self._encoder.texts(part) for part in parts])
        await self._keepsakes.put(name, bank.astype("<f4").tobytes())
        return bank


def _name(info: EncoderInfo, texts: Sequence[str]) -> str:
    """Give a file name that covers everything that changes the bank."""
    parts = "\n".join((info.model, info.weights, info.precision, *texts))
    return f"background-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def _read(data: bytes | None, shape: tuple[int, int]) -> Floats | None:
    """Give the bank back, unless nothing or something else was kept."""
    if data is None or len(data) != 4 * shape[0] * shape[1]:
        return None
    bank = np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)
    return bank if np.allclose(np.linalg.norm(bank, axis=1), 1.0, atol=1e-2) else None
