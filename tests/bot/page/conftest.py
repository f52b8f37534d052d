"""The page in a real Chromium, against the local chat with a scripted conversation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.web.server import LocalChat
from tests.support import talks
from tests.support.drawings import draw_frame
from tests.support.page.cards import LONG
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG
from tests.support.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.web.videos import PageStorage


@pytest_asyncio.fixture(loop_scope="session")
async def talk() -> ScriptedConversation:
    return ScriptedConversation()


@pytest.fixture
def storage(tmp_path: Path) -> PageStorage:
    """Three videos, of which one can be played, and its name is long."""
    video = tmp_path / "kept.mp4"
    video.write_bytes(talks.moving().data["light"])
    return stocked("Coast and harbour", LONG, "Dunes", "Harbour at night", file=video, jpeg=draw_frame(1))


@pytest_asyncio.fixture(loop_scope="session")
async def chat(talk: ScriptedConversation, tmp_path: Path, storage: PageStorage) -> AsyncIterator[LocalChat]:
    config = replace(CONFIG, upload_dir=tmp_path, upload_limit_bytes=1_000_000)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat:
        yield chat


@pytest_asyncio.fixture(loop_scope="session")
async def room(chat: LocalChat, page: Page) -> Page:
    """The page, opened and connected."""
    await page.goto(chat.address)
    await expect(page.get_by_text("Connected")).to_be_visible()
    return page
