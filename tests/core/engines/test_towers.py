"""Other ways to compute the image tower give the same vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from core.engines.clip.model import load
from core.engines.clip.open_clip_models import import_open_clip
from core.engines.clip.presets import choose
from core.engines.clip.towers import OneTokenTower, check, reads_one_token
from core.errors import BadSetting
from core.wording.errors import sentence
from tests.support.models import CONFIG, SIZE_PX, folder, model, options

if TYPE_CHECKING:
    from core.model.video import Floats

__all__ = ["folder", "model"]

DEMO = Path(__file__).parents[3] / "demo" / "model"

pytestmark = pytest.mark.slow


def agreement(ours: Floats, theirs: Floats) -> float:
    """Return the least cosine of any vector with its counterpart."""
    return float((ours * theirs).sum(axis=1).min())


@pytest.mark.parametrize("name", ["random", "demo"])
def test_given_openvino_when_loaded_twice_then_it_agrees_and_converts_once(
    folder: Path, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("openvino")
    choice = choose("demo", DEMO) if name == "demo" else choose(f"local-dir:{folder}", folder)
    plain = load(options(choice))
    other = replace(options(choice), backend="openvino", converted_dir=tmp_path)
    first = load(other)
    size = first.info.preprocess.size_px
    pictures = np.random.default_rng(7).integers(0, 256, (5, size, size, 3), dtype=np.uint8)
    assert first.info == plain.info, "the same recipe: vectors of both may be compared"
    assert agreement(first.images(pictures), plain.images(pictures)) > 0.99999
    stops: list[None] = []
    assert agreement(first.frames(pictures, lambda: stops.append(None)), plain.images(pictures)) > 0.99999
    assert len(stops) == 2, "it computes four frames in one go, and pauses in between"
    (kept,) = tmp_path.iterdir()
    written_ns = (kept / "tower.bin").stat().st_mtime_ns
    assert agreement(load(other).images(pictures[:3]), plain.images(pictures[:3])) > 0.99999
    assert (kept / "tower.bin").stat().st_mtime_ns == written_ns


def test_given_a_graphics_card_when_openvino_is_set_then_bad_setting() -> None:
    pytest.importorskip("openvino")
    with pytest.raises(BadSetting) as raised:
        check("openvino", "cuda:0")
    assert "KEATON_BACKEND is wrong" in sentence(raised.value)


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.3}, {"pool_type": "avg"}, {"final_ln_after_pool": True}])
def test_given_a_shortened_tower_when_it_computes_then_as_open_clips_own(vision: dict[str, Any]) -> None:
    config = {**CONFIG["model_cfg"], "vision_cfg": {**CONFIG["model_cfg"]["vision_cfg"], **vision}}
    visual = import_open_clip().CLIP(**config).eval().visual
    assert reads_one_token(visual) == (vision.get("pool_type") != "avg")
    if reads_one_token(visual):
        pictures = torch.randn(3, 3, SIZE_PX, SIZE_PX)
        with torch.inference_mode():
            torch.testing.assert_close(OneTokenTower(visual)(pictures), visual(pictures), atol=1e-5, rtol=1e-5)
