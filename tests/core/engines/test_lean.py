"""What comes with open_clip, and what does not. A new interpreter each: what is imported stays so."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

IMPORT = "import sys, torch; from core.engines.clip.open_clip_loader import import_open_clip; import_open_clip()\n"


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_open_clip_comes_without_torchs_compiler_and_timm() -> None:
    names = run(IMPORT + "print(*sys.modules)").split()
    assert not {"torch._dynamo", "torch._dynamo.utils", "sympy", "timm"} & set(names)


def test_a_model_of_timm_is_made_once_timm_was_brought() -> None:
    made = """
import open_clip
from core.engines.clip.open_clip_loader import bring_timm
bring_timm()
vision = {"timm_model_name": "vit_tiny_patch16_224", "image_size": 224}
text = {"context_length": 16, "width": 32, "heads": 2, "layers": 1}
print(open_clip.CustomTextCLIP(24, vision, text).encode_image(torch.zeros(1, 3, 224, 224)).shape[1])
"""
    assert run(IMPORT + made).split() == ["24"]


def test_who_wishes_to_compile_still_can() -> None:
    asked = "layer = torch.compile(torch.nn.Linear(3, 2), backend='eager'); print(*layer(torch.zeros(1, 3)).shape)"
    assert run(IMPORT + asked).split() == ["1", "2"]
