"""Other ways to compute the image tower give the same vectors, or are another recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from core.engines.clip.fast_paths import OneTokenTower, reads_one_token
from core.engines.clip.model import ClipModel, load
from core.engines.clip.open_clip_loader import import_open_clip
from core.engines.clip.presets import choose
from core.errors import BadSetting
from core.wording.errors import sentence
from tests.support.models import CONFIG, SIZE_PX, folder, frames, model, options

if TYPE_CHECKING:
    from core.model.video import Floats

__all__ = ["folder", "model"]

DEMO = Path(__file__).parents[3] / "demo" / "model"

pytestmark = pytest.mark.slow


def agreement(ours: Floats, theirs: Floats) -> float:
    """Give the least cosine of any vector with its counterpart."""
    return float((ours * theirs).sum(axis=1).min())


@pytest.mark.parametrize("name", ["random", "demo"])
def test_openvino_agrees_with_torch_and_converts_but_once(folder: Path, tmp_path: Path, name: str) -> None:
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
    assert agreement(first.looks(pictures, lambda: stops.append(None)), plain.images(pictures)) > 0.99999
    assert len(stops) == 2, "it computes four looks in one go, and lets who asks go first in between"
    (kept,) = tmp_path.iterdir()
    written_ns = (kept / "tower.bin").stat().st_mtime_ns
    assert agreement(load(other).images(pictures[:3]), plain.images(pictures[:3])) > 0.99999
    assert (kept / "tower.bin").stat().st_mtime_ns == written_ns


def test_a_tower_without_layers_that_int8_can_do_is_as_exact_as_before() -> None:
    pictures = np.random.default_rng(7).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    exact, small = (load(replace(options(choose("demo", DEMO)), precision=one)) for one in ("exact", "int8"))
    np.testing.assert_allclose(small.images(pictures), exact.images(pictures), atol=1e-5)


def test_int8_is_another_recipe_and_nearly_the_same(model: ClipModel, folder: Path) -> None:
    small = load(replace(options(choose(f"local-dir:{folder}", folder)), precision="int8"))
    assert small.info == replace(model.info, precision="int8")
    assert 0.99 < agreement(small.images(frames(6)), model.images(frames(6))) < 1
    stops: list[None] = []
    small.looks(frames(1), lambda: stops.append(None))
    assert len(stops) > 1, "it too stops between its layers"


def test_a_back_end_that_cannot_be_had_is_a_bad_setting(folder: Path) -> None:
    both = replace(options(choose(f"local-dir:{folder}", folder)), backend="openvino", precision="int8")
    with pytest.raises(BadSetting) as raised:
        load(both)
    assert "KEATON_" in sentence(raised.value)


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.3}, {"pool_type": "avg"}, {"final_ln_after_pool": True}])
def test_a_tower_that_saves_gives_what_open_clips_own_gives(vision: dict[str, Any]) -> None:
    config = {**CONFIG["model_cfg"], "vision_cfg": {**CONFIG["model_cfg"]["vision_cfg"], **vision}}
    visual = import_open_clip().CLIP(**config).eval().visual
    assert reads_one_token(visual) == (vision.get("pool_type") != "avg")
    if reads_one_token(visual):
        pictures = torch.randn(3, 3, SIZE_PX, SIZE_PX)
        with torch.inference_mode():
            torch.testing.assert_close(OneTokenTower(visual)(pictures), visual(pictures), atol=1e-5, rtol=1e-5)
