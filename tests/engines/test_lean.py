"""What comes with open_clip, and what does not. A new interpreter each: what is imported stays so."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

IMPORT = "import sys, torch; from core.engines.lean import import_open_clip; import_open_clip()\n"


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_open_clip_comes_without_torchs_compiler() -> None:
    names = run(IMPORT + "print(*sys.modules)").split()
    assert "timm" in names
    assert not {"torch._dynamo", "torch._dynamo.utils", "sympy"} & set(names)


def test_who_wishes_to_compile_still_can() -> None:
    asked = "layer = torch.compile(torch.nn.Linear(3, 2), backend='eager'); print(*layer(torch.zeros(1, 3)).shape)"
    assert run(IMPORT + asked).split() == ["1", "2"]
