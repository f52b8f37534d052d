"""The page in a real Chromium, against the local chat with a scripted conversation."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.web.front import LocalChat
from core.talk import FilePosted, Find, LinkPosted
from tests.bot import talks
from tests.bot.tabs import CONFIG
from tests.bot.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Locator

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

QUERY = "/find a woman swimming in water"


@pytest_asyncio.fixture(loop_scope="session")
async def talk() -> ScriptedConversation:
    return ScriptedConversation()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(talk: ScriptedConversation, tmp_path: Path) -> AsyncIterator[LocalChat]:
    config = replace(CONFIG, upload_dir=tmp_path, upload_limit_bytes=1_000_000)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten()) as chat:
        yield chat


@pytest_asyncio.fixture(loop_scope="session")
async def room(chat: LocalChat, page: Page) -> Page:
    """The page, opened and connected."""
    await page.goto(chat.url)
    await expect(page.get_by_text("Connected")).to_be_visible()
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


async def ask(page: Page, text: str = QUERY) -> None:
    await box(page).fill(text)
    await box(page).press("Enter")


async def test_a_search_shows_the_frame_the_plot_and_the_moments(room: Page) -> None:
    await ask(room)
    await expect(log(room).get_by_role("img", name="Frame at 0:34 of Coast and harbour")).to_be_visible()
    await expect(log(room).get_by_role("img", name="Similarity of Coast and harbour")).to_be_visible()
    moments = room.get_by_role("toolbar", name="Moments")
    await expect(moments.get_by_role("button")).to_have_count(8)
    await expect(moments.locator("[aria-current]")).to_have_text("1 · 0:34")
    link = room.get_by_role("link", name="Open at 0:34")
    await expect(link).to_have_attribute("href", "https://example.org/watch?t=34")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    await expect(box(room)).to_have_value("")


async def test_a_moments_button_shows_that_moment_in_the_same_message(room: Page) -> None:
    await ask(room)
    await room.get_by_role("button", name="3 · 0:12").click()
    await expect(log(room).get_by_role("img", name="Frame at 0:12")).to_be_visible()
    await expect(room.locator("[aria-current]")).to_have_text("3 · 0:12")
    await expect(room.get_by_role("article")).to_have_count(2)


async def test_thumbs_are_drawn_for_no_font_need_have_them(room: Page) -> None:
    await ask(room, "/find a vote")
    for name in ("Thumbs up 2", "Thumbs down"):
        await expect(room.get_by_role("button", name=name, exact=True)).to_be_visible()
    shown = log(room).get_by_role("article").last
    await expect(shown).to_contain_text("and  rank it")
    assert not set("👍👎") & set((await shown.inner_text()).split("https")[0])


async def test_moments_are_walked_with_the_arrow_keys_and_focus_stays(room: Page) -> None:
    await ask(room)
    await room.get_by_role("button", name="1 · 0:34").focus()
    await room.keyboard.press("ArrowRight")
    await expect(room.get_by_role("button", name="2 · 1:11")).to_be_focused()
    await room.keyboard.press("Enter")
    await expect(room.locator("[aria-current]")).to_have_text("2 · 1:11")
    await expect(room.get_by_role("button", name="2 · 1:11")).to_be_focused()
    await room.keyboard.press("End")
    await expect(room.get_by_role("button", name="As softmax")).to_be_focused()
    await room.keyboard.press("Home")
    await expect(room.get_by_role("button", name="Previous")).to_be_focused()


async def test_from_the_box_shift_tab_reaches_the_answer(room: Page) -> None:
    await ask(room)
    await expect(room.get_by_role("link", name="Open at 0:34")).to_be_visible()
    reached = []
    for _ in range(4):
        await room.keyboard.press("Shift+Tab")
        reached.append(await room.evaluate("document.activeElement.textContent.trim()"))
    assert "Open at 0:34" in reached
    assert "1 · 0:34" in reached


# The page forbids eval, and with it Playwright's own waiting for a condition.
WHEN = """(film, [event, property, above]) => new Promise((done) => {
    const look = () => film[property] > above && done(true);
    film.addEventListener(event, look);
    look();
})"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
async def test_a_preview_runs_by_itself_without_sound_unless_nothing_shall_move(
    room: Page, motion: Literal["no-preference", "reduce"]
) -> None:
    await room.emulate_media(reduced_motion=motion)
    await ask(room, "/find a preview")
    film = log(room).get_by_label("Preview of Coast and harbour")
    await expect(film).to_be_visible()
    await film.evaluate(WHEN, ["canplaythrough", "readyState", 3])
    still = motion == "reduce"
    properties = "film => [film.loop, film.muted, film.controls, film.autoplay]"
    assert await film.evaluate(properties) == [True, True, True, not still]
    if not still:
        await film.evaluate(WHEN, ["timeupdate", "currentTime", 0])
    await room.get_by_role("button", name="2 · 1:11").click()
    await expect(log(room).get_by_role("img", name="Frame at 1:11")).to_be_visible()
    await expect(film).to_have_count(0)


async def test_progress_is_shown_and_then_gives_way_to_the_result(room: Page, talk: ScriptedConversation) -> None:
    talk.go_on.clear()
    await ask(room, "Look: https://example.org/coast.mp4")
    bar = log(room).get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "42")
    await expect(log(room)).to_contain_text("42%, about 12 s left")
    talk.go_on.set()
    await expect(log(room)).to_contain_text("Ready to search")
    await expect(bar).to_have_count(0)
    await expect(log(room).get_by_role("link", name="https://example.org/coast.mp4")).to_be_visible()


async def test_two_tabs_see_the_same_but_errors_only_where_they_were_caused(room: Page, chat: LocalChat) -> None:
    second = await room.context.new_page()
    await second.goto(chat.url)
    await ask(room)
    await expect(log(second).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await second.get_by_role("button", name="2 · 1:11").click()
    await expect(room.locator("[aria-current]")).to_have_text("2 · 1:11")
    await ask(second, "/forget it")
    await expect(log(second)).to_contain_text("There is no film by that name here.")
    await ask(second, "/videos")
    await expect(log(room)).to_contain_text("• Coast and harbour")
    await expect(log(room)).not_to_contain_text("There is no film by that name here.")


async def test_a_private_reply_survives_a_reload_of_its_tab(room: Page) -> None:
    await ask(room, "/help")
    await expect(log(room)).to_contain_text("What I can do")
    await room.reload()
    await expect(log(room)).to_contain_text("What I can do")
    await expect(log(room)).to_contain_text("Only you can see this")


async def test_a_slash_offers_the_commands_and_the_keyboard_picks_one(room: Page) -> None:
    await box(room).press_sequentially("/")
    await expect(room.get_by_role("option")).to_have_count(4)
    await box(room).press("ArrowDown")
    await expect(room.get_by_role("option", selected=True)).to_contain_text("/videos")
    await box(room).press("Escape")
    await expect(room.get_by_role("option")).to_have_count(0)
    await box(room).press_sequentially("f")
    await box(room).press("Tab")
    await expect(box(room)).to_have_value("/find ")
    await box(room).press_sequentially("a dog")
    await box(room).press("Enter")
    await expect(log(room)).to_contain_text("“a dog”")


async def test_enter_sends_a_whole_command_although_the_list_is_open(room: Page, talk: ScriptedConversation) -> None:
    await box(room).press_sequentially("/videos")
    await box(room).press("Enter")
    await expect(log(room)).to_contain_text("• Coast and harbour")
    assert len(talk.events) == 1


async def test_shift_enter_makes_a_line_and_up_recalls(room: Page) -> None:
    await box(room).press_sequentially("one")
    await box(room).press("Shift+Enter")
    await box(room).press_sequentially("two")
    await box(room).press("Enter")
    await expect(room.get_by_role("article").first).to_contain_text("one\ntwo")
    await ask(room, "three")
    await expect(box(room)).to_have_value("")
    await box(room).press("ArrowUp")
    await expect(box(room)).to_have_value("three")
    await box(room).press("ArrowUp")
    await expect(box(room)).to_have_value("one\ntwo")
    await box(room).press("ArrowDown")
    await box(room).press("ArrowDown")
    await expect(box(room)).to_have_value("")


async def test_a_picture_opens_large_walks_the_moments_and_escape_closes_it(room: Page) -> None:
    await ask(room)
    await log(room).get_by_role("img", name="Frame at 0:34").click()
    large = room.get_by_role("dialog", name="Enlarged picture")
    await expect(large.get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await room.keyboard.press("ArrowRight")
    await expect(large.get_by_role("img", name="Frame at 1:11")).to_be_visible()
    await room.keyboard.press("Escape")
    await expect(large).to_be_hidden()
    await room.get_by_role("button", name="Enlarge the plot").focus()
    await room.keyboard.press("Enter")
    await expect(large.get_by_role("img", name="Similarity of Coast")).to_be_visible()


async def test_an_attached_file_is_posted(room: Page, talk: ScriptedConversation) -> None:
    await room.locator("input[type=file]").set_input_files(
        {"name": "my film.mp4", "mimeType": "video/mp4", "buffer": b"film" * 1000}
    )
    await expect(log(room)).to_contain_text("my film.mp4")
    await expect(log(room)).to_contain_text("Ready to search")
    assert isinstance(talk.events[0], FilePosted)
    assert talk.posted == [b"film" * 1000]
    await expect(room.get_by_role("group", name="Uploads")).to_be_empty()


async def test_a_dropped_file_is_posted(room: Page, talk: ScriptedConversation) -> None:
    dropped = await room.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["dropped"], "dropped.mp4", {type: "video/mp4"}));
            return transfer;
        }"""
    )
    await room.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    await expect(room.get_by_text("Let go to post the film")).to_be_visible()
    await room.dispatch_event("body", "drop", {"dataTransfer": dropped})
    await expect(room.get_by_text("Let go to post the film")).to_be_hidden()
    await expect(log(room)).to_contain_text("dropped.mp4")
    await expect(log(room)).to_contain_text("Ready to search")
    assert talk.posted == [b"dropped"]


async def test_a_file_over_the_limit_is_refused_with_the_limit(room: Page, talk: ScriptedConversation) -> None:
    await room.locator("input[type=file]").set_input_files(
        {"name": "long.mp4", "mimeType": "video/mp4", "buffer": bytes(1_000_001)}
    )
    await expect(room.get_by_role("alert")).to_contain_text("is larger than 1.0 MB")
    assert talk.events == []


async def test_what_strangers_write_is_text_and_no_page(room: Page) -> None:
    await ask(room, "/find <img src=x onerror=alert(1)><b>bold</b> javascript:alert(2)")
    await expect(log(room)).to_contain_text("“<img src=x onerror=alert(1)><b>bold</b> javascript:alert(2)”")
    assert await room.locator("#messages b, #messages img[src='x'], #messages a[href^='javascript']").count() == 0


async def test_a_lost_connection_is_said_and_comes_back_with_what_was_missed(
    page: Page, talk: ScriptedConversation, tmp_path: Path
) -> None:
    async with LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path), talks.Unwritten()) as chat:
        await page.goto(chat.url)
        chat.announce("the first run")
        await expect(log(page)).to_contain_text("the first run")
        port = int(chat.url.rstrip("/").rsplit(":", 1)[1])
    await expect(page.get_by_text("Connection lost")).to_be_visible()
    await ask(page, "said into the void")
    await expect(page.get_by_role("alert")).to_contain_text("did not get through")
    await expect(box(page)).to_have_value("said into the void")
    async with LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path, port=port), talks.Unwritten()) as chat:
        chat.announce("the second run")
        await expect(log(page)).to_contain_text("the second run")
        await expect(log(page)).not_to_contain_text("the first run")
        await expect(page.get_by_text("Connected")).to_be_visible()


async def test_the_newest_stays_in_view_unless_the_reader_scrolled_up(room: Page, chat: LocalChat) -> None:
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


async def test_the_start_of_a_tall_answer_stays_in_view(room: Page) -> None:
    await room.set_viewport_size({"width": 1200, "height": 420})
    await ask(room)
    await expect(room.get_by_role("heading", name="“a woman swimming in water”")).to_be_in_viewport()
    await ask(room, "/videos")
    await expect(room.get_by_text("• Coast and harbour")).to_be_in_viewport()


async def test_the_welcome_offers_things_to_try(room: Page, chat: LocalChat) -> None:
    await expect(room.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    chat.announce("Welcome!", LinkPosted(chat.turn(), "https://e.org/v"), suggestions=(QUERY,))
    await room.get_by_role("button", name=QUERY).click()
    await expect(log(room).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    await expect(room.get_by_role("heading", name="Nothing here yet")).to_be_hidden()


async def test_the_notice_of_a_trial_is_on_the_page(room: Page) -> None:
    await expect(room.get_by_role("note")).to_have_text("Trial: a toy")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_plot_follows_the_readers_theme(browser: Browser, chat: LocalChat, scheme: str) -> None:
    context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = await context.new_page()
    await page.goto(chat.url)
    await ask(page)
    plot = page.locator("figure.plot img")
    await expect(plot).to_be_visible()
    assert f"theme={scheme}" in await plot.evaluate("image => image.currentSrc")
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", paper))) < 64) == (scheme == "dark")
    await context.close()


async def test_a_phones_width_needs_no_sideways_scrolling(room: Page, chat: LocalChat) -> None:
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


async def test_the_page_asks_nobody_else_and_breaks_no_policy(chat: LocalChat, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(chat.url)
    await ask(page)
    await expect(log(page).get_by_role("img", name="Frame at 0:34")).to_be_visible()
    assert [url for url in asked if not url.startswith((chat.url, "data:"))] == []
    assert complaints == []


async def test_a_picture_waits_for_words_and_is_asked_about_with_them(room: Page, talk: ScriptedConversation) -> None:
    picture = {"name": "sky.png", "mimeType": "image/png", "buffer": b"no picture, but a scripted talk takes it"}
    await room.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    beside = room.get_by_role("group", name="With the next message")
    await expect(beside).to_contain_text("sky.png")
    await box(room).fill("at night")
    await box(room).press("Enter")
    await expect(beside).to_be_hidden()
    await expect(log(room)).to_contain_text("sky.png")
    event = talk.events[-1]
    assert isinstance(event, Find)
    assert (event.text, event.picture.name if event.picture else "") == ("at night", "sky.png")


async def test_a_picture_is_asked_about_alone_by_a_button(room: Page, talk: ScriptedConversation) -> None:
    picture = {"name": "sky.png", "mimeType": "image/png", "buffer": b"no picture, but a scripted talk takes it"}
    await room.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    await room.get_by_role("button", name="Find this").click()
    await expect(log(room)).to_contain_text("sky.png")
    await expect(room.get_by_role("group", name="With the next message")).to_be_hidden()
    assert isinstance(talk.events[-1], Find)


async def test_an_answer_is_refined_by_what_is_written_next(room: Page, talk: ScriptedConversation) -> None:
    await ask(room, "/find a dog")
    await room.get_by_role("button", name="Refine").last.click()
    await expect(room.get_by_role("group", name="With the next message")).to_contain_text("Refining “a dog”")
    await expect(box(room)).to_be_focused()
    await room.keyboard.type("at night")
    await room.keyboard.press("Enter")
    await expect(log(room)).to_contain_text("“at night”")
    event = talk.events[-1]
    assert isinstance(event, Find)
    assert (event.text, event.refines) == ("at night", "an-answer")
