"""Adds a baseline and a verdict to a curve, and decides which unwanted texts count in a video.

An unwanted text counts only where the verdict says that the video may show it: what is not there has a best frame all
the same, often the very one with what is wanted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from core.search import picture_verdict, verdict
from core.search.picture_verdict import likened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from core.model import results as verdict_results
    from core.model.results import Curve
    from core.model.video import EncoderInfo, Floats
    from core.ports.library import Encoder
    from core.search.captions import Background
    from core.search.query_vectors import QueryVector

_REMEMBERED = 512
"""Videos whose background is kept in memory, a kilobyte each."""


Stamp: TypeAlias = tuple[int, bytes]
"""So many looks, and the last of them: whether a video is known as it is by now."""


class Judge:
    """Works out what is usual in a video, so that its scores mean something."""

    def __init__(self, encoder: Encoder, background: Background) -> None:
        self._encoder = encoder
        self._background = background
        self._videos: OrderedDict[str, tuple[Stamp, verdict.CaptionLevels]] = OrderedDict()

    async def judged(self, curve: Curve) -> Curve:
        """Give a curve of words with its baseline, or one for each text, and without its looks.

        Raises OperatorError.
        """
        looks = curve.vectors
        if looks is None or len(looks) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(curve.video.id, looks, bank, info)
        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = [verdict.baseline(one, looks, video, bank, info) for one in scores]
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def blended(self, curve: Curve, words: Sequence[Floats | None], picture: Floats) -> Curve:
        """Give the curve of words and a picture (D,) with its baseline, or one for each text, and without its looks.

        `words` are a unit vector for each text, None where one says only what is unwanted. Raises OperatorError.
        """
        looks = curve.vectors
        if looks is None or len(looks) != len(curve.scores):
            return curve
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(curve.video.id, looks, bank, info)

        def one(scores: Floats, said: Floats | None) -> verdict_results.Baseline | None:
            asked = replace(curve, scores=scores)
            if said is None:
                return likened(asked).baseline
            return picture_verdict.baseline(asked, looks, picture_verdict.Blend(said, picture), video, bank, info)

        scores = [line.scores for line in curve.lines] or [curve.scores]
        known = await asyncio.to_thread(lambda: [one(*pair) for pair in zip(scores, words, strict=True)])
        lines = tuple(replace(line, baseline=one) for line, one in zip(curve.lines, known, strict=False))
        return replace(curve, baseline=known[0], vectors=None, lines=lines)

    async def possible(self, video_id: str, looks: Floats, texts: Floats) -> npt.NDArray[np.bool_]:
        """Tell of each text (K, D) whether a video with these looks (N, D) may show it, (K,).

        Raises OperatorError.
        """
        info, bank = await self._encoder.ready(), await self._background.bank()
        video = await self._video(video_id, looks, bank, info)
        return await asyncio.to_thread(verdict.possible, texts, looks, video, bank, info)

    def known(self, video_id: str) -> verdict.CaptionLevels | None:
        """Give the background of a video whose curve was judged lately."""
        stamped = self._videos.get(video_id)
        return stamped[1] if stamped else None

    async def _video(self, video_id: str, looks: Floats, bank: Floats, info: EncoderInfo) -> verdict.CaptionLevels:
        stamp = (len(looks), looks[-1].tobytes())
        known_as, video = self._videos.get(video_id, (None, None))
        if video is None or known_as != stamp:
            video = await asyncio.to_thread(verdict.background, looks, bank, info)
        self._videos[video_id] = stamp, video
        self._videos.move_to_end(video_id)
        if len(self._videos) > _REMEMBERED:
            self._videos.popitem(last=False)
        return video


async def unwanted_there(
    judge: Judge, video_id: str, looks: Floats, aims: Sequence[QueryVector]
) -> Sequence[QueryVector]:
    """Give the aims for a video with these looks (N, D): without those unwanted texts that it surely does not show.

    Raises OperatorError.
    """
    if not any(len(one.without) for one in aims) or not len(looks):
        return aims
    may_be = await judge.possible(video_id, looks, np.concatenate([one.without for one in aims]))
    ends = np.cumsum([len(one.without) for one in aims])[:-1]
    return tuple(
        replace(one, without=one.without[some]) for one, some in zip(aims, np.split(may_be, ends), strict=True)
    )
