"""The whole product as a newcomer meets it: the shipped program, a real Chromium, the demo model, a linked video."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo"
PATIENCE_MS = 60_000
QUERY = "a woman swimming in water"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keaton(home: Path) -> AsyncIterator[str]:
    """The program as `make run` starts it, with nothing set but where to put things; give the page's address."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "KEATON_WEB_PORT": "0",
        "KEATON_ALLOWED_HOSTS": "127.0.0.1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "bot", "run", cwd=home, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    yield line.split()[3]
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def give_video(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(DEMO / "film.mp4")


@pytest_asyncio.fixture(loop_scope="session")
async def link() -> AsyncIterator[str]:
    """A loopback link to the demo video, under a name of its own."""
    app = web.Application()
    app.router.add_get("/reel.mp4", give_video)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/reel.mp4"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def room(keaton: str, page: Page) -> Page:
    await page.goto(keaton)
    await expect(page.get_by_text("Ready to search").or_(page.get_by_text("know this video")).first).to_be_visible(
        timeout=PATIENCE_MS
    )
    return page


def latest(page: Page) -> Locator:
    return page.get_by_role("log").get_by_role("article").last


async def say(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def shown_at_s(page: Page) -> float:
    frame = latest(page).get_by_role("img", name=re.compile(r"^Frame at \d+:\d\d of .* found for “" + QUERY))
    await expect(frame).to_be_visible(timeout=PATIENCE_MS)
    minutes, seconds = re.findall(r"Frame at (\d+):(\d\d)", await frame.get_attribute("alt") or "")[0]
    return int(minutes) * 60 + int(seconds)


def scene_of(query: str) -> tuple[float, float]:
    scenes = json.loads((DEMO / "film.json").read_text())["scenes"]
    (scene,) = [scene for scene in scenes if query in scene["queries"]]
    return scene["start_s"], scene["end_s"]


async def test_given_a_trial_when_the_page_opens_then_it_says_how_to_end_it(room: Page) -> None:
    await expect(room.get_by_role("note")).to_contain_text("press the button")


async def test_given_the_demo_video_when_searched_by_words_then_it_is_found(room: Page) -> None:
    await say(room, QUERY)
    start_s, end_s = scene_of(QUERY)
    assert start_s - 1 < await shown_at_s(room) < end_s
    await expect(latest(room).get_by_role("slider", name=f"to “{QUERY}” over time")).to_be_visible()


async def test_given_a_posted_link_when_searched_then_its_video_is_found(room: Page, link: str) -> None:
    await say(room, link)
    await expect(latest(room)).to_contain_text("know this video already", timeout=PATIENCE_MS)
    await say(room, f"/find {QUERY}")
    start_s, end_s = scene_of(QUERY)
    assert start_s - 1 < await shown_at_s(room) < end_s


async def test_given_one_answer_when_two_tabs_browse_it_then_both_see_it(
    room: Page, browser: Browser, keaton: str
) -> None:
    await say(room, "/find a car")
    moments = latest(room).get_by_role("toolbar", name="Moments")
    await expect(moments.locator("[aria-current]")).to_have_text(re.compile("^1 · "), timeout=PATIENCE_MS)
    other = await browser.new_page()
    await other.goto(keaton)
    await expect(latest(other).locator("[aria-current]")).to_have_text(re.compile("^1 · "))
    await latest(other).get_by_role("button", name="More", exact=True).click()
    await latest(other).get_by_role("button", name="As softmax").click()
    plot = latest(room).get_by_role("slider", name=re.compile("Softmax share of"))
    await expect(plot).to_be_visible(timeout=PATIENCE_MS)
    await other.close()


async def test_given_the_page_when_opened_then_only_its_token_lets_in(
    room: Page, browser: Browser, keaton: str, home: Path
) -> None:
    context = await browser.new_context()
    stranger = await context.new_page()
    await stranger.goto(keaton.partition("?")[0])
    await expect(stranger.get_by_role("heading")).to_have_text("This address lacks its token")
    await stranger.goto(keaton)
    await expect(stranger.get_by_text("Connected")).to_be_visible()
    assert "token" not in stranger.url
    await stranger.goto(keaton.partition("?")[0])
    await expect(stranger.get_by_text("Connected")).to_be_visible()
    await context.close()
    kept = home / ".local" / "share" / "keaton"
    open_to_others = [path for path in (kept, *kept.rglob("*")) if path.stat().st_mode & 0o077]
    assert (open_to_others, (kept / "page-token").read_text().strip()) == ([], keaton.partition("=")[2])
    await expect(room.get_by_text("Connected")).to_be_visible()


async def test_given_a_link_to_a_private_host_then_a_sentence_refuses_it(room: Page) -> None:
    await say(room, "http://192.168.0.1/film.mp4")
    await expect(latest(room)).to_contain_text("private address")
