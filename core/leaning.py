"""Aims as votes turn them. Owns which looks are voted on; core/rocchio.py owns the arithmetic."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core import rocchio
from core.votes import sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.aims import Aim
    from core.looks import Looks
    from core.model import Floats, FrameIndex, Recipe, View
    from core.votes import Vote


async def lean(
    aims: Sequence[Aim], wishes: Sequence[str], votes: Sequence[Vote], looks: Looks, view: View, recipe: Recipe
) -> tuple[Aim, ...]:
    """Turn each aim by the votes on its wish, by the looks in view that these are about. Raises StorageUnusable."""
    indexes: dict[str, FrameIndex] = {}
    for video_id in {vote.video_id for vote in votes}:
        peaks = await looks.peaks(view, recipe, aims[0].vector[None], video_id)
        (index,) = await looks.indexes(peaks.films[:1]) or (None,)
        if index is not None and len(index):
            indexes[video_id] = index
    return await asyncio.to_thread(_turned, aims, wishes, votes, indexes)


def _turned(
    aims: Sequence[Aim], wishes: Sequence[str], votes: Sequence[Vote], indexes: dict[str, FrameIndex]
) -> tuple[Aim, ...]:
    middles = {video_id: index.vectors.mean(axis=0) for video_id, index in indexes.items()}
    turned = []
    for aim, wish in zip(aims, wishes, strict=True):
        counted = {place: total for place, total in sums(votes, wish).items() if place[0] in indexes}
        if not counted:
            turned.append(aim)
            continue
        rows = [_look(indexes[video_id], at_s) - middles[video_id] for video_id, at_s in counted]
        totals = np.array(list(counted.values()), np.float32)
        turned.append(replace(aim, vector=rocchio.nudged(aim.vector, np.array(rows), totals)))
    return tuple(turned)


def _look(index: FrameIndex, at_s: float) -> Floats:
    look: Floats = index.vectors[int(np.abs(index.times_s - at_s).argmin())]
    return look
