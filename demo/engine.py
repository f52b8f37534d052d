"""Brings open_clip in, and knows where the demo's model lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.engines.lean import import_open_clip

MODEL_DIR = Path(__file__).with_name("model")
"""The model in open_clip's `local-dir:` format."""


def open_clip() -> Any:  # noqa: ANN401 - open_clip is not typed
    """Return the open_clip module, also beside a torch that has no CUDA."""
    return import_open_clip()
