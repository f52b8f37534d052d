"""Answers on the page, in a real Chromium, against a scripted conversation."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.support.page.hands import ask, box, log

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_search_then_frame_plot_and_moments_are_shown(room: Page) -> None:
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


async def test_given_a_moments_button_when_pressed_then_its_message_shows_it(room: Page) -> None:
    await ask(room)
    await room.get_by_role("button", name="3 · 0:12").click()
    await expect(log(room).get_by_role("img", name="Frame at 0:12")).to_be_visible()
    await expect(room.locator("[aria-current]")).to_have_text("3 · 0:12")
    await expect(room.get_by_role("article")).to_have_count(2)


async def test_given_no_emoji_font_then_thumbs_are_still_drawn(room: Page) -> None:
    await ask(room, "/find a vote")
    for name in ("Thumbs up 2", "Thumbs down"):
        await expect(room.get_by_role("button", name=name, exact=True)).to_be_visible()
    shown = log(room).get_by_role("article").last
    await expect(shown).to_contain_text("and  rank it")
    assert not set("👍👎") & set((await shown.inner_text()).split("https")[0])


async def test_given_arrow_keys_when_pressed_then_moments_change_and_focus_stays(room: Page) -> None:
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


async def test_given_the_box_when_shift_tab_is_pressed_then_the_answer_has_focus(room: Page) -> None:
    await ask(room)
    await expect(room.get_by_role("link", name="Open at 0:34")).to_be_visible()
    reached = []
    for _ in range(4):
        await room.keyboard.press("Shift+Tab")
        reached.append(await room.evaluate("document.activeElement.textContent.trim()"))
    assert "Open at 0:34" in reached
    assert "1 · 0:34" in reached


# The page forbids eval, and with it Playwright's own waiting for a condition.
WHEN = """(video, [event, property, above]) => new Promise((done) => {
    const look = () => video[property] > above && done(true);
    video.addEventListener(event, look);
    look();
})"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
async def test_given_a_preview_when_motion_is_allowed_then_it_plays_muted(
    room: Page, motion: Literal["no-preference", "reduce"]
) -> None:
    await room.emulate_media(reduced_motion=motion)
    await ask(room, "/find a preview")
    video = log(room).get_by_label("Preview of Coast and harbour")
    await expect(video).to_be_visible()
    await video.evaluate(WHEN, ["canplaythrough", "readyState", 3])
    still = motion == "reduce"
    properties = "video => [video.loop, video.muted, video.controls, video.autoplay]"
    assert await video.evaluate(properties) == [True, True, True, not still]
    if not still:
        await video.evaluate(WHEN, ["timeupdate", "currentTime", 0])
    await room.get_by_role("button", name="2 · 1:11").click()
    await expect(log(room).get_by_role("img", name="Frame at 1:11")).to_be_visible()
    await expect(video).to_have_count(0)


async def test_given_a_picture_when_opened_then_moments_turn_and_escape_closes(room: Page) -> None:
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


async def test_given_what_was_shown_then_no_browser_cache_keeps_it(room: Page) -> None:
    await ask(room)
    image = log(room).get_by_role("img", name="Frame at 0:34 of Coast and harbour")
    await expect(image).to_be_visible()
    await ask(room, "/find a preview")
    video = log(room).locator("video")
    await expect(video).to_be_visible()
    for shown in (image, video):
        from_cache = """
            node => fetch(node.currentSrc, {cache: "only-if-cached", mode: "same-origin"})
                .then(response => response.ok, () => false)
        """
        assert await shown.evaluate(from_cache) is False
