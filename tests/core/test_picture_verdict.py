"""A picture is judged by how alike the looks of one shot are in that video."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.results import Curve
from core.model.video import Floats, Video
from core.search.verdict import likened

SHOTS = np.eye(4, 8, dtype=np.float32).repeat(4, axis=0)
"""Four shots of four looks."""


def curve(picture: Floats, looks: Floats = SHOTS) -> Curve:
    video = Video("v", "", "A video", float(len(looks)), 64, 48)
    vector = picture / np.linalg.norm(picture)
    return likened(Curve(video, np.arange(len(looks), dtype=np.float64), looks @ vector, vectors=looks))


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "strong"), (0.85, "strong"), (0.7, "weak"), (0.5, "absent")])
def test_given_a_picture_when_as_alike_as_a_shot_then_it_is_there(share: float, verdict: str) -> None:
    picture = np.zeros(8, np.float32)
    picture[1], picture[7] = share, np.sqrt(1 - share**2)
    assert curve(picture).verdict == verdict


def test_given_shots_all_alike_when_a_picture_is_judged_then_no_verdict() -> None:
    alike = np.ones((12, 8), np.float32) / np.sqrt(np.float32(8))
    assert curve(alike[0], alike).verdict is None
    assert curve(SHOTS[0], SHOTS[:6]).verdict is None
    assert curve(SHOTS[0]).vectors is None
