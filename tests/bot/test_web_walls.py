"""On the page, too, what shows a forgotten video says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from bot.web.targets import PAGE
from core.conversation.commands import parse
from storage.shown_messages import SqliteShownMessages
from tests.support.houses import house, reader
from tests.support.page.stock import kept_in
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.events import Incoming
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

__all__ = ["house", "reader"]

pytestmark = pytest.mark.asyncio(loop_scope="session")
LINK = "https://films.example/colours.mp4"


async def test_given_a_forgotten_video_then_what_shows_it_is_taken_back(
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


class Held:
    """A conversation whose last reply waits until a test lets it go."""

    def __init__(self, house: ColourHouse) -> None:
        self._conversation = house.conversation
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def handle(self, event: Incoming) -> AsyncIterator[Reply]:
        async for reply in self._conversation.handle(event):
            if reply.progress is None:
                self.reached.set()
                await self.go_on.wait()
            yield reply


async def test_given_a_message_taken_back_when_the_last_word_comes_then_it_stays(
    house: ColourHouse, colour_video: Path, tmp_path: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    config, held = replace(CONFIG, upload_dir=tmp_path, forgotten_every_s=0.02), Held(house)
    async with (
        LocalChat(held, parse, config, RequestLog(house.runner, house.ledger), kept_in(house)) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        shown = SqliteShownMessages(house.library.connections)
        chat.take_back(shown)
        await tab.say(LINK)
        status = await tab.until(lambda one: one["author"] == "keaton" and bool(one.get("progress")))
        await held.reached.wait()
        await shown.show(config.scope, f"{PAGE}:{status['id']}", ["a video that is not kept"])
        await tab.until(lambda one: one["id"] == status["id"] and "was forgotten" in one["text"])
        held.go_on.set()
        async with asyncio.timeout(60):
            while await house.library.connections.rows("SELECT id FROM jobs WHERE ended_s IS NULL", {}):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await tab.say("/help")
        await tab.until(lambda one: one["id"] > status["id"] and "/find" in one["text"])
        assert "was forgotten" in tab.messages[status["id"]]["text"]
