"""How much Keaton says on Slack to somebody who posts too much: one word a minute, and each video once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.core.conftest import CHOICES
from tests.support.houses import open_house, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from tests.bot.slack.conftest import Scene
    from tests.core.conftest import ColourHouse

__all__ = ["reader"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MOST = 4
FAST = "One thing after the other"


@pytest_asyncio.fixture(loop_scope="session")
async def house(reader: ChildFrameReader, tmp_path: Path) -> AsyncIterator[ColourHouse]:
    async with open_house(reader, tmp_path, replace(CHOICES, turns_a_minute=MOST)) as house:
        yield house


async def test_given_many_links_at_once_when_too_many_then_one_word_says_so(scene: Scene) -> None:
    link = scene.link()
    await scene.posted(link)
    messages = [await scene.post(link, user=scene.bob) for _ in range(12)]
    await scene.fake.until(lambda: [one for one in scene.general.whispers if FAST in one.words], "a word")
    await scene.fake.until(lambda: not [one for one in messages if one.reactions], "all looked at")
    assert len([one for one in scene.general.whispers if FAST in one.words]) == 1
    known = [one for one in scene.general.by_keaton if "I know this video already" in one.words]
    assert len(known) == MOST
    assert FAST in await scene.asked("/find", "green"), "who asks by a command is answered each time"
