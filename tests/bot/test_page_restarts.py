"""What was posted on the page before a restart is taken up after it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.requests import Requests
from bot.web.front import LocalChat
from core.commands import parse
from core.foreman import Foreman, Patience
from storage.jobs import SqliteJobs
from storage.ledger import SqliteLedger
from tests.bot.houses import house, reader  # noqa: F401 - fixtures
from tests.bot.tabs import CONFIG, Tab
from tests.core.test_foreman import StoppingReader

if TYPE_CHECKING:
    from pathlib import Path

    from bot.web.config import WebConfig
    from tests.core.conftest import ColourHouse

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def chat_of(house: ColourHouse, config: WebConfig) -> LocalChat:  # noqa: F811 - a value of that fixture
    return LocalChat(house.conversation, parse, config, Requests(house.foreman, house.ledger))


async def test_a_dropped_file_that_had_arrived_is_taken_up_by_the_next_run(
    house: ColourHouse,  # noqa: F811
    colour_film: Path,
) -> None:
    config, film = replace(CONFIG, upload_dir=house.media.inbox), await asyncio.to_thread(colour_film.read_bytes)
    house.indexer._reader = stopping = StoppingReader(house.reader, 4)
    async with aiohttp.ClientSession() as session:
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            assert await tab.send_file("colours.mp4", film) == 202
            await asyncio.wait_for(stopping.stopped.wait(), 30)
        house.indexer._reader = house.reader
        house.ledger._run = run = SqliteLedger(house.library.connections).run
        jobs = SqliteJobs(house.library.connections, run, time.time, is_bot=True)
        foreman = Foreman(jobs, house.library, house.media, Patience(0), time.time)
        house.foreman._jobs = jobs
        await foreman.tidy()
        async with chat_of(house, config) as chat, Tab(chat, session, "a").open() as tab:
            (job,) = await foreman.left("local")
            await chat.go_on(job)
            ready = await tab.until_text("Ready to search")
            assert ready["title"] == "colours"
            async with asyncio.timeout(10):
                while list(house.media.inbox.iterdir()):  # noqa: ASYNC110 - it goes a moment after the answer
                    await asyncio.sleep(0.01)
