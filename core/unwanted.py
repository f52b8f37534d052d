"""What is unwanted, film by film. Owns that only what a film may show is taken off there.

What is not in a film has a look that is nearest to it all the same, often the one with what is wanted: taking that off
would hide a clear hit behind a thing that is not there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.aims import Aim
    from core.judging import Judge
    from core.model import Floats


async def unwanted_there(judge: Judge, video_id: str, looks: Floats, aims: Sequence[Aim]) -> Sequence[Aim]:
    """Give the aims for a film with these looks (N, D): without those unwanted texts that it surely does not show.

    Raises OperatorError.
    """
    if not any(len(one.without) for one in aims) or not len(looks):
        return aims
    may_be = await judge.possible(video_id, looks, np.concatenate([one.without for one in aims]))
    ends = np.cumsum([len(one.without) for one in aims])[:-1]
    return tuple(
        replace(one, without=one.without[some]) for one, some in zip(aims, np.split(may_be, ends), strict=True)
    )
