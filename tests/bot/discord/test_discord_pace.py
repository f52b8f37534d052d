"""Many videos at once in one channel: Discord counts their messages together, and nobody waits for a status."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.discord.config import BUDGET
from tests.bot.discord.test_discord_walls import a_town
from tests.fakes.discord_buckets import Buckets
from tests.support import clips
from tests.support.houses import house, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="session")]

VIDEOS = 12
WITHIN_S = 1.0
"""Time passes five times as fast as on Discord."""


def linked_videos(house: ColourHouse, folder: Path) -> list[str]:
    """Make videos that links lead to; return these."""
    made = {}
    for number in range(VIDEOS):
        place = folder / f"video{number}.mp4"
        made[f"https://films.example/{place.name}"] = clips.make_clip(place, [("red", 4 + number / 25), ("green", 4)])
    house.fetcher.web.update(made)
    return list(made)


async def test_given_many_videos_at_once_then_the_channel_budget_is_kept(
    house: ColourHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_town(house, budget_every_s=WITHIN_S / 4) as town:
        await town.post(tmp_path, town.general, "known.mp4")
        buckets = town.fake.buckets = Buckets(within_s=WITHIN_S)
        edits = buckets.of("PATCH", f"/channels/{town.general.id}/messages/1")
        assert edits is not None
        links = linked_videos(house, tmp_path)
        begun_s, edits_when_saved, save = time.monotonic(), list[int](), house.library.save

        async def saving(*what: Any) -> None:
            await save(*what)
            edits_when_saved.append(len(edits.taken_s))

        monkeypatch.setattr(house.library, "save", saving)
        asked = [await town.fake.post(town.general, town.ada, link) for link in links]

        edits_when_shown = list[int]()

        def all_ready() -> bool:
            below = [one for one in town.general.messages.values() if one.reply_to in {each.id for each in asked}]
            count = sum("Ready to search" in one.text for one in below)
            edits_when_shown.extend([len(edits.taken_s)] * (count - len(edits_when_shown)))
            return count == VIDEOS

        await town.fake.until(all_ready, "all cards")
        took_s = time.monotonic() - begun_s
        assert buckets.refused == 0
        assert BUDGET.every_s >= 5.0 / 5
        assert len(edits.taken_s) <= 5 + took_s / WITHIN_S * 5
        waited = [shown - saved for saved, shown in zip(edits_when_saved, edits_when_shown, strict=True)]
        assert max(waited) <= 5, (
            "a card waits for cards alone, counted in edits: how long those take, the machine decides"
        )
