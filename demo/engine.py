"""Knows where the demo's model lies."""

from __future__ import annotations

from pathlib import Path

MODEL_DIR = Path(__file__).with_name("model")
"""The model in open_clip's `local-dir:` format."""
