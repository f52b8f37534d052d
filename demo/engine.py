"""Brings open_clip in, and knows where the demo's model lies."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from core.engines.torchvision_ops import make_importable

MODEL_DIR = Path(__file__).with_name("model")
"""The model in open_clip's `local-dir:` format."""


def open_clip() -> Any:  # noqa: ANN401 - open_clip is not typed
    """Return the open_clip module, also beside a torch that has no CUDA."""
    kept = make_importable()
    module = importlib.import_module("open_clip")
    del kept
    return module
