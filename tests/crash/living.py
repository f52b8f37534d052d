"""How long people live in a town, and how often Keaton dies there."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING

from tests.crash.quick import QuickProgram
from tests.crash.town import Town
from tests.fakes.discord import FakeDiscord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


async def lived(
    folder: Path, kills: int, seed: int, told: Callable[[str], None], most_s: float = math.inf
) -> AsyncIterator[Town]:
    """Return a town in which Keaton was killed so often, and has then answered all that was left.

    After `most_s` seconds it is killed no more.
    """
    ends_s = time.monotonic() + most_s
    async with FakeDiscord() as fake:
        town = Town(fake, QuickProgram(fake, folder), folder, random.Random(seed))  # noqa: S311 - no secret
        fake.guilds.append(town.guild)
        await town.program.ensure_running()
        await town.post_video()
        await town.fake.until(lambda: not town.open, "the first video", 300)
        await town.program.kill()
        living = asyncio.create_task(town.live())
        try:
            while len(town.kills) < kills and time.monotonic() < ends_s:
                await town.kill_once()
                told(f"killed at {town.kills[-1]}: {len(town.posted)} posted, {len(town.open)} open")
        finally:
            is_over = living.done()
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            await town.program.kill()
        assert not is_over, "nobody lived there any more"
        await town.finish()
        yield town
