"""What is written, dropped and attached on the page, in a real Chromium."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect

from bot.web.server import LocalChat
from core.model.events import FilePosted, Find
from tests.support import talks
from tests.support.page.hands import ask, box, log
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.talks import ScriptedConversation

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_slash_when_typed_then_commands_can_be_picked_by_keys(room: Page) -> None:
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


async def test_given_a_whole_command_when_enter_is_pressed_then_it_is_sent(
    room: Page, talk: ScriptedConversation
) -> None:
    await box(room).press_sequentially("/videos")
    await box(room).press("Enter")
    await expect(log(room)).to_contain_text("• Coast and harbour")
    assert len(talk.events) == 1


async def test_given_shift_enter_and_up_then_a_new_line_and_the_last_message(room: Page) -> None:
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


async def test_given_an_attached_file_when_sent_then_it_is_posted(room: Page, talk: ScriptedConversation) -> None:
    await room.locator("input[type=file]").set_input_files(
        {"name": "my film.mp4", "mimeType": "video/mp4", "buffer": b"video" * 1000}
    )
    await expect(log(room)).to_contain_text("my film.mp4")
    await expect(log(room)).to_contain_text("Ready to search")
    assert isinstance(talk.events[0], FilePosted)
    assert talk.posted == [b"video" * 1000]
    await expect(room.get_by_role("group", name="Uploads")).to_be_empty()


async def test_given_a_dropped_file_when_sent_then_it_is_posted(room: Page, talk: ScriptedConversation) -> None:
    dropped = await room.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["dropped"], "dropped.mp4", {type: "video/mp4"}));
            return transfer;
        }"""
    )
    await room.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    await expect(room.get_by_text("Let go to post the video")).to_be_visible()
    await room.dispatch_event("body", "drop", {"dataTransfer": dropped})
    await expect(room.get_by_text("Let go to post the video")).to_be_hidden()
    await expect(log(room)).to_contain_text("dropped.mp4")
    await expect(log(room)).to_contain_text("Ready to search")
    assert talk.posted == [b"dropped"]


async def test_given_a_file_too_many_when_added_then_the_reason_is_told(
    page: Page, talk: ScriptedConversation, tmp_path: Path
) -> None:
    talk.go_on.clear()
    config = replace(CONFIG, upload_dir=tmp_path, uploads=1)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat:
        await page.goto(chat.address)
        files = [{"name": f"{name}.mp4", "mimeType": "video/mp4", "buffer": b"video"} for name in ("one", "two")]
        await page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type] # as its own stub has it
        await expect(page.get_by_role("alert")).to_contain_text("too many files are here already")
        await expect(log(page)).to_contain_text("one.mp4")
        talk.go_on.set()


async def test_given_a_file_over_the_limit_when_added_then_the_limit_is_told(
    room: Page, talk: ScriptedConversation
) -> None:
    await room.locator("input[type=file]").set_input_files(
        {"name": "long.mp4", "mimeType": "video/mp4", "buffer": bytes(1_000_001)}
    )
    await expect(room.get_by_role("alert")).to_contain_text("is larger than 1.0 MB")
    assert talk.events == []


async def test_given_an_added_picture_when_words_follow_then_both_are_asked(
    room: Page, talk: ScriptedConversation
) -> None:
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


async def test_given_an_added_picture_when_its_button_is_used_then_it_is_asked(
    room: Page, talk: ScriptedConversation
) -> None:
    picture = {"name": "sky.png", "mimeType": "image/png", "buffer": b"no picture, but a scripted talk takes it"}
    await room.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    await room.get_by_role("button", name="Find this").click()
    await expect(log(room)).to_contain_text("sky.png")
    await expect(room.get_by_role("group", name="With the next message")).to_be_hidden()
    assert isinstance(talk.events[-1], Find)


async def test_given_an_answer_when_words_follow_then_it_is_refined(room: Page, talk: ScriptedConversation) -> None:
    await ask(room, "/find a dog")
    await room.get_by_role("button", name="More").last.click()
    await room.get_by_role("button", name="Refine").last.click()
    await expect(room.get_by_role("group", name="With the next message")).to_contain_text("Refining “a dog”")
    await expect(box(room)).to_be_focused()
    await room.keyboard.type("at night")
    await room.keyboard.press("Enter")
    await expect(log(room)).to_contain_text("“at night”")
    event = talk.events[-1]
    assert isinstance(event, Find)
    assert (event.text, event.refines) == ("at night", "an-answer")


async def test_given_an_absent_answer_when_refined_then_its_question_is_named(
    room: Page, talk: ScriptedConversation
) -> None:
    talk.is_rich = True
    await ask(room, "/find an absent answer")
    await room.get_by_role("button", name="More").last.click()
    await room.get_by_role("button", name="Refine").last.click()
    beside = room.get_by_role("group", name="With the next message")
    await expect(beside).to_contain_text("Refining “a woman swimming in water”: add")
    await beside.get_by_role("button", name="Cancel").click()
    await expect(beside).to_be_hidden()
