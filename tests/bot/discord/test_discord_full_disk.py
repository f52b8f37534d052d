"""On a full disk each request on Discord gets its sentence, and a video can be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.test_discord_walls import a_town
from tests.support.houses import cramped, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Message
    from tests.support.disks import SmallDisk

__all__ = ["cramped", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]
FULL = "The disk is full"


async def test_given_a_full_disk_when_asked_then_it_says_so_and_forgetting_works(
    cramped: ColourHouse, small_disk: SmallDisk, tmp_path: Path
) -> None:
    async with a_town(cramped) as town:
        fake = town.fake
        await town.post(tmp_path, town.general, "film.mp4")
        answer = await town.answer(await fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        await cramped.library.connections.empty_log()
        small_disk.fill()
        message = await fake.post(town.general, town.ada, "https://films.example/other.mp4")

        def below() -> Message | None:
            mine = (one for one in town.general.messages.values() if one.reply_to == message.id)
            return next((one for one in mine if FULL in one.text), None)

        await fake.until(below, "a sentence below the link")
        await town.answer(await fake.menu(message, town.ada), FULL)
        await town.answer(await fake.typed(town.general, town.ada, "/index https://films.example/other.mp4"), FULL)
        await town.answer(await fake.press(answer, "👍", town.ada), FULL)
        await town.answer(await fake.typed(town.general, town.ada, "/forget A linked video"), "Forgotten")
