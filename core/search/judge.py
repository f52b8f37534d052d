"""Judges curves: adds baseline and verdict, and decides which unwanted texts count in a video.

Background captions (`captions.txt`) are embedded once for a model, then cached. An unwanted text counts only where the
verdict says that the video may show it: what is not there has a best frame all the same, often the very one with what
is wanted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from core.search import verdict
from core.search.verdict import likened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from core.model.results import Baseline, Curve
    from core.model.video import EncoderInfo, Floats
    from core.ports.library import BlobCache, Encoder
    from core.search.query_vectors import QueryVector

_AT_ONCE = 16
"""Texts in one forward pass: few, so that nobody's query waits long behind them."""


def captions() -> tuple[str, ...]:
    """Read the captions of `captions.txt`."""
    lines = files("core.search").joinpath("captions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class Background:
    """The bank for the present model: encoded once, then kept on the disk and in memory."""

    def __init__(self, encoder: Encoder, blobs: BlobCache, texts: Sequence[str]) -> None:
        self._encoder = encoder
        self._blobs = blobs
        self._texts = tuple(texts)
        self._lock = asyncio.Lock()
        self._bank: Floats | None = None

    async def bank(self) -> Floats:
        """Return (K, D) float32 unit vectors; raises what `Encoder.ready` raises.

        On a processor ViT-B-32 takes ten seconds for them, the first time that it runs over a data folder.
        """
        async with self._lock:
            if self._bank is None:
                self._bank = await self._load()
            return self._bank

    async def _load(self) -> Floats:
        info = await self._encoder.ready()
        name = _name(info, self._texts)
        kept = _read(await self._blobs.get(name), (len(self._texts), info.dim))
        if kept is not None:
            return kept
        parts = [self._texts[at : at + _AT_ONCE] for at in range(0, len(self._texts), _AT_ONCE)]
        bank: Floats = np.concatenate([await self._encoder.texts(part) for part in parts])
        await self._blobs.put(name, bank.astype("<f4").tobytes())
        return bank


def _name(info: EncoderInfo, texts: Sequence[str]) -> str:
    """Return a file name that covers everything that changes the bank."""
    parts = "\n".join((info.model, info.weights, info.precision, *texts))
    return f"background-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def _read(data: bytes | None, shape: tuple[int, int]) -> Floats | None:
    """Return the bank back, unless nothing or something else was kept."""
    if data is None or len(data) != 4 * shape[0] * shape[1]:
        return None
    bank = np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)
    return bank if np.allclose(np.linalg.norm(bank, axis=1), 1.0, atol=1e-2) else None


_REMEMBERED = 512
"""Videos whose background is kept in memory, a kilobyte each."""
Stamp: TypeAlias = tuple[int, bytes]
"""So many frames, and the last of them: whether a video is known as it is by now."""


class Judge:
    """Works out what is usual in a video, so that its scores mean something."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self._encoder = encoder
        self._background = background
        self._videos: OrderedDict[str, tuple[Stamp, verdict.CaptionLevels]] = OrderedDict()

    async def judged(self, curve: Curve) -> Curve:
        """Return a curve of words with its baseline, or one for each text, and without its frames.

        Raises OperatorError.
        """
        frames = curve.vectors
        if frames is None or len(frames) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(curve.video.id, frames, bank, info)
        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = [verdict.baseline(one, frames, video, bank, info) for one in scores]
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def blended(self, curve: Curve, words: Sequence[Floats | None], picture: Floats) -> Curve:
        """Return the curve of words and a picture (D,) with its baseline, or one for each text, and without its frames.

        `words` are a unit vector for each text, None where one says only what is unwanted. Raises OperatorError.
        """
        frames = curve.vectors
        if frames is None or len(frames) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(curve.video.id, frames, bank, info)

        def one(scores: Floats, said: Floats | None) -> Baseline | None:
            asked = replace(curve, scores=scores)
            if said is None:
                return likened(asked).baseline
            return verdict.blend_baseline(asked, frames, verdict.Blend(said, picture), video, bank, info)

        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = await asyncio.to_thread(lambda: [one(*pair) for pair in zip(scores, words, strict=True)])
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def possible(self, video_id: str, frames: Floats, texts: Floats) -> npt.NDArray[np.bool_]:
        """Tell of each text (K, D) whether a video with these frames (N, D) may show it, (K,).

        Raises OperatorError.
        """
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(video_id, frames, bank, info)
        return await asyncio.to_thread(verdict.possible, texts, frames, video, bank, info)

    def known(self, video_id: str) -> verdict.CaptionLevels | None:
        """Return the background of a video whose curve was judged lately."""
        stamped = self._videos.get(video_id)
        return stamped[1] if stamped else None

    async def _video(self, video_id: str, frames: Floats, bank: Floats, info: EncoderInfo) -> verdict.CaptionLevels:
        stamp = (len(frames), frames[-1].tobytes())
        known_as, video = self._videos.get(video_id, (None, None))
        if video is None or known_as != stamp:
            video = await asyncio.to_thread(verdict.background, frames, bank, info)
        self._videos[video_id] = stamp, video
        self._videos.move_to_end(video_id)
        if len(self._videos) > _REMEMBERED:
            self._videos.popitem(last=False)
        return video


async def unwanted_there(
    judge: Judge, video_id: str, frames: Floats, queries: Sequence[QueryVector]
) -> Sequence[QueryVector]:
    """Return the query vectors for a video with frames (N, D), without unwanted texts that it surely does not show.

    Raises OperatorError.
    """
    if not any(len(one.without) for one in queries) or not len(frames):
        return queries
    may_be = await judge.possible(video_id, frames, np.concatenate([one.without for one in queries]))
    ends = np.cumsum([len(one.without) for one in queries])[:-1]
    return tuple(
        replace(one, without=one.without[some]) for one, some in zip(queries, np.split(may_be, ends), strict=True)
    )
