"""The local chat with a scripted conversation, tabs without a browser, and a real Chromium.

Browser and page live on one event loop for the whole run; a test that uses them, and whatever server it opens, says
`pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.web.server import LocalChat
from tests.support import talks
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab
from tests.support.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=15_000)


def find_chromium() -> str:
    found = os.environ.get("KEATON_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        advice = "No Chromium here: install Debian's package `chromium`, or name a browser in KEATON_CHROMIUM."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(advice)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    path = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty tab, 1200 x 900, that fails the test when a script of the page breaks."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    page = await context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    await context.close()
    assert not troubles


@pytest.fixture
def talk() -> ScriptedConversation:
    return ScriptedConversation()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def chat(talk: ScriptedConversation, tmp_path: Path) -> AsyncIterator[LocalChat]:
    async with LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path), talks.Unwritten(), stocked()) as chat:
        yield chat


@pytest.fixture
async def tab(chat: LocalChat, session: aiohttp.ClientSession) -> AsyncIterator[Tab]:
    async with Tab(chat, session, "tab-a").open() as tab:
        yield tab


@pytest.fixture
async def other(chat: LocalChat, session: aiohttp.ClientSession) -> AsyncIterator[Tab]:
    async with Tab(chat, session, "tab-b").open() as tab:
        yield tab
