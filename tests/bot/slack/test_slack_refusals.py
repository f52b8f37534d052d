"""What Slack refuses is never silence: something simpler is shown, or the asker alone is told, and why."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Message

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

POST, UPDATE = "chat.postMessage", "chat.update"
POSTING = {
    "restricted_action": "an admin",
    "restricted_action_read_only_channel": "read-only",
    "is_archived": "archived",
    "internal_error": "internal_error",
}
UPLOADS = {
    "file_uploads_disabled": "an admin can allow",
    "file_uploads_except_images_disabled": "an admin can allow",
    "storage_limit_reached": "an admin can make room",
    "file_type_not_allowed": "an admin can allow",
    "missing_scope": "files:write",
    "internal_error": "internal_error",
}


@pytest.fixture(autouse=True)
def _no_tracebacks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No refusal that Slack documents is logged as a bug."""
    caplog.set_level(logging.INFO)
    yield
    bugs = [one for one in caplog.get_records("call") if one.exc_info and one.name.startswith(("bot", "core"))]
    assert not bugs


@pytest.mark.parametrize("error", POSTING)
async def test_given_no_right_to_post_when_asked_then_the_answer_is_private(scene: Scene, error: str) -> None:
    await scene.posted()
    scene.fake.refusals[POST] = lambda sent: error if sent["channel"] == scene.general.id else ""
    said = await scene.asked("/find", "green")
    assert "Moment 1 of" in said
    assert POSTING[error] in said


@pytest.mark.parametrize("error", POSTING)
async def test_given_no_right_to_post_when_mentioned_then_told_in_private(scene: Scene, error: str) -> None:
    await scene.posted()
    scene.fake.refusals[POST] = lambda sent: error if sent["channel"] == scene.general.id else ""
    await scene.post(f"<@{scene.team.keaton.id}> green")
    (said,) = await scene.fake.until(lambda: scene.general.whispers, "a private answer")
    assert ("Moment 1 of" in said.words, POSTING[error] in said.words, said.only_for) == (True, True, scene.ada.id)
    assert said.images, "they are shared with the asker"


async def test_given_a_refused_private_word_then_it_comes_by_direct_message(scene: Scene) -> None:
    scene.fake.refusals[POST] = lambda sent: "is_archived" if sent["channel"] == scene.general.id else ""
    scene.fake.refusals["chat.postEphemeral"] = "is_archived"
    await scene.post(scene.link())
    talk = scene.team.talk(scene.ada.id)
    found = await scene.fake.until(
        lambda: [one for one in talk.by_keaton if "archived" in one.words], "a direct message"
    )
    assert "Ready to search" in found[0].words


async def test_given_a_used_up_address_when_replying_then_a_channel_word_follows(scene: Scene) -> None:
    scene.fake.hooks_closed = True
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/keaton", "help")
    (said,) = await scene.fake.until(lambda: scene.general.whispers, "a private word")
    assert (said.only_for, "/keaton videos" in said.words) == (scene.bob.id, True)


async def test_given_a_message_that_is_too_long_then_words_alone_are_posted(scene: Scene) -> None:
    await scene.posted()
    before = set(scene.general.messages)
    for method in (POST, UPDATE):
        scene.fake.refusals[method] = lambda sent: "msg_blocks_too_long" if sent.get("blocks") else ""
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", "green")

    def plain() -> Message | None:
        new = [one for ts, one in scene.general.messages.items() if ts not in before and not one.is_share]
        return next((one for one in new if "Moment 1 of" in one.text and not one.blocks), None)

    await scene.fake.until(plain, "the words")


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("error", UPLOADS)
async def test_given_no_right_to_upload_then_words_and_the_reason_are_shown(
    scene: Scene, error: str, method: str
) -> None:
    await scene.posted()
    scene.fake.refusals[method] = error
    card = await scene.found()
    assert "Moment 1 of" in card.words
    assert UPLOADS[error] in card.words
    assert "in the thread" not in card.words
    await scene.press(card, "Next", "Moment 2 of")


@pytest.mark.parametrize("status", [413, 500])
async def test_given_a_failing_upload_then_it_is_told(scene: Scene, status: int) -> None:
    scene.fake.upload_status = status
    (card,) = scene.general.below(await scene.posted())
    assert ("too large" if status == 413 else "status 500") in card.words


async def test_given_a_slow_upload_then_it_is_told(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await scene.start()
    await scene.posted()
    await scene.stop()
    await scene.start(timeout_s=2.0)
    scene.fake.gates["upload"] = asyncio.Event()
    assert "took too long" in (await scene.found()).words


async def test_given_a_cut_that_slack_refuses_then_it_is_not_announced(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    await scene.press(card, "Cut", "Cut: ", scene.ada)
    scene.fake.refusals["files.getUploadURLExternal"] = "file_uploads_except_images_disabled"
    await scene.fake.press(scene.team, card, "Send the cut", scene.ada)
    assert "Uploads other than pictures are switched off" in (await scene.below(card, "switched off")).words


async def test_given_a_file_slack_does_not_show_then_its_poster_is_told(scene: Scene) -> None:
    file = scene.team.take(scene.video("theirs.mp4"))
    scene.fake.refusals["files.info"] = "not_visible"
    about = [{"id": file.id, "mode": "file_access", "file_access": "check_file_info"}]
    await scene.fake.post(scene.team, scene.general, scene.ada, files=about)
    (said,) = await scene.fake.until(lambda: scene.general.whispers, "a private word")
    assert "I am not let see that file" in said.words


async def test_given_a_form_that_opens_too_late_then_it_is_told(scene: Scene) -> None:
    message = await scene.post("where is it?")
    scene.fake.refusals["views.open"] = "expired_trigger_id"
    said = await scene.whispered(await scene.fake.menu(scene.team, message, "find_from_message", scene.bob))
    assert "did not open the form" in said


@pytest.mark.parametrize("error", ["is_archived", "cant_update_message", "message_not_found", "internal_error"])
async def test_given_a_card_that_cannot_change_when_pressed_then_a_private_word(scene: Scene, error: str) -> None:
    await scene.posted()
    card = await scene.found()
    scene.fake.refusals[UPDATE] = error
    answer = await scene.fake.press(scene.team, card, "Next", scene.bob)
    assert "Moment 2 of" in await scene.whispered(answer)
    assert "Moment 1 of" in card.words


async def test_given_a_press_in_a_thread_then_its_private_word_is_there_too(scene: Scene) -> None:
    message = await scene.posted()
    before = set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> green", thread=message.ts)
    card = await scene.answer(scene.general, before)
    scene.fake.refusals[UPDATE] = "cant_update_message"
    answer = await scene.fake.press(scene.team, card, "Next", scene.bob)
    await scene.whispered(answer)
    assert answer.said[0].thread_ts == card.thread_ts != ""
