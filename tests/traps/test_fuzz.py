"""Damaged videos crash nothing but their own decoders, and leave no child behind. `make fuzz` is the long run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.traps.fuzz import fuzz

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


async def test_given_damaged_videos_when_read_then_nothing_crashes_or_is_left(tmp_path: Path) -> None:
    figures = await fuzz(15, 7, tmp_path)
    assert figures.bugs == []
    assert (figures.videos, figures.children_left) == (15, 0)
    assert figures.ends["read"] > 0, figures
    assert sum(figures.ends.values()) > figures.ends["read"], figures
