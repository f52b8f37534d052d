"""open_clip is imported without what it does not need, and its models are loaded as it loads them itself."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from core.engines.clip.open_clip_models import create, import_open_clip
from core.engines.clip.presets import choose
from core.errors import WeightsUnavailable
from tests.support.models import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

IMPORT = "import sys, torch; from core.engines.clip.open_clip_models import import_open_clip; import_open_clip()\n"


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_given_open_clip_when_imported_then_no_compiler_comes_along() -> None:
    names = run(IMPORT + "print(*sys.modules)").split()
    assert not {"torch._dynamo", "torch._dynamo.utils", "sympy"} & set(names)


def test_given_no_compiler_when_a_model_of_timm_is_made_then_it_works() -> None:
    made = """
import open_clip
vision = {"timm_model_name": "vit_tiny_patch16_224", "image_size": 224}
text = {"context_length": 16, "width": 32, "heads": 2, "layers": 1}
print(open_clip.CustomTextCLIP(24, vision, text).encode_image(torch.zeros(1, 3, 224, 224)).shape[1])
"""
    assert run(IMPORT + made).split() == ["24"]


def test_given_open_clip_imported_when_a_layer_is_compiled_then_it_works() -> None:
    asked = "layer = torch.compile(torch.nn.Linear(3, 2), backend='eager'); print(*layer(torch.zeros(1, 3)).shape)"
    assert run(IMPORT + asked).split() == ["1", "2"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vision_cfg": {"layers": [1, 1, 1, 1], "head_width": 8}},
        {"vision_cfg": {"attentional_pool": True, "attn_pooler_heads": 2}},
        {
            "vision_cfg": {"timm_model_name": "vit_tiny_patch16_224", "timm_pool": "map", "timm_proj": "none"},
            "embed": 192,
        },
        {"custom_text": True, "init_logit_bias": -10, "text_cfg": {"no_causal_mask": True, "pool_type": "last"}},
    ],
    ids=["vit", "resnet", "attention pool", "timm", "siglip text"],
)
def test_given_weights_when_loaded_then_each_tensor_as_open_clip_does(changes: dict[str, Any], tmp_path: Path) -> None:
    config = changed(changes)
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    (tmp_path / "open_clip_model.safetensors").touch()
    own = import_open_clip().create_model(f"local-dir:{tmp_path}", load_weights=False)
    state = own.state_dict().items()
    weights = {name: (one.half() if one.is_floating_point() else one).contiguous() for name, one in state}
    save_file(weights, tmp_path / "open_clip_model.safetensors")
    theirs = import_open_clip().create_model(f"local-dir:{tmp_path}", require_pretrained=True).eval()
    ours = create(choose(f"local-dir:{tmp_path}", tmp_path), None, "cpu")
    assert ours.visual.preprocess_cfg == theirs.visual.preprocess_cfg
    found, expected = (dict(chain(one.named_parameters(), one.named_buffers())) for one in (ours, theirs))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0, equal_nan=True, msg=name)


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    config = {"quick_gelu": False, **CONFIG["model_cfg"]}
    config["embed_dim"] = changes.get("embed", config["embed_dim"])
    for part in ("vision_cfg", "text_cfg"):
        config[part] = {**config[part], **changes.get(part, {})}
    return config | {name: changes[name] for name in ("custom_text", "init_logit_bias") if name in changes}


def test_given_weights_that_lack_a_tensor_when_loaded_then_refused(tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text(json.dumps(CONFIG))
    weights = import_open_clip().CLIP(**CONFIG["model_cfg"]).state_dict()
    del weights["visual.conv1.weight"]
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(WeightsUnavailable):
        create(choose(f"local-dir:{tmp_path}", tmp_path), None, "cpu")
