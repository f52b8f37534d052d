"""Killed in the middle of things, Keaton loses nothing and says nothing twice. `make crash` does so a hundred times."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.crash.living import lived
from tests.crash.proof import judge

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_given_two_kills_when_restarted_then_each_video_and_answer_is_once(tmp_path: Path) -> None:
    async for town in lived(tmp_path, kills=2, seed=5, told=lambda _: None):
        found = await asyncio.to_thread(judge, town)
        assert found.fine, found
        assert found.kills == 2
