"""The page at every width, zoom, theme and pace: accessible, without sideways scrolling, and nothing jumps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bot.web.banner import Banner, BannerBoard
from bot.web.server import LocalChat
from tests.support import talks
from tests.support.page.cards import LONG
from tests.support.page.hands import ask, log
from tests.support.tabs import CONFIG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from playwright.async_api import Route

    from bot.web.videos import PageStorage
    from tests.support.talks import ScriptedConversation

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Theme = Literal["light", "dark"]
WIDTHS = (320, 390, 768, 1280)
STATES = ("/find a rich answer", "/find an absent answer", "/find a tall answer", "/find a long name", "/find a list")
MOST_SHIFT = 0.05

DECODED = """Promise.all([...document.images].filter((one) => one.loading !== "lazy")
    .map((one) => one.decode().catch(() => {})))"""

WATCH_SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Opener:
    """Opens the page in a window of its own."""

    browser: Browser
    chat: LocalChat

    async def at(self, width: int, height: int, theme: Theme = "light") -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, has_touch=width < 500
        )
        page = await context.new_page()
        await page.add_init_script(WATCH_SHIFTS)
        await page.goto(self.chat.address)
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def opener(browser: Browser, chat: LocalChat, talk: ScriptedConversation) -> AsyncIterator[Opener]:
    talk.is_rich = True
    known = set(browser.contexts)
    yield Opener(browser, chat)
    for context in set(browser.contexts) - known:
        await context.close()


async def settled(page: Page) -> None:
    """Wait until what was asked for stands there with its pictures."""
    await expect(log(page).locator("article.card").last).to_be_visible()
    await expect(log(page).locator("article[aria-busy=true]")).to_have_count(0)
    await page.evaluate(DECODED)


async def no_sideways(page: Page) -> None:
    for selector in ("html", "#log"):
        wide, room_for = await page.locator(selector).evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert wide <= room_for


async def violations(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found.response["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_given_each_state_when_axe_looks_then_it_finds_nothing(opener: Opener, theme: Theme) -> None:
    page = await opener.at(1280, 800, theme)
    assert await violations(page) == []
    for state in STATES:
        await ask(page, state)
        await settled(page)
    assert await violations(page) == []
    await page.get_by_role("button", name="More", exact=True).last.click()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Enlarge the frame").first.press("Enter")
    await expect(page.get_by_role("dialog", name="Enlarged picture")).to_be_visible()
    assert await violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_given_progress_and_errors_when_axe_looks_then_it_finds_nothing(
    opener: Opener, talk: ScriptedConversation, theme: Theme
) -> None:
    page = await opener.at(390, 844, theme)
    talk.go_on.clear()
    await ask(page, f"https://example.org/{LONG}")
    await expect(log(page).get_by_role("progressbar")).to_be_visible()
    await ask(page, "/forget it")
    await expect(log(page)).to_contain_text("There is no video by that name here.")
    await page.locator("input[type=file]").set_input_files(
        {"name": LONG, "mimeType": "video/mp4", "buffer": bytes(1_000_001)}
    )
    await expect(page.get_by_role("alert").first).to_be_visible()
    assert await violations(page) == []
    await no_sideways(page)
    talk.go_on.set()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_given_a_banner_when_axe_looks_then_it_finds_nothing(
    browser: Browser, talk: ScriptedConversation, storage: PageStorage, tmp_path: Path, theme: Theme
) -> None:
    board = BannerBoard()
    board.show(Banner("Trial: a toy", share=0.34, button="Make it real"))
    config = replace(CONFIG, upload_dir=tmp_path, banner=board)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat:
        page = await Opener(browser, chat).at(390, 844, theme)
        await expect(page.get_by_role("note")).to_be_visible()
        assert await violations(page) == []
        await no_sideways(page)
        await page.context.close()


async def test_given_a_tall_banner_when_answered_then_the_title_shows(
    browser: Browser, talk: ScriptedConversation, storage: PageStorage, tmp_path: Path
) -> None:
    talk.is_rich = True
    board = BannerBoard()
    board.show(Banner("Trial: " + "the small demo model knows only drawn scenes. " * 4, button="Make it real"))
    config = replace(CONFIG, upload_dir=tmp_path, banner=board)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat:
        page = await Opener(browser, chat).at(390, 844)
        await ask(page, "/find a rich answer")
        await settled(page)
        title = await log(page).locator("article.card h2").last.bounding_box()
        note = await page.get_by_role("note").bounding_box()
        assert title is not None
        assert note is not None
        assert note["y"] + note["height"] <= title["y"] < 844 / 2
        await page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
async def test_given_a_width_when_each_state_is_shown_then_no_sideways_scrolling(opener: Opener, width: int) -> None:
    page = await opener.at(width, 800)
    for state in STATES:
        await ask(page, state)
        await settled(page)
        await no_sideways(page)
    await page.get_by_role("button", name="More", exact=True).last.click()
    await no_sideways(page)


async def test_given_200_percent_when_an_answer_shows_then_bars_leave_two_thirds(opener: Opener) -> None:
    page = await opener.at(640, 400)
    await ask(page, STATES[0])
    await settled(page)
    await no_sideways(page)
    free = await page.locator("#log").evaluate("node => node.clientHeight / innerHeight")
    assert free > 0.64


async def test_given_a_portrait_video_then_plot_and_buttons_are_above_the_fold(opener: Opener) -> None:
    page = await opener.at(1280, 800)
    await ask(page, "/find a tall answer")
    await settled(page)
    await expect(page.get_by_role("slider", name="Plot")).to_be_in_viewport(ratio=0.95)
    await expect(page.get_by_role("button", name="Next")).to_be_in_viewport(ratio=0.95)


async def test_given_a_tall_picture_when_it_is_enlarged_then_all_of_it_is_seen(opener: Opener) -> None:
    page = await opener.at(1280, 800)
    await ask(page, "/find a tall answer")
    await settled(page)
    await page.get_by_role("button", name="Enlarge the frame").press("Enter")
    image = page.get_by_role("dialog").get_by_role("img")
    await expect(image).to_be_in_viewport(ratio=1)


async def test_given_touch_then_what_is_pressed_is_44_px_high(opener: Opener) -> None:
    page = await opener.at(390, 844)
    await ask(page, STATES[0])
    await settled(page)
    heights = await page.locator(".moments button:visible, .composer button, .top button").evaluate_all(
        "nodes => nodes.filter((node) => node.offsetParent).map((node) => node.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44


def slowly(delay_s: float) -> Callable[[Route], object]:
    async def pass_on(route: Route) -> None:
        await asyncio.sleep(delay_s)
        await route.continue_()

    return pass_on


@pytest.mark.parametrize("width", [390, 1280])
async def test_given_a_slow_network_when_pictures_come_late_then_nothing_jumps(opener: Opener, width: int) -> None:
    page = await opener.at(width, 800)
    await page.route("**/media/**", slowly(0.4))
    await page.route("**/thumbs/**", slowly(0.6))
    await ask(page, STATES[0])
    await settled(page)
    await page.get_by_role("button", name="Next").last.click()
    await expect(log(page)).to_contain_text("Moment 2 of 8")
    await settled(page)
    assert await page.evaluate("window.shifts") <= MOST_SHIFT


async def test_given_reduced_motion_then_nothing_moves(opener: Opener) -> None:
    page = await opener.at(1280, 800)
    await page.emulate_media(reduced_motion="reduce")
    await ask(page, STATES[0])
    await settled(page)
    assert await page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length") == 0


async def test_given_answers_then_each_has_one_heading(opener: Opener) -> None:
    page = await opener.at(1280, 800)
    for state in STATES:
        await ask(page, state)
        await settled(page)
    counts = await page.locator("article.card").evaluate_all(
        "nodes => nodes.map((node) => [...node.querySelectorAll('h1,h2,h3,h4')].filter((one) => !one.hidden).length)"
    )
    assert counts == [1] * len(STATES)
