"""Puts weights where the hub's client keeps them, by way of a small hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.clip.hub import HubWeights
from tests.fakes.hub import FakeHub

if TYPE_CHECKING:
    from pathlib import Path

REPO = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
"""Where the hub has the weights of `base`."""


def cached(folder: Path, content: bytes) -> None:
    """Fill a cache with weights of `base`."""
    with FakeHub({f"{REPO}/open_clip_model.safetensors": content}) as hub, pytest.MonkeyPatch.context() as patch:
        point_to(hub.url, patch)
        HubWeights(REPO).fetch(folder, lambda _done, _total: None)


def point_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """Have the hub's client of this process use another hub, as HF_ENDPOINT does for one that is yet to start."""
    patch.setattr("huggingface_hub.constants.ENDPOINT", url)
    patch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
