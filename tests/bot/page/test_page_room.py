"""The page as a room: who sees what, what stays in view, how it looks; in a real Chromium."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, Page, expect

from bot.web.banner import Banner, BannerBoard
from bot.web.server import LocalChat
from core.model.events import LinkPosted
from tests.support import talks
from tests.support.page.hands import QUERY, ask, box, log
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.talks import ScriptedConversation

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_work_when_it_ends_then_progress_gives_way_to_the_result(
    room: Page, talk: ScriptedConversation
) -> None:
    talk.go_on.clear()
    await ask(room, "Look: https://example.org/coast.mp4")
    bar = log(room).get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "42")
    await expect(log(room)).to_contain_text("42%, about 12 s left")
    talk.go_on.set()
    await expect(log(room)).to_contain_text("Ready to search")
    await expect(bar).to_have_count(0)
    await expect(log(room).get_by_role("link", name="https://example.org/coast.mp4")).to_be_visible()


async def test_given_two_tabs_when_one_has_an_error_then_it_alone_shows_it(room: Page, chat: LocalChat) -> None:
    second = await room.context.new_page()
    await second.goto(chat.address)
    await ask(room)
    await expect(log(second).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await second.get_by_role("button", name="2 · 1:11").click()
    await expect(room.locator("[aria-current]")).to_have_text("2 · 1:11")
    await ask(second, "/forget it")
    await expect(log(second)).to_contain_text("There is no video by that name here.")
    await ask(second, "/videos")
    await expect(log(room)).to_contain_text("• Coast and harbour")
    await expect(log(room)).not_to_contain_text("There is no video by that name here.")


async def test_given_a_private_reply_when_its_tab_reloads_then_it_is_still_there(room: Page) -> None:
    await ask(room, "/help")
    await expect(log(room)).to_contain_text("What I can do")
    await room.reload()
    await expect(log(room)).to_contain_text("What I can do")
    await expect(log(room)).to_contain_text("Only you can see this")


async def test_given_strangers_markup_when_shown_then_it_is_text(room: Page) -> None:
    await ask(room, "/find <img src=x onerror=alert(1)><b>bold</b> javascript:alert(2)")
    await expect(log(room)).to_contain_text("“<img src=x onerror=alert(1)><b>bold</b> javascript:alert(2)”")
    assert await room.locator("#messages b, #messages img[src='x'], #messages a[href^='javascript']").count() == 0


async def test_given_a_lost_connection_when_back_then_missed_messages_are_shown(
    page: Page, talk: ScriptedConversation, tmp_path: Path
) -> None:
    async with LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path), talks.Unwritten(), stocked()) as chat:
        await page.goto(chat.address)
        chat.announce("the first run")
        await expect(log(page)).to_contain_text("the first run")
        port = int(chat.url.rstrip("/").rsplit(":", 1)[1])
    await expect(page.get_by_text("Connection lost")).to_be_visible()
    await ask(page, "said into the void")
    await expect(page.get_by_role("alert")).to_contain_text("did not get through")
    await expect(box(page)).to_have_value("said into the void")
    async with LocalChat(
        talk, talks.parse, replace(CONFIG, upload_dir=tmp_path, port=port), talks.Unwritten(), stocked()
    ) as chat:
        chat.announce("the second run")
        await expect(log(page)).to_contain_text("the second run")
        await expect(log(page)).not_to_contain_text("the first run")
        await expect(page.get_by_text("Connected")).to_be_visible()


async def test_given_new_messages_when_not_scrolled_up_then_the_last_is_in_view(room: Page, chat: LocalChat) -> None:
    for number in range(60):
        chat.announce(f"news {number}")
    await expect(room.get_by_text("news 59", exact=True)).to_be_in_viewport()
    await log(room).evaluate("node => { node.scrollTop = 0; }")
    await expect(room.get_by_text("news 0", exact=True)).to_be_in_viewport()
    chat.announce("the latest")
    newer = room.get_by_role("button", name="New messages")
    await expect(newer).to_be_visible()
    await expect(room.get_by_text("news 0", exact=True)).to_be_in_viewport()
    await newer.click()
    await expect(room.get_by_text("the latest")).to_be_in_viewport()
    await expect(newer).to_be_hidden()


async def test_given_a_tall_answer_when_it_comes_then_its_start_is_in_view(room: Page) -> None:
    await room.set_viewport_size({"width": 1200, "height": 420})
    await ask(room)
    await expect(room.get_by_role("heading", name="“a woman swimming in water”")).to_be_in_viewport()
    await ask(room, "/videos")
    await expect(room.get_by_text("• Coast and harbour")).to_be_in_viewport()


async def test_given_an_empty_page_then_its_welcome_offers_things_to_try(room: Page, chat: LocalChat) -> None:
    await expect(room.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    chat.announce("Welcome!", LinkPosted(chat.turn(), "https://e.org/v"), suggestions=(QUERY,))
    await room.get_by_role("button", name=QUERY).click()
    await expect(log(room).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await expect(room.get_by_role("heading", name="Nothing here yet")).to_be_hidden()


async def test_given_a_banner_when_it_changes_then_the_page_shows_it(
    talk: ScriptedConversation, page: Page, tmp_path: Path
) -> None:
    board = BannerBoard()
    board.show(Banner("Trial: a toy", button="Make it real"))
    config = replace(CONFIG, upload_dir=tmp_path, banner=board)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat:
        await page.goto(chat.address)
        note = page.get_by_role("note")
        await expect(note).to_contain_text("Trial: a toy")
        await note.get_by_role("button", name="Make it real").click()
        async with asyncio.timeout(5):
            await board.pressed()
        board.show(Banner("Downloading: 34%", share=0.34))
        await expect(note.get_by_role("progressbar")).to_have_attribute("value", "0.34")
        await expect(note.get_by_role("button", name="Make it real")).to_be_hidden()
        await note.get_by_role("button", name="Put this away").click()
        board.show(Banner("Downloading: 35%", share=0.35))
        await expect(note).to_be_hidden()
        await page.reload()
        await expect(page.get_by_text("Connected")).to_be_visible()
        await expect(note).to_be_hidden()
        board.show(Banner("Trial again"))
        await expect(note).to_be_visible()
        board.show(Banner(""))
        await expect(note).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_given_a_dark_or_light_theme_then_the_plot_follows_it(
    browser: Browser, chat: LocalChat, scheme: str
) -> None:
    context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = await context.new_page()
    await page.goto(chat.address)
    await ask(page)
    plot = page.locator("figure.plot img")
    await expect(plot).to_be_visible()
    assert f"theme={scheme}" in await plot.evaluate("image => image.currentSrc")
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", paper))) < 64) == (scheme == "dark")
    await context.close()


async def test_given_a_phones_width_then_nothing_scrolls_sideways(room: Page, chat: LocalChat) -> None:
    await room.set_viewport_size({"width": 360, "height": 740})
    chat.announce("w" * 400)
    await ask(room)
    await expect(log(room).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await ask(room, "https://example.org/" + "long" * 80)
    await expect(log(room)).to_contain_text("Ready to search")
    for selector in ("html", "#log"):
        wide, room_for = await room.locator(selector).evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert wide <= room_for
    outside = await room.evaluate(
        """[...document.querySelectorAll('button, a, textarea, img')].filter((node) => {
            const place = node.getBoundingClientRect();
            return place.width && (place.left < 0 || place.right > innerWidth);
        }).length"""
    )
    assert outside == 0


async def test_given_the_page_then_it_asks_no_other_host_and_keeps_its_policy(chat: LocalChat, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(chat.address)
    await ask(page)
    await expect(log(page).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    assert [url for url in asked if not url.startswith((chat.url, "data:"))] == []
    assert complaints == []
