"""Looks that lie far apart are sought, and are those that reading the whole video gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.video import open_video as decode
from core.engines.video.leaping import Leaps
from core.engines.video.sampler import Skimmer
from core.limits import VideoLimits
from core.model.video import Sampling
from tests.support.clips import Shape, plain, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.video import Pixels

pytestmark = pytest.mark.slow

FPS, SECONDS = 5, 100
SPARSE = Sampling(10.0, min_looks=0)


class Clock:
    """Tells what time it is made to be."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Eager(Leaps):
    """Leaps whenever it can."""

    def worth(self, way_s: float) -> bool:
        return self.possible and way_s >= 4


def frames() -> Iterator[Pixels]:
    for number in range(SECONDS * FPS):
        yield plain((64, 48), (number // 2, 128, number // 2))


def times_s(path: Path, *, leaping: bool) -> tuple[list[float], Skimmer]:
    with decode.opened(path, VideoLimits()) as video:
        skimmer = Skimmer.of(video, video.declared_s or 0.0, SPARSE)
        skimmer.leaps = Eager(Clock(), skimmer.leaps.possible and leaping)
        return [time_s for time_s, _ in skimmer.looks()], skimmer


@pytest.mark.parametrize("name", ["sparse.mp4", "sparse.mkv"])
@pytest.mark.parametrize("gop", [2 * FPS, 3 * FPS + 1])
def test_the_looks_are_those_that_reading_gives(tmp_path: Path, name: str, gop: int) -> None:
    path = write_video(tmp_path / name, frames(), Shape((64, 48), fps=FPS, gop=gop))
    read, _ = times_s(path, leaping=False)
    leapt, skimmer = times_s(path, leaping=True)
    assert leapt == read
    assert skimmer.leaps.count >= 8
    assert skimmer.leaps.possible
    assert skimmer.reached_s == pytest.approx(SECONDS, abs=0.3)
    assert not skimmer.video.broken


def test_a_video_of_one_keyframe_is_read(tmp_path: Path) -> None:
    still = [plain((64, 48), (90, 120, 40))] * (SECONDS * FPS)
    path = write_video(tmp_path / "one.mp4", iter(still), Shape((64, 48), fps=FPS, gop=SECONDS * FPS))
    read, _ = times_s(path, leaping=False)
    leapt, skimmer = times_s(path, leaping=True)
    assert leapt == read
    assert (skimmer.leaps.count, skimmer.leaps.possible) == (1, False)


def test_a_transport_stream_is_never_leapt_through(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.ts", frames(), Shape((64, 48), fps=FPS, gop=2 * FPS))
    leapt, skimmer = times_s(path, leaping=True)
    assert (len(leapt), skimmer.leaps.count) == (10, 0)


def test_after_one_way_of_each_kind_the_quicker_is_taken() -> None:
    clock = Clock()
    leaps = Leaps.within("mov,mp4,m4a", clock)
    assert not leaps.worth(60.0)  # nothing was read so far
    leaps.start(0.0)
    clock.now_s = 0.06
    leaps.arrive(60.0)
    assert leaps.worth(60.0)  # to try it
    leaps.start(60.0)
    leaps.leap()
    clock.now_s = 0.09
    leaps.arrive(120.0)
    assert leaps.worth(60.0)  # 30 ms instead of 60
    assert not leaps.worth(20.0)  # 30 ms instead of 20
    assert not leaps.worth(3.9)
