"""What stands on the page stands there after a restart too, and goes with its videos."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from core.conversation.commands import parse
from core.indexing.embedding import content_id
from storage.shown_messages import SqliteShownMessages
from tests.support import talks
from tests.support.houses import house, reader  # noqa: F401 - fixtures
from tests.support.page.stock import kept_in, stocked
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse


pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def indexed(tab: Tab, video: Path) -> None:
    await tab.send_file("colours.mp4", await asyncio.to_thread(video.read_bytes))
    await tab.until_text("Ready to search")


def chat_of(house: ColourHouse) -> LocalChat:  # noqa: F811 - a value of that fixture
    config = replace(CONFIG, upload_dir=house.media.inbox)
    requests = RequestLog(house.runner, house.ledger)
    return LocalChat(house.conversation, parse, config, requests, kept_in(house))


async def test_given_an_answer_when_restarted_then_pictures_and_buttons_work(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    async with aiohttp.ClientSession() as session:
        async with chat_of(house) as chat, Tab(chat, session, "a").open() as tab:
            await indexed(tab, colour_video)
            await tab.say("/find green")
            answer = await tab.until(lambda one: bool(one.get("plot")))
        async with chat_of(house) as chat, Tab(chat, session, "a").open() as tab:
            assert tab.messages[answer["id"]]["title"] == answer["title"]
            assert [one["text"] for one in tab.messages.values() if one["author"] == "you"] == ["", "/find green"]
            status, image, _ = await tab.get(answer["pictures"][0]["urls"]["light"])
            assert (status, image[:2]) == (200, b"\xff\xd8")
            press = {"message": answer["id"], "id": answer["plot"]["go"].format(at=2500)}
            assert await tab.post("api/actions", press) == 202
            await tab.until(lambda one: one["id"] == answer["id"] and "0:02.5" in one["text"])


async def test_given_a_forgotten_video_then_the_history_does_not_name_it(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    rows = house.library.connections.rows
    async with aiohttp.ClientSession() as session:
        async with chat_of(house) as chat, Tab(chat, session, "a").open() as tab:
            chat.take_back(SqliteShownMessages(house.library.connections))
            await indexed(tab, colour_video)
            await tab.say("/find green video:colours")
            await tab.until(lambda one: bool(one.get("plot")))
            await tab.say("what stays")
            await tab.until_text("what stays")
        assert len(await rows("SELECT 1 FROM page_pictures", {}))
        await house.library.forget(content_id(colour_video), chat.turn().view)
        assert await rows("SELECT 1 FROM page_pictures", {}) == []
        left = [row["body"] for row in await rows("SELECT body FROM page_messages", {})]
        assert any("what stays" in one for one in left)
        assert not any("colours" in one for one in left)


async def test_given_a_forget_request_then_neither_it_nor_its_reply_is_kept(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    async with aiohttp.ClientSession() as session:
        async with chat_of(house) as chat, Tab(chat, session, "a").open() as tab:
            await indexed(tab, colour_video)
            await tab.say("/forget colours")
            await tab.until_text("Forgotten")
        async with chat_of(house) as chat, Tab(chat, session, "a").open() as tab:
            assert "colours" not in str(tab.messages)


@pytest.mark.parametrize("limit", [3])
async def test_given_a_full_log_then_the_history_is_bounded_as_it_is(limit: int, tmp_path: Path) -> None:
    config, storage = replace(CONFIG, upload_dir=tmp_path, log_limit=limit), stocked()
    talk = talks.ScriptedConversation()
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat:
        for number in range(6):
            chat.announce(f"news {number}")
    kept = await storage.history.newest(config.scope, 99)
    assert [one.body.split('"')[3] for one in kept] == ["news 3", "news 4", "news 5"]


async def test_given_progress_when_restarted_then_it_is_not_shown_as_going_on(tmp_path: Path) -> None:
    talk, storage = talks.ScriptedConversation(), stocked()
    talk.go_on.clear()
    config = replace(CONFIG, upload_dir=tmp_path)
    async with (
        LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "a").open() as tab,
    ):
        await tab.say("https://example.org/coast.mp4")
        await tab.until(lambda one: bool(one.get("progress")))
    kept = await storage.history.newest(config.scope, 99)
    assert all('"progress": null' in one.body for one in kept)
