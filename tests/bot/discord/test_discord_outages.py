"""What Discord's gateway and its outages do to Keaton: events that nobody can read, servers that are not told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.test_discord_walls import a_town
from tests.bot.houses import house, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


async def test_an_event_that_nobody_can_read_is_logged_without_its_words_and_left(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        for kind in ("MESSAGE_CREATE", "INTERACTION_CREATE", "CHANNEL_UPDATE", "THREAD_UPDATE"):
            await town.fake.gateway.dispatch(kind, {"id": "no number of a secret", "guild_id": str(town.guild.id)})
        await town.fake.until(lambda: caplog.text.count("cannot be read and is left") == 4, "four lines")
        await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        assert town.fake.gateway.ready == 1
        assert "secret" not in caplog.text
        assert "MESSAGE_CREATE" in caplog.text
