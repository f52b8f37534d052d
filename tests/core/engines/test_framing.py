"""Parts of frames come out of the child as the encoder wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.engines.video.reader import ChildFramer
from core.engines.video.worker import part
from core.errors import NotAVideo
from core.ports.video import Framing
from core.refinement.close_up import FRAMINGS
from tests.core.engines.conftest import PREPROCESS
from tests.support.clips import Shape

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from tests.conftest import MakeClip

WIDE = np.arange(100 * 200, dtype=np.uint32).reshape(100, 200)[..., None].repeat(3, axis=2).astype(np.uint8)


def test_given_a_framing_when_cropped_then_its_share_of_the_frame() -> None:
    framing = Framing(0.5, 0.2, 0.9, 0.9)
    assert np.array_equal(part(WIDE, framing), WIDE[20:90, 100:180])
    upright = np.ascontiguousarray(WIDE.transpose(1, 0, 2))
    assert np.array_equal(part(upright, framing), upright[100:180, 20:90])


def test_given_a_tiny_framing_when_cropped_then_a_pixel_at_least() -> None:
    assert np.array_equal(part(WIDE, Framing(0, 0, 1, 1, mirrored=True)), WIDE[:, ::-1])
    for framing in FRAMINGS:
        assert part(WIDE[:1, :1], framing).shape == (1, 1, 3)


@pytest.mark.slow
async def test_given_times_when_framed_then_all_parts_of_each_frame(
    reader: ChildFrameReader, make_clip: MakeClip
) -> None:
    path = make_clip("two.mp4", [("red", 2), ("blue", 2)], Shape())
    framed = await ChildFramer(reader).framed(path, [1.0, 3.0], FRAMINGS, PREPROCESS)
    assert [one.shape for one in framed] == [(len(FRAMINGS), PREPROCESS.size_px, PREPROCESS.size_px, 3)] * 2
    assert [int(one.mean(axis=(0, 1, 2)).argmax()) for one in framed] == [0, 2]


@pytest.mark.slow
async def test_given_no_video_when_framed_then_the_flaw_is_named(reader: ChildFrameReader, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("not a video")
    with pytest.raises(NotAVideo):
        await ChildFramer(reader).framed(path, [1.0], FRAMINGS, PREPROCESS)
