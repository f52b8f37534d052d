"""On a full disk each request on Slack gets its sentence, and a video can be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.houses import cramped, reader

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.core.conftest import ColourHouse
    from tests.support.disks import SmallDisk

__all__ = ["cramped", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]
FULL = "The disk is full"


@pytest_asyncio.fixture(loop_scope="session")
async def house(cramped: ColourHouse) -> ColourHouse:
    """The product of these stories lies on a small disk."""
    return cramped


async def test_given_a_full_disk_when_asked_then_it_says_so_and_forgetting_works(
    scene: Scene, small_disk: SmallDisk
) -> None:
    await scene.below(await scene.post(scene.link("film.mp4")))
    answer = await scene.found("green")
    await scene.house.library.connections.empty_log()
    small_disk.fill()
    await scene.post(scene.link("other.mp4"))
    (said,) = await scene.fake.until(lambda: scene.general.whispers, "a private word")
    assert FULL in said.words
    assert FULL in await scene.asked("/find", "red")
    assert FULL in await scene.asked("/keaton", f"index {scene.link()}")
    vote = await scene.fake.press(scene.team, answer, "👍", scene.bob)
    assert FULL in await scene.whispered(vote)
    assert "Forgotten" in await scene.asked("/keaton", "forget A linked video", scene.ada)
