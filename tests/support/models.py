"""Writes small models with random weights in open_clip's local-dir format, to load with the real code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.torch import save_file

from core.engines.clip.model import ClipModel, ClipOptions, load
from core.engines.clip.open_clip_models import import_open_clip
from core.engines.clip.presets import ModelChoice, choose

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import Pixels

SIZE_PX = 32
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": SIZE_PX, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "resize_mode": "shortest"},
}


def write_model(folder: Path, *, blind: bool = False, illiterate: bool = False) -> Path:
    """Write a model; a blind one gives the same vector for whatever it sees, an illiterate one for all words."""
    folder.mkdir(parents=True, exist_ok=True)
    model = import_open_clip().CLIP(**CONFIG["model_cfg"])
    weights = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    if blind:
        weights["visual.conv1.weight"].zero_()
    if illiterate:
        weights["token_embedding.weight"].zero_()
        weights["positional_embedding"].zero_()
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG))
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(folder: Path) -> ClipModel:
    return load(options(choose(f"local-dir:{folder}", folder)))


def options(choice: ModelChoice, cache_dir: Path | None = None) -> ClipOptions:
    return ClipOptions(choice, "cpu", cache_dir)


def frames(count: int) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (count, SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
