"""On the page, too, what shows a forgotten video says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from core.conversation.commands import parse
from storage.shown_messages import SqliteShownMessages
from tests.support.houses import house, reader
from tests.support.page.stock import kept_in
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

__all__ = ["house", "reader"]

pytestmark = pytest.mark.asyncio(loop_scope="session")
LINK = "https://films.example/colours.mp4"


async def test_what_shows_a_forgotten_video_is_taken_back_with_its_pictures(
    house: ColourHouse,
    colour_video: Path,
    tmp_path: Path,
) -> None:
    house.fetcher.web[LINK] = colour_video
    config = replace(CONFIG, upload_dir=tmp_path, forgotten_every_s=0.02)
    async with (
        LocalChat(house.conversation, parse, config, RequestLog(house.runner, house.ledger), kept_in(house)) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        chat.take_back(SqliteShownMessages(house.library.connections))
        await tab.say(LINK)
        await tab.until(lambda one: "Ready to search" in one["text"])
        await tab.say("/find green")
        answer = await tab.until(lambda one: "Moment 1" in one["text"])
        urls = [url for picture in answer["pictures"] for url in picture["urls"].values()]
        await tab.say("/forget A linked video")
        gone = await tab.until(lambda one: one["id"] == answer["id"] and "was forgotten" in one["text"])
        assert (gone["pictures"], gone["buttons"]) == ([], [])
        for url in urls:
            assert (await tab.get(url))[0] == 404
