"""What was posted on the page before a restart is taken up after it."""

from __future__ import annotations

import asyncio
import io
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import pytest
from PIL import Image

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from core.conversation.commands import parse
from core.indexing.embedding import content_id
from core.jobs import JobRunner, RetryPolicy
from tests.support.houses import house, reader  # noqa: F401 - fixtures
from tests.support.jobs_done import StoppingReader
from tests.support.page.stock import kept_in
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from pathlib import Path

    from bot.web.config import WebConfig
    from tests.core.conftest import ColourHouse

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def chat_of(house: ColourHouse, config: WebConfig) -> LocalChat:  # noqa: F811 - a value of that fixture
    return LocalChat(house.conversation, parse, config, RequestLog(house.runner, house.ledger), kept_in(house))


def next_run(house: ColourHouse) -> JobRunner:  # noqa: F811
    """Let the house be that of a program that was started again."""
    house.begin_run()
    return JobRunner(house.jobs, house.library, house.media, RetryPolicy(0), time.time)


async def emptied(inbox: Path) -> None:
    """Wait until no posted file is left: it goes a moment after the answer."""
    async with asyncio.timeout(60):
        while list(inbox.iterdir()):  # noqa: ASYNC110, ASYNC240 - the disk tells nobody
            await asyncio.sleep(0.01)


async def taken_in(tab: Tab, video: Path, inbox: Path) -> None:
    """Drop a video, and wait until it can be searched."""
    await tab.send_file("colours.mp4", await asyncio.to_thread(video.read_bytes))
    await tab.until_text("Ready to search")
    await emptied(inbox)


def says(what: str, message: dict[str, object]) -> bool:
    return what in str(message)


def green() -> bytes:
    """Give a picture."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (0, 200, 0)).save(out, "PNG")
    return out.getvalue()


async def test_given_a_file_that_had_arrived_when_restarted_then_it_is_indexed(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    config, video = replace(CONFIG, upload_dir=house.media.inbox), await asyncio.to_thread(colour_video.read_bytes)
    house.relays.reader.target = stopping = StoppingReader(house.reader, 4)
    async with aiohttp.ClientSession() as session:
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            assert await tab.send_file("colours.mp4", video) == 202
            await asyncio.wait_for(stopping.stopped.wait(), 30)
            stood = await tab.until(lambda message: message["author"] == "keaton" and bool(message.get("progress")))
            asked = await tab.until(lambda message: bool(message.get("file")))
        house.relays.reader.target = house.reader
        runner = next_run(house)
        await runner.tidy()
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            (job,) = await runner.jobs.left("local")
            await chat.go_on(job)
            ready = await tab.until_text("Ready to search")
            assert (ready["title"], ready["id"]) == ("colours", stood["id"])
            assert tab.messages[asked["id"]] == asked
            await emptied(house.media.inbox)


async def test_given_a_video_forgotten_while_stopped_then_its_status_says_so(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    config, video = replace(CONFIG, upload_dir=house.media.inbox), await asyncio.to_thread(colour_video.read_bytes)
    house.relays.reader.target = stopping = StoppingReader(house.reader, 4)
    async with aiohttp.ClientSession() as session:
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            assert await tab.send_file("colours.mp4", video) == 202
            await asyncio.wait_for(stopping.stopped.wait(), 30)
            stood = await tab.until(lambda message: message["author"] == "keaton" and bool(message.get("progress")))
        house.relays.reader.target = house.reader
        await house.library.forget(content_id(colour_video), chat.turn().view)
        runner = next_run(house)
        await runner.tidy()
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            (job,) = await runner.jobs.left("local")
            await chat.go_on(job)
            assert (await tab.until_text("forgotten here meanwhile"))["id"] == stood["id"]
            await until_none_is_left(house)
            assert await house.library.connections.rows("SELECT 1 FROM jobs", {}) == []
        assert list(house.media_folder.rglob("*.mp4")) == []


async def test_given_a_picture_question_when_restarted_then_answered_in_place(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    config = replace(CONFIG, upload_dir=house.media.inbox)
    async with aiohttp.ClientSession() as session:
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            await taken_in(tab, colour_video, house.media.inbox)
        house.encoder.gate = asyncio.Event()
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            await tab.send_file("green.png", green())
            await tab.say("/find green")
            asked = [await tab.until(partial(says, what)) for what in ("green.png", "/find green")]
        house.encoder.gate.set()
        later = next_run(house)
        assert len(list(house.media.inbox.iterdir())) == 1
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            for job in await later.jobs.left("local"):
                await chat.go_on(job)
            pictured = await tab.until(partial(says, "ike the picture"))
            words = await tab.until(lambda one: one["author"] == "keaton" and one["id"] > asked[1]["id"])
            assert [one["id"] for one in (pictured, words)] == [one["id"] + 1 for one in asked]
            await emptied(house.media.inbox)


async def test_given_an_acknowledged_press_when_it_crashes_then_it_stands(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(CONFIG, upload_dir=house.media.inbox)
    async with aiohttp.ClientSession() as session:
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            await taken_in(tab, colour_video, house.media.inbox)
            monkeypatch.setattr(house.runner, "settle", forever)  # a kill leaves it so
            await tab.say("/find green")
            card = await tab.until(lambda one: "Moment 1 of" in str(one) and not one.get("progress"))
            whole = next(one["id"] for one in card["buttons"] if one["label"] == "Whole video")
            await tab.post("api/actions", {"message": card["id"], "id": whole})
            await tab.until(lambda one: one["id"] == card["id"] and "The whole video" in str(one))
        monkeypatch.undo()
        later = next_run(house)
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            asked, pressed = await later.jobs.left("local")
            assert (asked.request.kind, pressed.request.kind) == ("find", "press")
            await chat.go_on(pressed)
            again = await tab.until(lambda one: bool(one.get("buttons")))
            assert (again["id"], "The whole video" in str(again)) == (card["id"], True)
            await chat.go_on(asked)  # last, when it could draw over that
            await until_none_is_left(house)
            await tab.say("/help")
            await tab.until(lambda one: one.get("text") == "/help")  # by then the tab has seen all before it
            assert "The whole video" in str(tab.messages[card["id"]])


async def forever(_job: object) -> None:
    """Take too long to note anything."""
    await asyncio.Event().wait()


async def until_none_is_left(house: ColourHouse) -> None:  # noqa: F811
    """Wait until all that was taken up is noted."""
    sql = "SELECT 1 FROM jobs WHERE ended_s IS NULL"
    async with asyncio.timeout(60):
        while await house.library.connections.rows(sql, {}):  # noqa: ASYNC110 - no one tells
            await asyncio.sleep(0.01)
