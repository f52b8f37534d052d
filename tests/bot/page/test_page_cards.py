"""What can be done with an answer on the page: plot, player, strip, More and gallery; in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Locator, Page, expect

from core.model import actions
from core.model.actions import Show
from core.model.events import Action, Forget
from tests.support.page.cards import LONG
from tests.support.page.hands import ask, box, log

if TYPE_CHECKING:
    from tests.support.talks import ScriptedConversation

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def plot(room: Page) -> Locator:
    return room.get_by_role("slider", name="Plot")


def pressed(talk: ScriptedConversation) -> Show:
    """Return what was asked for last."""
    event = talk.events[-1]
    assert isinstance(event, Action)
    wish = actions.read(event.id)
    assert isinstance(wish, Show)
    return wish


async def point(room: Page, share: float, *, drag_to: float | None = None) -> None:
    """Click the plot at a share of its width, or drag from there."""
    await plot(room).scroll_into_view_if_needed()
    place = await plot(room).bounding_box()
    assert place is not None
    y = place["y"] + place["height"] / 2
    await room.mouse.move(place["x"] + share * place["width"], y)
    await room.mouse.down()
    await room.mouse.move(place["x"] + (drag_to or share) * place["width"], y, steps=4)
    await room.mouse.up()


@pytest.fixture(autouse=True)
def rich(talk: ScriptedConversation) -> None:
    talk.is_rich = True


async def test_given_a_new_answer_then_it_has_the_strip_and_five_buttons(room: Page) -> None:
    await ask(room, "/find a rich answer")
    tools = room.get_by_role("toolbar", name="Moments")
    few = tools.locator(".few button, .opener")
    await expect(few).to_have_text(["Previous", "Next", "Preview", "Cut", "More"])
    await expect(tools.locator(".strip button:not(.further)")).to_have_count(6)
    await expect(log(room).locator(".level:visible")).to_have_text("Strong match")


async def test_given_nothing_found_then_there_are_even_fewer_buttons(room: Page) -> None:
    await ask(room, "/find an absent answer")
    tools = room.get_by_role("toolbar", name="Moments")
    await expect(tools.locator(".few button, .opener")).to_have_text(["Preview", "More"])
    await expect(log(room).get_by_role("heading", name="probably not in this video")).to_be_visible()


async def test_given_the_more_menu_when_opened_by_keys_then_escape_closes_it(room: Page) -> None:
    await ask(room, "/find a rich answer")
    more = room.get_by_role("button", name="More", exact=True)
    await more.focus()
    await room.keyboard.press("Enter")
    menu = room.get_by_role("group", name="More")
    for name in ("Whole video", "Thumbs up 2", "As softmax", "Refine", "Details"):
        await expect(menu.get_by_role("button", name=name)).to_be_visible()
    await room.keyboard.press("ArrowRight")
    await room.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(more).to_be_focused()


async def test_given_details_when_pressed_twice_then_figures_show_and_hide(room: Page) -> None:
    await ask(room, "/find a rich answer")
    for is_shown in (True, False):
        await room.get_by_role("button", name="More", exact=True).click()
        await room.get_by_role("button", name="Details").click()
        await expect(log(room).get_by_text("Similarity 0.43")).to_be_visible(visible=is_shown)


async def test_given_show_more_when_pressed_then_all_moments_are_shown(room: Page) -> None:
    await ask(room, "/find a rich answer")
    await room.get_by_role("button", name="Show more (2)").click()
    await expect(room.locator(".strip button:not(.further)")).to_have_count(8)
    await expect(room.get_by_role("button", name="7 · 1:30")).to_be_focused()


async def test_given_the_plot_when_clicked_then_that_time_is_shown(room: Page, talk: ScriptedConversation) -> None:
    await ask(room, "/find a rich answer")
    await point(room, 0.5)
    await expect(log(room)).to_contain_text("Moment 1 of 8")
    assert pressed(talk).mode == "frame"
    assert pressed(talk).at_ms == pytest.approx(47_000 - 2_500, abs=4_000)


async def test_given_the_plot_when_dragged_then_a_cut_is_made(room: Page, talk: ScriptedConversation) -> None:
    await ask(room, "/find a rich answer")
    await point(room, 0.4, drag_to=0.6)
    await expect(log(room)).to_contain_text("Moment 1 of 8")
    wish = pressed(talk)
    assert wish.mode == "cut"
    assert wish.in_ms is not None
    assert wish.out_ms is not None
    assert 15_000 < wish.out_ms - wish.in_ms < 25_000


async def test_given_the_plot_when_pointed_at_then_time_score_and_frame_show(room: Page) -> None:
    await ask(room, "/find a rich answer")
    await plot(room).hover()
    tip = log(room).locator(".tip:visible")
    await expect(tip).to_contain_text("· 0.")
    await expect(tip.locator("img")).to_be_visible()


async def test_given_the_plot_when_keys_are_pressed_then_the_time_moves(room: Page, talk: ScriptedConversation) -> None:
    await ask(room, "/find a rich answer")
    await plot(room).focus()
    for key in ("ArrowRight", "ArrowRight", "PageUp", "ArrowLeft"):
        await room.keyboard.press(key)
    assert await plot(room).get_attribute("aria-valuetext") == "0:45.0, similarity 0.10"
    await room.keyboard.press("Enter")
    await expect(log(room)).to_contain_text("Moment 1 of 8")
    assert pressed(talk).at_ms == 45_000


async def test_given_a_moment_when_played_then_the_video_starts_there_and_closes(room: Page) -> None:
    await ask(room, "/find a rich answer")
    await room.get_by_role("button", name="Play from 0:34").click()
    video = log(room).get_by_label("Video", exact=True)
    await expect(video).to_be_focused()
    source = await video.evaluate("node => node.src")
    assert source.endswith("/videos/v0")
    await room.keyboard.press("Escape")
    await expect(video).to_have_count(0)
    await expect(room.get_by_role("button", name="Play from 0:34")).to_be_focused()


async def test_given_a_video_the_browser_cannot_play_then_its_preview_is_used(
    room: Page, talk: ScriptedConversation
) -> None:
    await room.route("**/videos/*", lambda route: route.fulfill(body="no video", content_type="video/mp4"))
    await ask(room, "/find a rich answer")
    await room.get_by_role("button", name="Play from 0:34").click()
    await expect(log(room).get_by_label("Video", exact=True)).to_have_count(0)
    await expect(log(room)).to_contain_text("Moment 1 of 8")
    assert pressed(talk).mode == "preview"


async def test_given_the_gallery_when_a_video_is_picked_then_it_is_searched(
    room: Page, talk: ScriptedConversation
) -> None:
    await ask(room, "/find a list")
    await room.get_by_role("button", name="Search in Dunes").click()
    await expect(box(room)).to_have_value('video:"Dunes" ')
    assert len(talk.events) == 1


async def test_given_many_videos_when_listed_then_a_gallery_can_be_searched(room: Page) -> None:
    await ask(room, "/find a list")
    tiles = log(room).locator(".tiles li")
    await expect(tiles).to_have_count(4)
    await expect(tiles.first).to_contain_text("1:34 · Ada Lovelace · ")
    assert await tiles.nth(1).locator("b").get_attribute("title") == LONG
    await room.get_by_role("searchbox").fill("harbour")
    await expect(tiles).to_have_count(2)


async def test_given_the_gallery_when_a_video_is_forgotten_then_it_can_be_undone(
    room: Page, talk: ScriptedConversation
) -> None:
    await ask(room, "/find a list")
    await room.get_by_role("button", name="Forget Dunes").click()
    await expect(log(room).locator(".tiles li")).to_have_count(3)
    await room.get_by_role("button", name="Undo").click()
    await expect(log(room).locator(".tiles li")).to_have_count(4)
    await room.get_by_role("button", name="Forget Dunes").click()
    await room.reload()
    await expect(log(room)).to_contain_text("There is no video by that name here")
    assert [event.video for event in talk.events if isinstance(event, Forget)] == ["v2"]


async def test_given_a_name_when_typed_in_part_then_names_are_suggested(room: Page) -> None:
    await box(room).press_sequentially("/forget har")
    await expect(room.get_by_role("option")).to_have_text(["Harbour at night", "Coast and harbour"])
    await box(room).press("Tab")
    await expect(box(room)).to_have_value("/forget Harbour at night")
    await box(room).fill("")
    await box(room).press_sequentially("a dog from:b")
    await expect(room.get_by_role("option")).to_have_text(["Bo"])
    await box(room).press("Tab")
    await expect(box(room)).to_have_value("a dog from:Bo ")
